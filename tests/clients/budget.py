"""What the official SDKs say when a budget is spent: python tests/clients/budget.py

One line for each: its name, the class of its error, and the text that it prints.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import anthropic
import openai
from google import genai
from report import PROMPT, TIMEOUT

OPENAI = openai.OpenAI(api_key="sk-test", timeout=TIMEOUT)
ANTHROPIC = anthropic.Anthropic(api_key="sk-ant-test", timeout=TIMEOUT)
GEMINI = genai.Client(api_key="AIzaTest", http_options={"timeout": int(TIMEOUT * 1000)})
"""With the retries that they have by default: a refusal must not be tried again."""


def chat() -> object:
    return OPENAI.chat.completions.create(model="gpt-5.4", messages=[{"role": "user", "content": PROMPT}])


def chat_streamed() -> object:
    messages = [{"role": "user", "content": PROMPT}]
    return list(OPENAI.chat.completions.create(model="gpt-5.4", messages=messages, stream=True))


def responses() -> object:
    return OPENAI.responses.create(model="gpt-5.4", input=PROMPT)


def messages() -> object:
    asked = [{"role": "user", "content": PROMPT}]
    return ANTHROPIC.messages.create(model="claude-sonnet-4-5", max_tokens=1000, messages=asked)


def generate() -> object:
    return GEMINI.models.generate_content(model="gemini-2.5-flash", contents=PROMPT)


CALLS: dict[str, Callable[[], object]] = {
    "openai-chat": chat,
    "openai-chat-streamed": chat_streamed,
    "openai-responses": responses,
    "anthropic": messages,
    "gemini": generate,
}

for name, call in CALLS.items():
    try:
        print(json.dumps({"call": name, "error": "none", "text": str(call())[:200]}), flush=True)
    except (openai.APIError, anthropic.APIError, genai.errors.APIError) as e:
        print(json.dumps({"call": name, "error": type(e).__name__, "text": str(e)}), flush=True)
