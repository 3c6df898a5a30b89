"""What carries text in a request besides the slots of its body."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from tollgate.calls import Request, Slot
from tollgate.dlp.views.multipart import Part

_OF_THE_CONNECTION = frozenset(
    (
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "host",
        "keep-alive",
        "te",
        "transfer-encoding",
    )
)
"""Headers that say nothing but how and where the request goes."""
LEAST_NUMBER = 10**8
"""Numbers below have fewer digits than any that identifies somebody."""
_HOLD_NUMBERS = frozenset((int, dict, list))


class Surface(NamedTuple):
    """A text of a request. It cannot be rewritten in place."""

    text: str
    key: str
    """The name under which it stands, as context; empty where there is none."""
    place: str
    """Where, for a person: "query parameter q", "header x-note"."""


def surfaces(
    request: Request, secret_headers: Collection[str], secret_parameters: Collection[str]
) -> Iterator[Surface]:
    """Path, query, headers and the numbers of a JSON body. The names of credentials are in lower case."""
    yield from _of_path(request.path)
    yield from _of_query(request.target.partition("?")[2], secret_parameters)
    yield from _of_headers(request, secret_headers)
    yield from _of_numbers(request.body.json, "", ())


def form_surfaces(parts: Collection[Part]) -> Iterator[Surface]:
    """The names of the fields and files of a form."""
    for n, part in enumerate(parts):
        for text, place in ((part.name, "name"), (part.filename, "file name")):
            if text:
                yield Surface(text, "", f"part {n}, {place}")


def _of_path(path: str) -> Iterator[Surface]:
    for n, segment in enumerate(path.split("/")):
        if segment:
            yield Surface(unquote(segment), "", f"path segment {n}")


def _of_query(query: str, secret_parameters: Collection[str]) -> Iterator[Surface]:
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name.lower() in secret_parameters:
            continue
        yield Surface(name, "", "query parameter name")
        if value:
            yield Surface(value, name, f"query parameter {name}")


def _of_headers(request: Request, secret_headers: Collection[str]) -> Iterator[Surface]:
    for name, value in request.headers.items():
        if value and name.lower() not in secret_headers and name.lower() not in _OF_THE_CONNECTION:
            yield Surface(value, name, f"header {name}")


def _of_numbers(value: Any, key: str, path: tuple[str | int, ...]) -> Iterator[Surface]:
    """A card number is one without quotes too. Numbers with a fraction are measurements and embeddings."""
    kind = type(value)
    if kind is int and abs(value) >= LEAST_NUMBER:
        yield Surface(str(value), key, Slot(0, "", "text", path).place or "body")
    elif kind is dict:
        for name, item in value.items():
            if type(item) in _HOLD_NUMBERS:
                yield from _of_numbers(item, name, (*path, name))
    elif kind is list:
        for n, item in enumerate(value):
            if type(item) in _HOLD_NUMBERS:
                yield from _of_numbers(item, key, (*path, n))
