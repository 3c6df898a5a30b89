"""What a test asks of the simulated provider: how it answers, and how it fails."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace

HEADER = "x-simulate"
"""The request header that holds a behaviour as a JSON object."""
INVALID = "\ue000"
"""Stands in the text where the answer's bytes shall not be UTF-8."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one request is answered. The defaults are those of a provider that works."""

    text: str = ""
    """The answer's text; empty for an echo of what was asked."""
    events: int = 0
    """In how many pieces the text is streamed; 0 for one a word (for one each 64 K where `size` is set)."""
    size: int = 0
    """The text is repeated until it has at least that many characters."""
    gap: float = 0.0
    """Seconds between two events."""
    split: int = 0
    """Every event is written that many bytes at a time; 0 for at once."""
    hold: str = ""
    """After the first event, wait until this name is released through the control port."""
    hang: str = ""
    """Before the head of the answer, wait until this name is released."""
    refuse: bool = False
    """Close the connection in place of an answer."""
    cut: int = -1
    """Close the connection after that many events; -1 for never."""
    status: int = 0
    """Answer with the provider's own error of that status."""
    retry_after: str = ""
    """The retry-after header of such an error."""
    error_after: int = -1
    """After that many events, go on with the dialect's own error event and end; -1 for never."""
    garbage: str = ""
    """"head": bytes that are not HTTP. "body": bytes that are in no framing, in place of the body."""
    content_type: str = ""
    """The content type that the answer claims; "none" for no such header."""
    encoding: str = ""
    """The content-encoding of the answer: gzip, deflate, br or zstd."""
    call: str = ""
    """A tool call in place of those that the text asks for, as JSON: {"tool": its name, "when": a regular
    expression, "arguments": …}. It is made where what was said since the last echo matches; "$1" stands for
    the first group. Or a list of them, the steps of a task, of which the first is made that matches."""
    forbidden: str = ""
    """Values, one a line: a request that holds one is answered with an error."""
    invalid_utf8: bool = False
    """Each piece of text begins with bytes that are not UTF-8."""

    @classmethod
    def parse(cls, text: str, base: Behaviour | None = None) -> Behaviour:
        """`base` with what a JSON object says. ValueError for an unknown name or a value of a wrong type."""
        given = json.loads(text)
        types = {f.name: type(f.default) for f in fields(cls)}
        for name, value in given.items():
            if name not in types:
                raise ValueError(f"{name!r} is no behaviour; there are {', '.join(types)}")
            if type(value) is not types[name] and not (types[name] is float and type(value) is int):
                raise ValueError(f"{name!r} is of type {types[name].__name__}, but got {value!r}")
        return replace(base or cls(), **given)
