"""Providers that answer with the text they are given, and clients that read such answers, in every dialect.

Each dialect is written here by its provider's documents, apart from the tables that are tested with it.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tollgate.calls import End, Event

type Said = tuple[str, dict[str, Any]]
"""The text of an answer, and the arguments of the one tool call in it."""


def pieces(text: str, cuts: Iterable[int]) -> list[str]:
    """The text, cut at these positions."""
    return [text[a:b] for a, b in pairwise((0, *sorted(min(cut, len(text)) for cut in cuts), len(text)))]


def sse(payload: Any, name: str = "") -> Event:
    data = json.dumps(payload, ensure_ascii=False).encode()
    return Event(data, name, b"data: " + data + b"\n\n")


@dataclass(frozen=True)
class Echo:
    """How one dialect's provider and client go about it."""

    stream: Callable[[list[str], list[str], dict[str, Any]], list[Event]]
    """Pieces of the text, pieces of the arguments as JSON, and these as an object → events."""
    read: Callable[[list[Event]], Said]
    whole: Callable[[str, dict[str, Any]], Any]
    read_whole: Callable[[Any], Said]

    def events(self, text: list[str], arguments: list[str], tree: dict[str, Any]) -> list[Event]:
        return [*self.stream(text, arguments, tree), End()]


def payloads(events: Iterable[Event]) -> Iterator[Any]:
    return (json.loads(event.data) for event in events if event.data and not event.data.startswith(b"[DONE]"))


# -- OpenAI -----------------------------------------------------------------------------------------------


def chat_chunk(delta: Any, finish: str | None = None, index: int = 0) -> Event:
    choice = {"index": index, "delta": delta, "finish_reason": finish, "logprobs": None}
    return sse({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice], "usage": None})


def chat_call(arguments: str, **more: Any) -> Any:
    return {"tool_calls": [{"index": 0, "function": {"arguments": arguments}} | more]}


def chat_stream(text: list[str], arguments: list[str], tree: dict[str, Any]) -> list[Event]:
    return [
        chat_chunk({"role": "assistant", "content": ""}),
        *(chat_chunk({"content": piece}) for piece in text),
        chat_chunk(chat_call("", id="call_1", type="function")),
        *(chat_chunk(chat_call(piece)) for piece in arguments),
        chat_chunk({}, "tool_calls"),
        sse({"id": "chatcmpl-1", "choices": [], "usage": {"total_tokens": 3}}),
        Event(b"[DONE]", raw=b"data: [DONE]\n\n"),
    ]


def chat_read(events: list[Event]) -> Said:
    deltas = [choice["delta"] for payload in payloads(events) for choice in payload["choices"]]
    calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
    assert [call["id"] for call in calls if "id" in call] == ["call_1"]
    arguments = "".join(call["function"]["arguments"] for call in calls)
    return "".join(delta.get("content", "") for delta in deltas), json.loads(arguments)


def chat_whole(text: str, tree: dict[str, Any]) -> Any:
    call = {"id": "call_1", "type": "function", "function": {"name": "write", "arguments": json.dumps(tree)}}
    message = {"role": "assistant", "content": text, "tool_calls": [call]}
    return {"id": "chatcmpl-1", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}


def chat_read_whole(answer: Any) -> Said:
    message = answer["choices"][0]["message"]
    return message["content"], json.loads(message["tool_calls"][0]["function"]["arguments"])


def completions_stream(text: list[str], arguments: list[str], tree: dict[str, Any]) -> list[Event]:
    choices = [{"index": 0, "text": piece, "finish_reason": None} for piece in text]
    return [
        *(sse({"id": "cmpl-1", "choices": [choice]}) for choice in choices),
        sse({"id": "cmpl-1", "choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}),
        Event(b"[DONE]", raw=b"data: [DONE]\n\n"),
    ]


def completions_read(events: list[Event]) -> Said:
    return "".join(choice["text"] for payload in payloads(events) for choice in payload["choices"]), {}


def responses_items(text: str, tree: dict[str, Any]) -> list[Any]:
    return [
        {
            "type": "message",
            "id": "msg_1",
            "content": [{"type": "output_text", "text": text, "annotations": []}],
        },
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "arguments": json.dumps(tree)},
    ]


def responses_stream(text: list[str], arguments: list[str], tree: dict[str, Any]) -> list[Event]:
    items = responses_items("".join(text), tree)
    items[1]["arguments"] = "".join(arguments)
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    call = {"item_id": "fc_1", "output_index": 1}
    said: list[dict[str, Any]] = [
        {"type": "response.created", "response": {"id": "resp_1", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "content": []}},
        {"type": "response.content_part.added", **at, "part": {"type": "output_text", "text": ""}},
        *({"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []} for piece in text),
        {"type": "response.output_text.done", **at, "text": "".join(text)},
        {"type": "response.content_part.done", **at, "part": items[0]["content"][0]},
        {"type": "response.output_item.done", "output_index": 0, "item": items[0]},
        {"type": "response.output_item.added", "output_index": 1, "item": {**items[1], "arguments": ""}},
        *({"type": "response.function_call_arguments.delta", **call, "delta": piece} for piece in arguments),
        {"type": "response.function_call_arguments.done", **call, "arguments": "".join(arguments)},
        {"type": "response.output_item.done", "output_index": 1, "item": items[1]},
        {"type": "response.completed", "response": {"id": "resp_1", "output": items, "usage": {}}},
    ]
    return [sse({**payload, "sequence_number": n}, payload["type"]) for n, payload in enumerate(said)]


def responses_read(events: list[Event]) -> Said:
    """All the copies have to say the same."""
    said = list(payloads(events))
    assert all(event.name == payload["type"] for event, payload in zip(events, said, strict=False))
    texts, calls = (
        "".join(p["delta"] for p in said if p["type"] == f"response.{kind}.delta")
        for kind in ("output_text", "function_call_arguments")
    )
    items = [p["item"] for p in said if p["type"] == "response.output_item.done"]
    completed = next(p["response"]["output"] for p in said if p["type"] == "response.completed")
    assert items == completed
    assert {texts} == {p["text"] for p in said if "text" in p} | {items[0]["content"][0]["text"]}
    assert {calls} == {p["arguments"] for p in said if "arguments" in p} | {items[1]["arguments"]}
    return texts, json.loads(calls)


def responses_whole(text: str, tree: dict[str, Any]) -> Any:
    return {"id": "resp_1", "object": "response", "output": responses_items(text, tree)}


def responses_read_whole(answer: Any) -> Said:
    return answer["output"][0]["content"][0]["text"], json.loads(answer["output"][1]["arguments"])


# -- Anthropic --------------------------------------------------------------------------------------------


def messages_payloads(text: list[str], arguments: list[str]) -> list[dict[str, Any]]:
    first, *rest = text
    tool = {"type": "tool_use", "id": "toolu_1", "name": "write", "input": {}}

    def delta(index: int, **fields: str) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": index, "delta": fields}

    return [
        {"type": "message_start", "message": {"id": "msg_1", "content": [], "usage": {"input_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": first}},
        {"type": "ping"},
        *(delta(0, type="text_delta", text=piece) for piece in rest),
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": tool},
        *(delta(1, type="input_json_delta", partial_json=piece) for piece in arguments),
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    ]


def messages_stream(text: list[str], arguments: list[str], tree: dict[str, Any]) -> list[Event]:
    return [sse(payload, payload["type"]) for payload in messages_payloads(text, arguments)]


def messages_read(events: list[Event]) -> Said:
    assert all(event.name == p["type"] for event, p in zip(events, payloads(events), strict=False))
    return messages_said(payloads(events))


def messages_said(said: Iterable[Any]) -> Said:
    blocks: dict[int, list[str]] = {}
    closed = set()
    for p in said:
        if p["type"] == "content_block_start":
            blocks[p["index"]] = [p["content_block"].get("text", "")]
        elif p["type"] == "content_block_delta":
            assert p["index"] not in closed
            blocks[p["index"]].append(p["delta"].get("text") or p["delta"].get("partial_json") or "")
        elif p["type"] == "content_block_stop":
            closed.add(p["index"])
    return "".join(blocks[0]), json.loads("".join(blocks[1]))


def messages_whole(text: str, tree: dict[str, Any]) -> Any:
    tool = {"type": "tool_use", "id": "toolu_1", "name": "write", "input": tree}
    return {"id": "msg_1", "type": "message", "content": [{"type": "text", "text": text}, tool]}


def messages_read_whole(answer: Any) -> Said:
    return answer["content"][0]["text"], answer["content"][1]["input"]


def invoke_stream(text: list[str], arguments: list[str], tree: dict[str, Any]) -> list[Event]:
    chunks = [json.dumps(payload).encode() for payload in messages_payloads(text, arguments)]
    return [sse({"bytes": b64encode(chunk).decode(), "p": "abcdef"}, "chunk") for chunk in chunks]


def invoke_read(events: list[Event]) -> Said:
    said = list(payloads(events))
    assert all(
        event.name == "chunk" and p.keys() == {"bytes", "p"} for event, p in zip(events, said, strict=False)
    )
    return messages_said(json.loads(b64decode(p["bytes"])) for p in said)


# -- Google -----------------------------------------------------------------------------------------------


def gemini_answer(*parts: Any, finish: str | None = None) -> Any:
    candidate = {"content": {"role": "model", "parts": list(parts)}} | (
        {"finishReason": finish} if finish else {}
    )
    return {"candidates": [candidate], "modelVersion": "gemini-3", "responseId": "r1"}


def gemini_payloads(text: list[str], tree: dict[str, Any]) -> list[Any]:
    call = {"functionCall": {"name": "write", "args": tree}, "thoughtSignature": "c2ln"}
    return [
        *(gemini_answer({"text": piece}) for piece in text),
        gemini_answer(call),
        gemini_answer({"text": ""}, finish="STOP"),
    ]


def gemini_stream(text: list[str], arguments: list[str], tree: dict[str, Any]) -> list[Event]:
    return [sse(payload) for payload in gemini_payloads(text, tree)]


def gemini_said(said: Iterable[Any]) -> Said:
    parts = [part for p in said for part in p["candidates"][0]["content"]["parts"]]
    arguments = [part["functionCall"]["args"] for part in parts if "functionCall" in part]
    return "".join(part.get("text", "") for part in parts), arguments[0]


def cloudcode_stream(text: list[str], arguments: list[str], tree: dict[str, Any]) -> list[Event]:
    return [sse({"response": payload, "traceId": "t"}) for payload in gemini_payloads(text, tree)]


def interactions_stream(text: list[str], arguments: list[str], tree: dict[str, Any]) -> list[Event]:
    def delta(index: int, **fields: str) -> dict[str, Any]:
        return {"event_type": "step.delta", "index": index, "delta": fields}

    said: list[dict[str, Any]] = [
        {"event_type": "interaction.created", "interaction": {"id": "v1_1", "status": "in_progress"}},
        {"event_type": "step.start", "index": 0, "step": {"type": "model_output"}},
        *(delta(0, type="text", text=piece) for piece in text),
        {"event_type": "step.stop", "index": 0},
        {
            "event_type": "step.start",
            "index": 1,
            "step": {"type": "function_call", "name": "write", "id": "c1"},
        },
        *(delta(1, type="arguments_delta", arguments=piece) for piece in arguments),
        {"event_type": "step.stop", "index": 1},
        {"event_type": "interaction.completed", "interaction": {"id": "v1_1", "status": "completed"}},
    ]
    return [sse(payload, payload["event_type"]) for payload in said] + [Event(b"[DONE]", "done")]


def interactions_read(events: list[Event]) -> Said:
    deltas = [p["delta"] for p in payloads(events) if p["event_type"] == "step.delta"]
    text, arguments = ("".join(d.get(name, "") for d in deltas) for name in ("text", "arguments"))
    return text, json.loads(arguments)


def interactions_whole(text: str, tree: dict[str, Any]) -> Any:
    said = {"type": "model_output", "content": [{"type": "text", "text": text}]}
    return {"id": "v1_1", "steps": [said, {"type": "function_call", "id": "c1", "arguments": tree}]}


def interactions_read_whole(answer: Any) -> Said:
    return answer["steps"][0]["content"][0]["text"], answer["steps"][1]["arguments"]


# -- Amazon, Cohere, Ollama, and others -------------------------------------------------------------------


def converse_stream(text: list[str], arguments: list[str], tree: dict[str, Any]) -> list[Event]:
    def delta(block: int, fields: Any) -> Event:
        return sse({"contentBlockIndex": block, "delta": fields, "p": "abc"}, "contentBlockDelta")

    start = {"toolUse": {"toolUseId": "tooluse_1", "name": "write"}}
    return [
        sse({"role": "assistant", "p": "ab"}, "messageStart"),
        *(delta(0, {"text": piece}) for piece in text),
        sse({"contentBlockIndex": 0, "p": "a"}, "contentBlockStop"),
        sse({"contentBlockIndex": 1, "start": start}, "contentBlockStart"),
        *(delta(1, {"toolUse": {"input": piece}}) for piece in arguments),
        sse({"contentBlockIndex": 1}, "contentBlockStop"),
        sse({"stopReason": "tool_use"}, "messageStop"),
        sse({"usage": {"inputTokens": 1}}, "metadata"),
    ]


def converse_read(events: list[Event]) -> Said:
    named = zip((event.name for event in events), payloads(events), strict=False)
    deltas = [p["delta"] for name, p in named if name == "contentBlockDelta"]
    arguments = "".join(d["toolUse"]["input"] for d in deltas if "toolUse" in d)
    return "".join(d.get("text", "") for d in deltas), json.loads(arguments)


def converse_whole(text: str, tree: dict[str, Any]) -> Any:
    tool = {"toolUse": {"toolUseId": "tooluse_1", "name": "write", "input": tree}}
    return {"output": {"message": {"role": "assistant", "content": [{"text": text}, tool]}}}


def converse_read_whole(answer: Any) -> Said:
    content = answer["output"]["message"]["content"]
    return content[0]["text"], content[1]["toolUse"]["input"]


def cohere_stream(text: list[str], arguments: list[str], tree: dict[str, Any]) -> list[Event]:
    def say(kind: str, **message: Any) -> dict[str, Any]:
        return {"type": kind, "index": 0, "delta": {"message": message}}

    first, *rest = text
    call = {"id": "write_1", "type": "function", "function": {"name": "write", "arguments": ""}}
    said: list[dict[str, Any]] = [
        {"type": "message-start", "id": "1", "delta": {"message": {"role": "assistant"}}},
        say("content-start", content={"type": "text", "text": first}),
        *(say("content-delta", content={"text": piece}) for piece in rest),
        {"type": "content-end", "index": 0},
        say("tool-call-start", tool_calls=call),
        *(say("tool-call-delta", tool_calls={"function": {"arguments": piece}}) for piece in arguments),
        {"type": "tool-call-end", "index": 0},
        {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL", "usage": {}}},
    ]
    return [sse(payload, payload["type"]) for payload in said]


def cohere_read(events: list[Event]) -> Said:
    said = list(payloads(events))
    assert all(event.name == p["type"] for event, p in zip(events, said, strict=False))
    messages = [p["delta"]["message"] for p in said if "message" in p.get("delta", {})]
    text = "".join(message.get("content", {}).get("text", "") for message in messages)
    calls = [
        message["tool_calls"]["function"]["arguments"] for message in messages if "tool_calls" in message
    ]
    return text, json.loads("".join(calls))


def cohere_whole(text: str, tree: dict[str, Any]) -> Any:
    call = {"id": "write_1", "type": "function", "function": {"name": "write", "arguments": json.dumps(tree)}}
    return {"id": "1", "message": {"content": [{"type": "text", "text": text}], "tool_calls": [call]}}


def cohere_read_whole(answer: Any) -> Said:
    message = answer["message"]
    return message["content"][0]["text"], json.loads(message["tool_calls"][0]["function"]["arguments"])


def ollama_line(done: bool = False, **message: Any) -> Any:
    return {"model": "llama3", "message": {"role": "assistant", "content": ""} | message, "done": done}


def ollama_stream(text: list[str], arguments: list[str], tree: dict[str, Any]) -> list[Event]:
    call = {"function": {"name": "write", "arguments": tree}}
    return [
        *(sse(ollama_line(content=piece)) for piece in text),
        sse(ollama_line(tool_calls=[call])),
        sse(ollama_line(done=True)),
    ]


def ollama_read(events: list[Event]) -> Said:
    messages = [p["message"] for p in payloads(events)]
    assert all(message["role"] == "assistant" for message in messages)
    calls = [call for message in messages for call in message.get("tool_calls", ())]
    return "".join(message["content"] for message in messages), calls[0]["function"]["arguments"]


def ollama_whole(text: str, tree: dict[str, Any]) -> Any:
    return ollama_line(True, content=text, tool_calls=[{"function": {"name": "write", "arguments": tree}}])


def ollama_read_whole(answer: Any) -> Said:
    return answer["message"]["content"], answer["message"]["tool_calls"][0]["function"]["arguments"]


def generate_stream(text: list[str], arguments: list[str], tree: dict[str, Any]) -> list[Event]:
    return [*(sse({"response": piece, "done": False}) for piece in text), sse({"response": "", "done": True})]


ECHOES: dict[str, tuple[str, Echo]] = {
    "chat": ("openai-chat", Echo(chat_stream, chat_read, chat_whole, chat_read_whole)),
    "responses": (
        "openai-responses",
        Echo(responses_stream, responses_read, responses_whole, responses_read_whole),
    ),
    "messages": (
        "anthropic-messages",
        Echo(messages_stream, messages_read, messages_whole, messages_read_whole),
    ),
    "invoke": ("bedrock-invoke", Echo(invoke_stream, invoke_read, messages_whole, messages_read_whole)),
    "converse": (
        "bedrock-converse",
        Echo(converse_stream, converse_read, converse_whole, converse_read_whole),
    ),
    "gemini": (
        "gemini",
        Echo(
            gemini_stream,
            lambda events: gemini_said(payloads(events)),
            lambda text, tree: gemini_answer({"text": text}, {"functionCall": {"args": tree}}, finish="STOP"),
            lambda answer: gemini_said([answer]),
        ),
    ),
    "cloudcode": (
        "gemini-cloudcode",
        Echo(
            cloudcode_stream,
            lambda events: gemini_said(p["response"] for p in payloads(events)),
            lambda text, tree: {"response": gemini_answer({"text": text}, {"functionCall": {"args": tree}})},
            lambda answer: gemini_said([answer["response"]]),
        ),
    ),
    "interactions": (
        "gemini-interactions",
        Echo(interactions_stream, interactions_read, interactions_whole, interactions_read_whole),
    ),
    "cohere": ("cohere-chat", Echo(cohere_stream, cohere_read, cohere_whole, cohere_read_whole)),
    "ollama": ("ollama", Echo(ollama_stream, ollama_read, ollama_whole, ollama_read_whole)),
    "chat on an unknown host": ("generic", Echo(chat_stream, chat_read, chat_whole, chat_read_whole)),
    "messages on an unknown host": (
        "generic",
        Echo(messages_stream, messages_read, messages_whole, messages_read_whole),
    ),
}
"""Name → the dialect as recognised, and its echo."""

TEXT_ONLY: dict[str, tuple[str, Echo]] = {
    "completions": (
        "openai-completions",
        Echo(
            completions_stream,
            completions_read,
            lambda text, tree: {"choices": [{"index": 0, "text": text, "finish_reason": "stop"}]},
            lambda answer: (answer["choices"][0]["text"], {}),
        ),
    ),
    "generate": (
        "ollama",
        Echo(
            generate_stream,
            lambda events: ("".join(p["response"] for p in payloads(events)), {}),
            lambda text, tree: {"response": text, "done": True},
            lambda answer: (answer["response"], {}),
        ),
    ),
}
"""Those without tool calls."""
