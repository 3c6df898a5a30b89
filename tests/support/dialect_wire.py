"""Calls of every dialect as they go over the wire, for a provider whose model is an echo: `echoes` has what
such a model says, here is how it is asked, and how its events become bytes."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator import eventstream
from support.echoes import ECHOES, TEXT_ONLY, Echo, pieces
from tollgate.calls import Event


@dataclass(frozen=True)
class Framing:
    """How events stand in a body. Written by the formats' documents, apart from the code that is tested."""

    name: str
    content_type: str
    encode: Callable[[Sequence[Event]], bytes]
    decode: Callable[[bytes], list[Event]]


def _sse(events: Sequence[Event]) -> bytes:
    return b"".join(
        (b"event: %b\n" % event.name.encode() if event.name else b"") + b"data: %b\n\n" % (event.data or b"")
        for event in events
    )


def _from_sse(body: bytes) -> list[Event]:
    return [_event(block) for block in body.decode().split("\n\n") if block]


def _event(block: str) -> Event:
    fields = dict(line.split(": ", 1) for line in block.split("\n"))
    return Event(fields["data"].encode(), fields.get("event", ""))


def _lines(events: Sequence[Event]) -> bytes:
    return b"".join((event.data or b"") + b"\n" for event in events)


def _from_lines(body: bytes) -> list[Event]:
    return [Event(line) for line in body.splitlines()]


def _array(events: Sequence[Event]) -> bytes:
    return b"[" + b"\n,\r\n".join(event.data or b"" for event in events) + b"\n]"


def _from_array(body: bytes) -> list[Event]:
    return [Event(json.dumps(item).encode()) for item in json.loads(body)]


def _binary(events: Sequence[Event]) -> bytes:
    return b"".join(eventstream.event(event.name, event.data or b"") for event in events)


def _from_binary(body: bytes) -> list[Event]:
    events = []
    while body:
        length, heads = struct.unpack_from("!II", body)
        events.append(Event(body[12 + heads : length - 4], _event_type(body[12 : 12 + heads])))
        body = body[length:]
    return events


def _event_type(heads: bytes) -> str:
    """The value behind the name ":event-type": a byte for its kind, two for its length."""
    at = heads.index(b":event-type") + len(b":event-type")
    (length,) = struct.unpack_from("!H", heads, at + 1)
    return heads[at + 3 : at + 3 + length].decode()


SSE = Framing("events", "text/event-stream", _sse, _from_sse)
LINES = Framing(
    "lines", "application/x-ndjson", _lines, lambda body: [Event(line) for line in body.splitlines()]
)
ARRAY = Framing("array", "application/json", _array, _from_array)
BINARY = Framing("binary", eventstream.CONTENT_TYPE, _binary, _from_binary)


@dataclass(frozen=True)
class Asked:
    """One way to ask for an answer."""

    echo: Echo
    host: str
    path: str
    body: Callable[[str], Mapping[str, Any]]
    heard: Callable[[Any], str]
    """The text in a body made by `body`."""
    framing: Framing | None = None
    """None where the answer is whole."""

    @property
    def url(self) -> str:
        return f"https://{self.host}{self.path}"

    def answer(self, request: bytes, text_cuts: Iterable[int], json_cuts: Iterable[int]) -> bytes:
        """What the echo answers to a request: its text, and the same in a tool's arguments."""
        text = self.heard(json.loads(request))
        tree = {"path": "/tmp/x", "lines": [text]}
        if self.framing is None:
            return json.dumps(self.echo.whole(text, tree)).encode()
        arguments = json.dumps(tree, ensure_ascii=False)
        return self.framing.encode(
            self.echo.stream(pieces(text, text_cuts), pieces(arguments, json_cuts), tree)
        )

    def read(self, body: bytes) -> tuple[str, list[str] | None]:
        """The text of an answer, and that in the tool's arguments; None where the dialect has no tools."""
        if self.framing is None:
            text, tree = self.echo.read_whole(json.loads(body))
        else:
            text, tree = self.echo.read(self.framing.decode(body))
        return text, tree.get("lines")


def _said(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


def _chat(text: str) -> dict[str, Any]:
    return {"model": "gpt-6", "messages": _said(text)}


def _claude(text: str) -> dict[str, Any]:
    return {"model": "claude-x", "max_tokens": 99, "messages": _said(text)}


def _invoke(text: str) -> dict[str, Any]:
    return {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 99, "messages": _said(text)}


def _google(text: str) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}]}


def _converse(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"text": text}]}]}


def _content(body: Any) -> str:
    return str(body["messages"][0]["content"])


def _streamed(body: Callable[[str], dict[str, Any]]) -> Callable[[str], dict[str, Any]]:
    return lambda text: {**body(text), "stream": True}


_OPENAI, _GOOGLE = "api.openai.com", "generativelanguage.googleapis.com"
_AMAZON = "bedrock-runtime.us-east-1.amazonaws.com"
_CLAUDE_THERE = "/model/us.anthropic.claude-sonnet-5-5-v1:0"
_GEMINI = "/v1beta/models/gemini-3-pro"


def _input(text: str) -> dict[str, Any]:
    return {"model": "gpt-6", "input": text}


def _prompt(text: str) -> dict[str, Any]:
    return {"model": "any", "prompt": text}


def _part(body: Any) -> str:
    return str(body["contents"][0]["parts"][0]["text"])


def _block(body: Any) -> str:
    return str(body["messages"][0]["content"][0]["text"])


_ROWS: tuple[tuple[str, str, str, str, Any, Any, Framing], ...] = (
    # echo, host, path, path of a stream, body, what is heard, framing
    ("chat", _OPENAI, "/v1/chat/completions", "", _chat, _content, SSE),
    ("responses", _OPENAI, "/v1/responses", "", _input, lambda body: body["input"], SSE),
    ("completions", _OPENAI, "/v1/completions", "", _prompt, lambda body: body["prompt"], SSE),
    ("messages", "api.anthropic.com", "/v1/messages", "", _claude, _content, SSE),
    (
        "gemini",
        _GOOGLE,
        f"{_GEMINI}:generateContent",
        f"{_GEMINI}:streamGenerateContent?alt=sse",
        _google,
        _part,
        SSE,
    ),
    ("gemini", _GOOGLE, "", f"{_GEMINI}:streamGenerateContent", _google, _part, ARRAY),
    ("interactions", _GOOGLE, "/v1beta/interactions", "", _input, lambda body: body["input"], SSE),
    (
        "converse",
        _AMAZON,
        f"{_CLAUDE_THERE}/converse",
        f"{_CLAUDE_THERE}/converse-stream",
        _converse,
        _block,
        BINARY,
    ),
    (
        "invoke",
        _AMAZON,
        f"{_CLAUDE_THERE}/invoke",
        f"{_CLAUDE_THERE}/invoke-with-response-stream",
        _invoke,
        _content,
        BINARY,
    ),
    ("cohere", "api.cohere.com", "/v2/chat", "", _chat, _content, SSE),
    ("ollama", "ollama.test", "/api/chat", "", _chat, _content, LINES),
    ("generate", "ollama.test", "/api/generate", "", _prompt, lambda body: body["prompt"], LINES),
    ("chat on an unknown host", _OPENAI, "/v9/next", "", _chat, _content, SSE),
    ("messages on an unknown host", _OPENAI, "/v9/next", "", _claude, _content, SSE),
)


def _asked() -> Iterable[tuple[str, Asked]]:
    for name, host, path, stream_path, body, heard, framing in _ROWS:
        _, echo = (ECHOES | TEXT_ONLY)[name]
        if path:
            yield f"{name}, whole", Asked(echo, host, path, body, heard)
        asks = body if stream_path else _streamed(body)
        yield f"{name}, {framing.name}", Asked(echo, host, stream_path or path, asks, heard, framing)


ASKED: Mapping[str, Asked] = dict(_asked())
"""Every dialect, whole and streamed."""
