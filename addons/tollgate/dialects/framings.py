"""The framings there are, and how to tell which one an answer has."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tollgate.dialects.eventstream import EventStreamDecoder, EventStreamEncoder, starts_message
from tollgate.dialects.framing import Framing
from tollgate.dialects.jsonarray import JsonArrayDecoder, JsonArrayEncoder
from tollgate.dialects.ndjson import NdjsonDecoder, NdjsonEncoder
from tollgate.dialects.raw import RawDecoder, RawEncoder
from tollgate.dialects.sse import SseDecoder, SseEncoder

FRAMINGS: Mapping[str, Framing] = {
    framing.name: framing
    for framing in (
        Framing("sse", "text/event-stream", SseDecoder, SseEncoder),
        Framing("ndjson", "application/x-ndjson", NdjsonDecoder, NdjsonEncoder),
        Framing("eventstream", "application/vnd.amazon.eventstream", EventStreamDecoder, EventStreamEncoder),
        Framing("json-array", "application/json", JsonArrayDecoder, JsonArrayEncoder),
        Framing("raw", "application/octet-stream", RawDecoder, RawEncoder),
    )
}

_TYPES = {
    "text/event-stream": "sse",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/x-jsonlines": "ndjson",
    "application/stream+json": "ndjson",
    "application/vnd.amazon.eventstream": "eventstream",
    "application/json": "json",
    "text/json": "json",
    "text/plain": "anything",
    "": "anything",
}
"""What a content type says the body is. Types that are not here are JSON by their name, or "raw"."""

_SSE_LINE = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*(?:data|event|id|retry)?:")
_JSON_STREAMS = {("{", "ndjson"): "ndjson", ("[", "json-array"): "json-array"}
"""JSON that begins so is a stream where that framing is expected; all other JSON is one document."""


def framing_of(content_type: str, first: bytes, expected: str) -> str:
    """The name of the framing that an answer has; empty for one JSON document, to be read whole.

    `first` is how its body begins, 12 bytes at least where it has so many; `expected` is the framing in which
    the dialect streams, empty where no stream was asked for. What is seen outranks the content type, which
    may lie or be missing, save for files and media that were not asked for as a stream.
    """
    said = _said(content_type)
    if said == "raw" and not expected:
        return "raw"
    if (seen := _seen(first)) in FRAMINGS:
        return seen
    if seen and said != "ndjson":
        return "" if (said, seen) == ("json", "{") else _JSON_STREAMS.get((seen, expected), "")
    if said == "anything":
        return "raw" if first else ""
    return "" if said == "json" else said


def _said(content_type: str) -> str:
    media = content_type.partition(";")[0].strip().lower()
    is_json = media.endswith("+json") or media.startswith("application/x-amz-json-")
    return _TYPES.get(media) or ("json" if is_json else "raw")


def _seen(first: bytes) -> str:
    """A framing, the bracket that JSON begins with, or nothing that is known."""
    if starts_message(first):
        return "eventstream"
    if _SSE_LINE.match(first):
        return "sse"
    start = first.lstrip()[:1]
    return start.decode() if start in (b"{", b"[") else ""
