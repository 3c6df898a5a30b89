"""The text of a streamed answer, kept while it passes: what can be counted where the provider never says.

One search on an event's bytes, no parsing: all that is known of a dialect is under which keys its pieces of
text stand, and that an event with a name is a piece only if that says so.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error

from tollgate.calls import Event

_TEXTS = re.compile(
    rb'"(?:content|text|delta|arguments|input|partial_json|thinking|reasoning|reasoning_content|refusal|response'
    rb'|args)":\s*"((?:[^"\\]|\\.)+)"'
)
_WRAPPED = re.compile(rb'"bytes":\s*"([^"]+)"')  # Bedrock's InvokeModel
_PIECES = ("delta", "chunk", "Delta")
_BACKSLASHED = re.compile(rb"\\(?:u[0-9a-fA-F]{4}|.)")
MOST = 4 * 1024 * 1024
"""Bytes that are kept of one answer; no model writes as much in one."""


class Seen:
    """What has been seen of one streamed answer."""

    __slots__ = ("_pieces", "size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0
        """Bytes of text so far."""

    def add(self, event: Event) -> None:
        """A streamed piece of the answer passes."""
        data = event.data
        if data is None or self.size > MOST or (event.name and not _is_piece(event.name)):
            return
        if event.name == "chunk":
            data = _unwrapped(data)
        for text in _TEXTS.findall(data):
            self._pieces.append(text)
            self.size += len(text)

    @property
    def text(self) -> str:
        """All of the text so far; an escaped character stands as some other one."""
        return _BACKSLASHED.sub(b"~", b"".join(self._pieces)).decode(errors="replace")


def _is_piece(name: str) -> bool:
    return any(word in name for word in _PIECES)


def _unwrapped(data: bytes) -> bytes:
    found = _WRAPPED.search(data)
    try:
        return b64decode(found[1]) if found else b""
    except Error:
        return b""
