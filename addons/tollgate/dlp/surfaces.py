"""What carries text in a request besides the slots of its body."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote, unquote_plus, unquote_to_bytes

from multidict import CIMultiDict

from tollgate.calls import MODEL_PLACE, Request, path_segment
from tollgate.calls.contents import Number, place_of
from tollgate.calls.signature import signature_broken, signed_headers
from tollgate.dlp.redact import replaced
from tollgate.dlp.views.multipart import Part
from tollgate.dlp.views.view import Piece

_OF_THE_CONNECTION = frozenset(
    (
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "host",
        "keep-alive",
        "te",
        "transfer-encoding",
    )
)
"""Headers that say nothing but how and where the request goes."""
_AS_THEY_STAND = frozenset(("accept", "content-type", "date"))
"""Headers that would mean something else with another text in them."""
_NO_TEXT = re.compile(r"boundary=[^;]*|^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$", re.IGNORECASE)
"""What these hold by right: a boundary, made by chance and with many digits, and a date."""
_FIELD = re.compile(r"([^&=]*)=?([^&]*)&?")
_UNIT = re.compile(r"(?:%[0-9A-Fa-f]{2})+|.", re.DOTALL)
"""What is decoded at once."""


class Header(NamedTuple):
    """The value of a header stands there."""

    number: int
    """The how manyth header it is, from 0."""
    name: str


class Query(NamedTuple):
    """The value of a query parameter, or of a form's field, stands there, percent-encoded."""

    starts: Sequence[int]
    """Where in the target, or the form, each of its characters begins, and where the last one ends."""


type Spot = Header | Query | Part
"""Where a text can be rewritten; in a part of a form, that is its file name."""


class Surface(NamedTuple):
    """A text of a request."""

    text: str
    key: str
    """The name under which it stands, as context; empty where there is none."""
    place: str
    """Where, for a person: "query parameter q", "header x-note"."""
    spot: Spot | None = None
    """None where it cannot be rewritten: a name, a path or a number would be another one."""


def surfaces(
    request: Request,
    model: str,
    numbers: Iterable[Number],
    secret_headers: Collection[str],
    secret_parameters: Collection[str],
) -> Iterator[Surface]:
    """Path, query and headers of a request, and the model and the numbers of its JSON body. The names of
    credentials are in lower case."""
    if model:
        yield Surface(model, "", MODEL_PLACE)
    yield from _of_path(request.path)
    yield from _of_query(request.target, secret_parameters)
    yield from _of_headers(request, secret_headers)
    yield from _of_numbers(numbers)


def field_surfaces(form: str) -> Iterator[Surface]:
    """The values of an encoded form's fields."""
    for field in _FIELD.finditer(form):
        if value := field[2]:
            yield _of_field(value, field.start(2), unquote_plus(field[1]), "form field")


def form_surfaces(parts: Collection[Part]) -> Iterator[Surface]:
    """The names of the fields and files of a form, and whatever else their headers say."""
    for n, part in enumerate(parts):
        yield Surface(part.head, "", f"part {n}, headers")
        if part.name:
            yield Surface(part.name, "", f"part {n}, name")
        if part.filename:
            spot = part if part.filename_at else None
            yield Surface(part.filename, "", f"part {n}, file name", spot)


def _of_path(path: str) -> Iterator[Surface]:
    for n, segment in enumerate(path.split("/")):
        if segment:
            yield Surface(unquote(segment), "", path_segment(n))


def _of_query(target: str, secret_parameters: Collection[str]) -> Iterator[Surface]:
    for field in _FIELD.finditer(target, target.find("?") + 1) if "?" in target else ():
        name = unquote_plus(field[1])
        if name.lower() in secret_parameters:
            continue
        if name:
            yield Surface(name, "", "query parameter name")
        if value := field[2]:
            yield _of_field(value, field.start(2), name, "query parameter")


def _of_field(value: str, at: int, name: str, what: str) -> Surface:
    starts = _starts(value, at)
    return Surface(
        unquote_plus(value), name, f"{what} {place_of((name,))}", Query(starts) if starts else None
    )


def _starts(encoded: str, at: int) -> list[int]:
    """Where each decoded character begins, and where the last one ends; nothing for what is no UTF-8."""
    starts: list[int] = []
    for unit in _UNIT.findall(encoded):
        try:
            widths = [3 * len(char.encode()) for char in unquote_to_bytes(unit).decode()] if unit[1:] else [1]
        except UnicodeDecodeError:
            return []
        for width in widths:
            starts.append(at)
            at += width
    return [*starts, at]


def _of_headers(request: Request, secret_headers: Collection[str]) -> Iterator[Surface]:
    for n, (name, value) in enumerate(request.headers.items()):
        low, place = _named(name)
        if low in _AS_THEY_STAND:
            yield Surface(_NO_TEXT.sub("", value), name, place)
        elif value and low not in secret_headers and low not in _OF_THE_CONNECTION:
            yield Surface(value, name, place, Header(n, low))
    if request.headers:
        yield Surface(" ".join(request.headers), "", "the names of the headers")


@lru_cache(maxsize=1024)
def _named(name: str) -> tuple[str, str]:
    """A header's name in lower case, and its place for a person. Few clients make up new ones."""
    return name.lower(), f"header {place_of((name,))}"


def _of_numbers(numbers: Iterable[Number]) -> Iterator[Surface]:
    for number in numbers:
        key = next((step for step in reversed(number.path) if isinstance(step, str)), "")
        yield Surface(str(number.value), key, number.place or "body")


# -- rewritten in place --------------------------------------------------------------------------------------


def rewrite(request: Request, headers: Mapping[Header, Sequence[Piece]], queries: Iterable[Piece]) -> None:
    """Put other texts into headers and, as `in_target` gives them, into the query. Refused where the client
    signed what would change."""
    target = sorted(queries)
    signed = signed_headers(request)
    if signed and (target or any(header.name in signed for header in headers)):
        raise signature_broken(request.host)
    request.target = replaced(request.target, target)
    if headers:
        by_number = {header.number: pieces for header, pieces in headers.items()}
        request.headers = CIMultiDict(
            (name, replaced(value, by_number.get(n, ())))
            for n, (name, value) in enumerate(request.headers.items())
        )


def in_target(query: Query, pieces: Iterable[Piece]) -> Iterator[Piece]:
    """What changes in a decoded value, as it changes in the target."""
    for start, end, text in pieces:
        yield Piece(query.starts[start], query.starts[end], quote(text, safe=""))
