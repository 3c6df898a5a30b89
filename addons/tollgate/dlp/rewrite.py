"""Writes an answer's JSON anew where its text has changed."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import orjson

from tollgate.calls import Event
from tollgate.calls.body import count_strings
from tollgate.calls.literals import count_literals, splice

_BYTES = re.compile(rb'"bytes":\s*"([^"]*)"').search
_LOGPROBS = frozenset(("logprobs", "logprobsResult"))


def rewrite(data: bytes, document: Any, edits: Mapping[int, str]) -> bytes:
    """The JSON with other texts for some of its strings, by ordinal: the very bytes where there are none.

    Log probabilities are dropped: they are told piece by piece, of a text that is no longer the same.
    """
    if not edits:
        return data
    if count_strings(document) != count_literals(data):  # a key stands there twice: the last one counts
        data = orjson.dumps(document)
    data = splice(data, edits)
    return orjson.dumps(without_logprobs(orjson.loads(data))) if b'"logprobs' in data else data


def without_logprobs(node: Any) -> Any:
    """The same tree with empty lists and null for log probabilities."""
    if isinstance(node, list):
        return [without_logprobs(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: ([] if isinstance(value, list) else None) if key in _LOGPROBS else without_logprobs(value)
        for key, value in node.items()
    }


def unwrap(event: Event) -> bytes | None:
    """The model's own event within one of Bedrock's `chunk` events; the payload itself in any other."""
    found = _BYTES(event.data) if event.data is not None else None
    try:
        return b64decode(found[1]) if found else event.data
    except ValueError:
        return event.data


def wrap(event: Event, data: bytes) -> bytes:
    """The payload of a `chunk` event with another event of the model in it; `data` itself for any other."""
    outer = event.data or b""
    if not (found := _BYTES(outer)):
        return data
    return b"%b%b%b" % (outer[: found.start(1)], b64encode(data), outer[found.end(1) :])
