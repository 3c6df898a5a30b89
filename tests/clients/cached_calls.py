"""The same request in both forms, in both orders, by official SDKs: python tests/clients/cached_calls.py

Each case is asked four times: what is not the first time may come from a cache, in the form that was kept or
in the other one. All that an SDK makes of an answer is told, but ids and times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import anthropic_calls
import bedrock_calls
import cohere_calls
import gemini_calls
import ollama_calls
import openai_calls
from gemini_calls import types
from report import TOOL_PROMPT, Call, report

type Ask = Callable[[str], Any]
"""Asks with that text; gives what the SDK made of the answer."""

CHANGING = {"id", "created", "created_at", "response_id", "create_time", "request_id", "ResponseMetadata"}
"""What is new in every answer."""
FORM_ONLY = {
    *("object", "parsed", "parsed_arguments", "obfuscation", "sdk_http_response", "output_parsed", "index"),
    *("automatic_function_calling_history", "metrics", "_request_id", "stop_details", "model_version"),
}
"""What SDKs add to, or leave out of, one of the two forms."""
THINKING = 4096


def told(answer: Any) -> Any:
    """All of it that both forms have to have."""
    if hasattr(answer, "model_dump"):
        answer = answer.model_dump(mode="json", warnings=False)
    if isinstance(answer, dict):
        dropped = CHANGING | FORM_ONLY
        kept = {name: told(item) for name, item in answer.items() if name not in dropped}
        return {name: item for name, item in kept.items() if item not in (None, [], {}, "")}
    return [told(item) for item in answer] if isinstance(answer, list | tuple) else answer


# -- OpenAI --------------------------------------------------------------------------------------------------


def _chat(prompt: str) -> dict[str, Any]:
    return {
        "model": "gpt-6-mini",
        "messages": [{"role": "user", "content": prompt}],
        "tools": openai_calls.CHAT_TOOLS,
    }


def chat_whole(prompt: str) -> Any:
    return openai_calls.client.chat.completions.create(**_chat(prompt))


def chat_streamed(prompt: str) -> Any:
    options = {"include_usage": True}
    with openai_calls.client.chat.completions.stream(**_chat(prompt), stream_options=options) as stream:
        return stream.get_final_completion()


def _responses(prompt: str) -> dict[str, Any]:
    tools = openai_calls.RESPONSE_TOOLS
    return {"model": "gpt-6-mini", "input": prompt, "tools": tools, "reasoning": {"effort": "low"}}


def responses_whole(prompt: str) -> Any:
    return openai_calls.client.responses.create(**_responses(prompt))


def responses_streamed(prompt: str) -> Any:
    with openai_calls.client.responses.stream(**_responses(prompt)) as stream:
        return stream.get_final_response()


def completions(stream: bool, prompt: str) -> Any:
    asked: dict[str, Any] = {"model": "gpt-3.5-turbo-instruct", "prompt": prompt}
    if stream:
        asked |= {"stream": True, "stream_options": {"include_usage": True}}
    answer = openai_calls.client.completions.create(**asked)
    chunks = list(answer) if stream else [answer]
    choices = [choice for chunk in chunks for choice in chunk.choices]
    return {
        "text": "".join(choice.text for choice in choices),
        "finish": choices[-1].finish_reason,
        "usage": chunks[-1].usage,
    }


# -- the others ----------------------------------------------------------------------------------------------


def _messages(prompt: str) -> dict[str, Any]:
    return {
        "model": anthropic_calls.MODEL,
        "max_tokens": THINKING,
        "messages": [{"role": "user", "content": prompt}],
        "tools": anthropic_calls.DECLARED,
        "thinking": {"type": "adaptive"},
    }


def messages_whole(prompt: str) -> Any:
    return anthropic_calls.client.messages.create(**_messages(prompt))


def messages_streamed(prompt: str) -> Any:
    with anthropic_calls.client.messages.stream(**_messages(prompt)) as stream:
        return stream.get_final_message()


def gemini(stream: bool, prompt: str) -> Any:
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=gemini_calls.DECLARED)],
        thinking_config=types.ThinkingConfig(include_thoughts=True),
    )
    models = gemini_calls.client.models
    ask = models.generate_content_stream if stream else models.generate_content
    answer = ask(model=gemini_calls.MODEL, contents=prompt, config=config)
    chunks = list(answer) if stream else [answer]
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
    return {
        "text": "".join(part.text or "" for part in parts if not part.thought),
        "thought": "".join(part.text or "" for part in parts if part.thought),
        "calls": [(p.function_call.name, p.function_call.args) for p in parts if p.function_call],
        "signed": [part.thought_signature is not None for part in parts if part.function_call],
        "finish": str(chunks[-1].candidates[0].finish_reason),
        "usage": chunks[-1].usage_metadata.model_dump(mode="json"),
    }


def _converse(prompt: str) -> dict[str, Any]:
    return {
        "modelId": bedrock_calls.MODEL,
        "messages": [{"role": "user", "content": [{"text": prompt}]}],
        "toolConfig": {"tools": bedrock_calls.SPECS},
        "additionalModelRequestFields": {"thinking": {"type": "adaptive"}},
    }


def converse_whole(prompt: str) -> Any:
    answer = bedrock_calls.client.converse(**_converse(prompt))
    blocks = answer["output"]["message"]["content"]
    tools = [block["toolUse"] for block in blocks if "toolUse" in block]
    return {
        "text": "".join(block.get("text", "") for block in blocks),
        "thought": [b["reasoningContent"]["reasoningText"] for b in blocks if "reasoningContent" in b],
        "calls": [(tool["name"], tool["input"]) for tool in tools],
        "finish": answer["stopReason"],
        "usage": answer["usage"],
    }


def converse_streamed(prompt: str) -> Any:
    """boto3 leaves it to its users to put the pieces together."""
    blocks: dict[int, dict[str, Any]] = {}
    said: dict[str, Any] = {}
    for event in bedrock_calls.client.converse_stream(**_converse(prompt))["stream"]:
        for name, piece in event.items():
            block = blocks.setdefault(
                piece.get("contentBlockIndex", -1), {"text": "", "json": "", "thought": {}}
            )
            if name == "contentBlockStart":
                block["name"] = piece["start"]["toolUse"]["name"]
            elif name == "contentBlockDelta":
                delta = piece["delta"]
                block["text"] += delta.get("text", "")
                block["json"] += delta.get("toolUse", {}).get("input", "")
                for field, text in delta.get("reasoningContent", {}).items():
                    block["thought"][field] = block["thought"].get(field, "") + text
            else:
                said |= piece
    ordered = [blocks[index] for index in sorted(blocks)]
    return {
        "text": "".join(block["text"] for block in ordered),
        "thought": [block["thought"] for block in ordered if block["thought"]],
        "calls": [
            (block["name"], bedrock_calls.json.loads(block["json"])) for block in ordered if "name" in block
        ],
        "finish": said["stopReason"],
        "usage": said["usage"],
    }


def invoke(stream: bool, prompt: str) -> Any:
    own = anthropic_calls.anthropic.AnthropicBedrock(
        aws_access_key=bedrock_calls.ACCESS_KEY,
        aws_secret_key=bedrock_calls.SECRET_KEY,
        aws_region=bedrock_calls.REGION,
        max_retries=0,
    )
    asked = {**_messages(prompt), "model": anthropic_calls.BEDROCK_MODEL}
    with own:
        if not stream:
            return own.messages.create(**asked)
        with own.messages.stream(**asked) as events:
            return events.get_final_message()


def cohere_whole(prompt: str) -> Any:
    messages = [{"role": "user", "content": prompt}]
    answer = cohere_calls.client.chat(
        model=cohere_calls.MODEL, messages=messages, tools=cohere_calls.DECLARED
    )
    message = answer.message
    return {
        "text": "".join(part.text for part in message.content or []),
        "calls": [(call.function.name, call.function.arguments) for call in message.tool_calls or []],
        "finish": answer.finish_reason,
        "usage": answer.usage,
    }


def cohere_streamed(prompt: str) -> Any:
    messages = [{"role": "user", "content": prompt}]
    text, calls, end = "", [], None
    for event in cohere_calls.client.chat_stream(
        model=cohere_calls.MODEL, messages=messages, tools=cohere_calls.DECLARED
    ):
        match event.type:
            case "content-delta":
                text += event.delta.message.content.text
            case "tool-call-start":
                function = event.delta.message.tool_calls.function
                calls.append([function.name, function.arguments])
            case "tool-call-delta":
                calls[-1][1] += event.delta.message.tool_calls.function.arguments
            case "message-end":
                end = event.delta
    return {
        "text": text,
        "calls": [tuple(call) for call in calls],
        "finish": end.finish_reason,
        "usage": end.usage,
    }


def ollama(stream: bool, prompt: str) -> Any:
    tools = openai_calls.CHAT_TOOLS
    answer = ollama_calls.client.chat(
        model=ollama_calls.MODEL, messages=[{"role": "user", "content": prompt}], tools=tools, stream=stream
    )
    lines = list(answer) if stream else [answer]
    calls = [call for line in lines for call in line.message.tool_calls or []]
    return {
        "text": "".join(line.message.content or "" for line in lines),
        "calls": [(call.function.name, dict(call.function.arguments)) for call in calls],
        "finish": lines[-1].done_reason,
        "usage": (lines[-1].prompt_eval_count, lines[-1].eval_count),
    }


FORMS: dict[str, tuple[Ask, Ask]] = {
    "openai-chat": (chat_whole, chat_streamed),
    "openai-responses": (responses_whole, responses_streamed),
    "openai-completions": (partial(completions, False), partial(completions, True)),
    "anthropic-messages": (messages_whole, messages_streamed),
    "gemini": (partial(gemini, False), partial(gemini, True)),
    "bedrock-converse": (converse_whole, converse_streamed),
    "bedrock-invoke": (partial(invoke, False), partial(invoke, True)),
    "cohere-chat": (cohere_whole, cohere_streamed),
    "ollama": (partial(ollama, False), partial(ollama, True)),
}
ORDERS = {"whole-first": (0, 1, 0, 1), "streamed-first": (1, 0, 1, 0)}


def asked(name: str, order: str) -> Iterator[Any]:
    prompt = f"{TOOL_PROMPT}, {order}"
    for form in ORDERS[order]:
        yield told(FORMS[name][form](prompt))


def cases() -> Iterable[tuple[str, Call]]:
    for name in FORMS:
        for order in ORDERS:
            yield f"{name} {order}", partial(asked, name, order)


if __name__ == "__main__":
    report(dict(cases()))
