"""A recorded call, and how it is written down: as JSON, for people and repositories. Pure.

JSON is written as JSON, each event on a line of its own, so that what changes shows as what it is.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, Literal, Self

import orjson
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from tollgate.cache.cassettes.asked import Asked
from tollgate.cache.entry import Piece
from tollgate.calls import Usage
from tollgate.dialects import FRAMINGS

VERSION = 1
_INDENTED = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
_LONG_NUMBER = re.compile(rb"[:,\[\s]-?\d[\d.eE+-]{17,}")
"""Numbers that might not be written as they were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A call as it was: asked and answered, with tokens in place of what was redacted."""

    request: Asked
    number: int = 1
    """The how manyth answer to that request it is."""
    recorded: str = ""
    """When, as RFC 3339 has it."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    """That the answer names."""
    usage: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b""
    framing: str = ""
    """Of a streamed answer; empty for a whole one."""
    pieces: tuple[Piece, ...] = ()


class RecordingError(ValueError):
    """A file that holds no recording."""


# -- to a file -----------------------------------------------------------------------------------------------


def to_bytes(recording: Recording) -> bytes:
    r = recording
    answer: dict[str, Any] = {"status": r.status, "headers": r.headers, "model": r.model, "usage": r.usage}
    if r.framing:
        answer |= {"framing": r.framing, "events": [_line(piece) for piece in r.pieces]}
    else:
        answer["body"] = _payload(r.body)
    told = {"version": VERSION, "recorded": r.recorded, "number": r.number, "request": r.request}
    return orjson.dumps({**told, "answer": answer}, option=_INDENTED)


def _line(piece: Piece) -> orjson.Fragment:
    name = {"name": piece.name} if piece.name else {}
    return orjson.Fragment(orjson.dumps({"after": piece.after, **name, **_payload(piece.data)}))


def _payload(data: bytes) -> dict[str, Any]:
    """{"json": …}, {"text": …} or {"base64": …}: the first one that gives the same again."""
    if data[:1] in (b"{", b"[") and not _LONG_NUMBER.search(data):
        try:
            return {"json": orjson.loads(data)}
        except orjson.JSONDecodeError:
            pass
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


# -- and back ------------------------------------------------------------------------------------------------


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class _Payload(_Part):
    tree: Any = Field(default=None, alias="json")
    text: str | None = None
    base64: str | None = None

    @model_validator(mode="after")
    def _read(self) -> Self:
        if len(self.model_fields_set & _READ.keys()) != 1:
            raise ValueError("here has to be one of json, text and base64")
        _ = self.data  # its ValueError is told with the place, which is known here
        return self

    @property
    def data(self) -> bytes:
        """ValueError where what stands there is not what it says."""
        name = next((name for name in _READ if name in self.model_fields_set), "")
        try:
            return _READ[name](getattr(self, name)) if name else b""
        except TypeError as e:  # of orjson
            raise ValueError(f"{e}; write it as text") from e


_READ: Mapping[str, Callable[[Any], bytes]] = {
    "tree": orjson.dumps,
    "text": str.encode,
    "base64": partial(base64.b64decode, validate=True),
}


_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*")
"""https://www.rfc-editor.org/rfc/rfc9110#section-5.5"""
_USAGE = TypeAdapter(Usage)
_USED = frozenset(field.name for field in fields(Usage))


class _Event(_Payload):
    after: int = Field(ge=0)
    name: str = ""


class _Answer(_Part):
    status: int = Field(ge=100, le=599)
    headers: dict[str, str]
    model: str = ""
    usage: dict[str, Any] = {}
    body: _Payload | None = None
    framing: str = ""
    events: list[_Event] = []

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: dict[str, str]) -> dict[str, str]:
        if wrong := next((n for n, value in headers.items() if not _HEADER.fullmatch(f"{n}:{value}")), None):
            raise ValueError(f"{wrong!r} has a name or a value that no header can have")
        return headers

    @field_validator("framing")
    @classmethod
    def _known(cls, framing: str) -> str:
        if framing and framing not in FRAMINGS:
            raise ValueError(f"{framing!r} is none of {', '.join(FRAMINGS)}")
        return framing

    @field_validator("usage")
    @classmethod
    def _used(cls, usage: dict[str, Any]) -> dict[str, Any]:
        if unknown := usage.keys() - _USED:
            raise ValueError(f"{min(unknown)!r} is none of {', '.join(sorted(_USED))}")
        return _USAGE.validate_python(usage).as_dict()

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        if self.framing and self.body is not None:
            raise ValueError("a stream, which has a framing, has events and no body")
        if not self.framing and (self.events or self.body is None):
            raise ValueError("an answer without a framing is whole: it has a body and no events")
        return self


class _File(_Part):
    version: Literal[1]
    recorded: str = ""
    number: int = Field(default=1, ge=1)
    request: dict[str, Any]
    answer: _Answer


def from_bytes(data: bytes) -> Recording:
    """RecordingError, which says what is wrong and where, for what is none."""
    try:
        file = _File.model_validate_json(data)
        return _read(file, file.answer)
    except ValidationError as e:
        wrong = e.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, wrong["loc"]))
        raise RecordingError(f"{place or 'the file'}: {wrong['msg'].removeprefix('Value error, ')}") from None


def _read(file: _File, answer: _Answer) -> Recording:
    return Recording(
        request=file.request,
        number=file.number,
        recorded=file.recorded,
        status=answer.status,
        headers=answer.headers,
        model=answer.model,
        usage=answer.usage,
        body=answer.body.data if answer.body else b"",
        framing=answer.framing,
        pieces=tuple(Piece(event.after, event.name, event.data) for event in answer.events),
    )
