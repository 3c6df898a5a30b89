"""A small agent for each official SDK, which writes a file when the model says so.

Reads what it is to say from standard input. Each file has the name of its agent, and stands in the working
directory.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import openai
from google import genai
from google.genai import types
from report import TIMEOUT

NAME, DESCRIPTION = "write_file", "Writes a file."
SCHEMA = {"type": "object", "properties": {"content": {"type": "string"}}, "required": ["content"]}

type Write = Callable[[str], None]


def chat(prompt: str, stream: bool) -> dict[str, Any]:
    client = openai.OpenAI(api_key="sk-test", timeout=TIMEOUT, max_retries=0)
    tool: Any = {"type": "function", "function": {"name": NAME, "parameters": SCHEMA}}
    asked: dict[str, Any] = {"model": "gpt-6", "messages": _said(prompt), "tools": [tool]}
    if stream:
        with client.chat.completions.stream(**asked) as events:
            list(events)
            answer: Any = events.get_final_completion()
    else:
        answer = client.chat.completions.create(**asked)
    return dict(json.loads(answer.choices[0].message.tool_calls[0].function.arguments))


def responses(prompt: str, stream: bool) -> dict[str, Any]:
    client = openai.OpenAI(api_key="sk-test", timeout=TIMEOUT, max_retries=0)
    tool: Any = {"type": "function", "name": NAME, "parameters": SCHEMA, "strict": False}
    asked: dict[str, Any] = {"model": "gpt-6", "input": prompt, "tools": [tool]}
    if stream:
        with client.responses.stream(**asked) as events:
            list(events)
            answer: Any = events.get_final_response()
    else:
        answer = client.responses.create(**asked)
    calls = [item for item in answer.output if item.type == "function_call"]
    return dict(json.loads(calls[0].arguments))


def claude(prompt: str, stream: bool) -> dict[str, Any]:
    client = anthropic.Anthropic(api_key="sk-ant-test", timeout=TIMEOUT, max_retries=0)
    tool: Any = {"name": NAME, "description": DESCRIPTION, "input_schema": SCHEMA}
    asked: dict[str, Any] = {"model": "claude-sonnet-5-5", "max_tokens": 99, "messages": _said(prompt)}
    asked["tools"] = [tool]
    if stream:
        with client.messages.stream(**asked) as events:
            list(events)
            answer: Any = events.get_final_message()
    else:
        answer = client.messages.create(**asked)
    return dict(next(block.input for block in answer.content if block.type == "tool_use"))


def gemini(prompt: str, stream: bool) -> dict[str, Any]:
    client = genai.Client(api_key="AIzaTest")
    declared: Any = {"name": NAME, "description": DESCRIPTION, "parameters": SCHEMA}
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[declared])],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    asked: dict[str, Any] = {"model": "gemini-3-flash", "contents": prompt, "config": config}
    models = client.models
    answers = list(models.generate_content_stream(**asked)) if stream else [models.generate_content(**asked)]
    calls = [call for answer in answers for call in answer.function_calls or ()]
    return dict(calls[0].args or {})


def _said(prompt: str) -> list[Any]:
    return [{"role": "user", "content": prompt}]


if __name__ == "__main__":
    said = sys.stdin.read()
    for agent in (chat, responses, claude, gemini):
        for streams in (False, True):
            name = f"{agent.__name__}-{'streamed' if streams else 'whole'}"
            Path(name).write_text(agent(said, streams)["content"], "utf-8")
