"""What each dialect has to know to be translated from and to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from multidict import CIMultiDict

from tollgate.calls import Event, Usage
from tollgate.dialects import Dialect
from tollgate.routing.translation.loss import Losses
from tollgate.routing.translation.neutral import Answer, Delta, Request

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came: what its answer may have to repeat."""

    body: Mapping[str, Any]
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=CIMultiDict[str])
    created: int = 0
    """When the target answered, in seconds since 1970, as it says itself; no clock is asked."""


class Decoder(Protocol):
    """A target's events as pieces of the neutral form, each at once."""

    def feed(self, event: Event) -> Iterable[Delta]: ...

    def close(self) -> Iterable[Delta]:
        """The stream has ended; `Done` among them, or before, where it was complete."""


class Encoder(Protocol):
    """Pieces of the neutral form as events of the client's dialect, each at once."""

    def feed(self, delta: Delta) -> Iterable[Event]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """A dialect's row. A dialect that calls are only translated to has no way to read requests."""

    dialect: Dialect
    family: str
    """Whose signatures it carries; empty for none."""
    tool_names: bool = False
    """Whether it takes any tool name, grouped in namespaces."""
    custom_tools: bool = False
    """Whether it has tools that take free text."""

    address: Callable[[str, bool], tuple[str, str]]
    """Model and whether to stream → path and query."""
    write_request: Callable[[Request, Losses], Json]
    marks: tuple[str, ...]
    """Where an object or a list stands in whole answers: in each at one of these paths."""
    read_answer: Callable[[Any, Answer, Losses], None]
    """Fills in parts and stop; model and usage are read by the dialect's own row."""
    decoder: Callable[[Dialect, str, Losses], Decoder]
    """Made with the dialect's row, an id for streams that name none, and where to note losses."""

    read_request: Callable[[Asked, Request, Losses], None] | None = None
    operations: str = ""
    """A regular expression for the paths of requests that can be read."""
    write_answer: Callable[[Answer, Asked], Json] | None = None
    encoder: Callable[[Asked, bool], Encoder] | None = None
    """Made with the request, and whether the client wants to know the usage."""
    headers: Mapping[str, str] = field(default_factory=dict)


def totals(usage: Usage | None) -> tuple[int, int]:
    """All input and all output, as those count that tell details apart as parts of the whole."""
    used = usage or Usage()
    all_input = used.input + used.cache_read + used.cache_write + used.cache_write_long
    output = used.output + used.reasoning + used.output_audio + used.output_image
    return all_input + used.input_audio + used.input_image, output
