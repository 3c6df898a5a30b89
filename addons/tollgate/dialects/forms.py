"""Requests that are forms (RFC 7578), as uploads of audio and pictures are: the model that they name."""

from __future__ import annotations

import re
from collections.abc import Iterator

_FORM = re.compile(r'multipart/form-data\s*;(?:.*;)?\s*boundary="?([^";,\s]{1,70})"?', re.IGNORECASE)
_MODEL = re.compile(
    rb"[ \t]*\r?\n(?:[^\r\n]+\r?\n)*?"
    rb'content-disposition:[^\r\n]*;[ \t]*name="?model"?[ \t]*(?:;[^\r\n]*)?\r?\n'
    rb"(?:[^\r\n]+\r?\n)*\r?\n([^\r\n]{1,256})\r?\n",
    re.IGNORECASE,
)
"""A part from behind its boundary: its headers, and a value of one line."""
_HEAD = 2048
"""Bytes of a part that are looked at."""


def model_of_form(content: bytes, content_type: str) -> str:
    """The model that a form names; empty for none, for more than one, and for what is no form."""
    form = _FORM.match(content_type.strip())
    if form is None:
        return ""
    found = list(_models(content, b"--" + form[1].encode("ascii", "replace")))
    return found[0] if len(found) == 1 else ""


def _models(content: bytes, delimiter: bytes) -> Iterator[str]:
    """A search for the boundary and a look behind each: audio is long, and is not read."""
    at = content.find(delimiter)
    while at >= 0:
        at += len(delimiter)
        if found := _MODEL.match(content, at, at + _HEAD):
            yield found[1].decode("utf-8", "replace").strip()
        at = content.find(delimiter, at)
