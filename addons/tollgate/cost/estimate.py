"""What a call will use, before the provider says, and what it used where the provider never said."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from tollgate.calls import Call, Event, Usage
from tollgate.cost.asked import GENERATES, Asked, asked
from tollgate.cost.counter import Counter
from tollgate.cost.models import Tokens, tokens_of
from tollgate.cost.rates import INPUTS
from tollgate.cost.seen import Seen
from tollgate.policy.cost import CountingSettings

OFF_LOOP = 16 * 1024
"""Bodies from this many bytes on are counted in a thread: it takes 50 µs for each KB."""
NOTE = "cost.estimate"
"""Where a call carries what was counted, from its way down to its way up."""

_LEAST, _MOST = 0.7, 3.0
"""How far what was learned may be from what was counted: beyond, something else was in the prompt."""
_WEIGHT = 0.2
"""What one call counts for, against all before it."""
_WORTH_LEARNING = 200
"""Tokens from which on a call says anything: below, the overhead is most of it."""
_MODELS = 1024
"""How many models' factors are kept. Clients choose the names."""
_LONGEST = 256
_NO_TEXT = frozenset({"audio", "batches", "images", "ocr", "video"})
"""Operations of which most is neither in the request's texts nor in the answer's."""


@dataclass(slots=True)
class Counted:
    """What was counted of one call."""

    tokens: int | None = None
    """Of the request's texts, in our encoding; None where it was not counted."""
    plain: bool = True
    """True where the request is text, and all there is: only then can something be learned."""
    usage: Usage | None = None
    """What `before` said."""
    seen: Seen | None = None


class Estimator:
    """Counts what calls use, and learns from what providers say. ValueError for a folder without ranks."""

    def __init__(self, settings: CountingSettings) -> None:
        self.settings = settings
        self._counter = Counter(settings.ranks)
        self._factors: dict[tuple[str, str], float] = {}

    async def before(self, call: Call) -> Usage:
        """What the call will use: its input as counted, and the most output it allows. Nothing for a request
        that no model reads."""
        body = call.request.body
        if not body.parsed:
            return Usage(estimated=True)
        if len(body.content) < OFF_LOOP and self._counter.ready(tokens_of(call.model).encoding):
            return self._before(call)
        return await asyncio.to_thread(self._before, call)

    def see(self, call: Call, event: Event) -> None:
        """A streamed piece of the answer passes: it is counted if the provider never says."""
        counted = _note(call)
        if counted.seen is None:
            counted.seen = Seen()
        counted.seen.add(event)

    async def cut_off(self, call: Call) -> Usage | None:
        """What a streamed answer used of which the provider has not said all: its input as it said, or as
        counted, and the output that was seen. What it said, or None, for an answer of which nothing can be
        seen here."""
        return self.so_far(call) if self.quick(call) else await asyncio.to_thread(self.so_far, call)

    def quick(self, call: Call) -> bool:
        """Whether `so_far` may be asked on the event loop."""
        counted = _note(call)
        known = counted.usage is not None or call.usage is not None
        size = (counted.seen.size if counted.seen else 0) + (0 if known else len(call.request.body.content))
        return size < OFF_LOOP and self._counter.ready(tokens_of(call.model).encoding)

    def so_far(self, call: Call) -> Usage | None:
        """What `cut_off` says. It takes 50 µs for each KB that was not counted yet."""
        counted, said = _note(call), call.usage
        if counted.seen is None and not call.stream:
            return said
        output = self._tokens(counted.seen.text, call) if counted.seen else 0
        if said is None and _untellable(call, output):
            return None
        if said is None:
            base = counted.usage or (self._before(call) if call.request.body.parsed else Usage())
            return replace(base, output=output, estimated=True)
        others = said.reasoning + said.output_audio + said.output_image
        return replace(said, output=max(said.output, output - others), estimated=True)

    def observe(self, call: Call, usage: Usage) -> None:
        """Learn from what the provider says of a call that was counted before."""
        counted: Counted | None = call.notes.get(NOTE)
        if counted is None or not counted.tokens or not counted.plain or usage.estimated:
            return
        said = sum(getattr(usage, name) for name in INPUTS)
        if min(said, counted.tokens) < _WORTH_LEARNING or len(call.model) > _LONGEST:
            return
        key = call.provider, call.model
        now = min(_MOST, max(_LEAST, said / counted.tokens))
        before = self._factors.get(key)
        if before is None and len(self._factors) >= _MODELS:
            del self._factors[next(iter(self._factors))]
        self._factors[key] = now if before is None else before + _WEIGHT * (now - before)

    def _before(self, call: Call) -> Usage:
        request, row, counted = asked(call), tokens_of(call.model), _note(call)
        counted.tokens = self._counter.count(request.text, row.encoding)
        counted.plain = request.complete and not request.media
        learned = self._factors.get((call.provider, call.model))
        tokens = counted.tokens * (learned or row.factor) + (0 if learned else _overhead(request, row))
        output = self.settings.output if request.output is None else request.output
        counted.usage = Usage(
            input=round(tokens) + request.media,
            output=output,
            tier=request.tier,
            speed=request.speed,
            estimated=True,
        )
        return counted.usage

    def _tokens(self, text: str, call: Call) -> int:
        row = tokens_of(call.model)
        factor = self._factors.get((call.provider, call.model), row.factor)
        return round(self._counter.count(text, row.encoding) * factor)


def _untellable(call: Call, output: int) -> bool:
    """True where what was seen says little of what was used: the answer is no text, or is written later."""
    return call.operation in _NO_TEXT or (not call.stream and not output and call.operation in GENERATES)


def _note(call: Call) -> Counted:
    counted: Counted = call.notes.setdefault(NOTE, Counted())
    return counted


def _overhead(request: Asked, row: Tokens) -> int:
    """Tokens that stand around the texts. What was learned has them in it already."""
    tools = row.tools_once + row.tool * request.tools if request.tools else 0
    return row.once + row.message * request.messages + tools
