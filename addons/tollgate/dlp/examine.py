"""Looks into texts in every way there is, and remembers what it saw: agents send their history again."""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import batched
from operator import attrgetter

from tollgate.calls import Kind
from tollgate.dlp.history import History
from tollgate.dlp.sight import Found, Memory, Sight
from tollgate.dlp.span import Detector, Span, in_order
from tollgate.dlp.views import Budget, View, attachment_views, views
from tollgate.policy.dlp import Views

REMEMBERED = 50_000
"""Texts and findings that are kept: some 200 bytes for a text, 600 for a finding."""
TOGETHER = "together"
"""What begins the names of texts that are remembered as one, where others have the kind of a slot."""
JOINED = "joined"
"""In the name of a view that puts lines or string literals together."""
_START = attrgetter("start")
_AT_ONCE = 16
"""Views that are made before they are looked at: to change between the two takes time, too."""
_MOSTLY_BINARY = 4096
"""Characters without a space from which on a blob is base64, and not text to be read as it stands."""


class Examiner:
    """Finds what a policy looks for, in a text and in its views. Safe to use from several threads."""

    def __init__(
        self,
        detector: Detector,
        limits: Views,
        digest: Callable[[bytes], str],
        remembered: int = REMEMBERED,
    ) -> None:
        """`digest` has to be keyed: the memory must not be an oracle for what texts were seen."""
        self._detector = detector
        self._limits = limits
        self._digest = digest
        self._memory = Memory(remembered)
        self.history = History()
        """What is known of whole bodies."""

    def budget(self, unseen: int = sys.maxsize) -> Budget:
        """How much one request may decode to, and how many characters of it that are not remembered may be
        looked at: TooMuch beyond that."""
        return Budget(self._limits.max_decoded, unseen)

    def text(self, text: str, kind: Kind, key: str, budget: Budget) -> tuple[Found, ...]:
        """What is found in a text that stands under a JSON key. ViewError where it cannot be looked into."""
        return self.sight(text, kind, key, budget).found

    def sight(self, text: str, kind: Kind, key: str, budget: Budget) -> Sight:
        """The same, with what became of it."""
        return self._remembered_of(
            f"{kind}\0{key}\0{text}",
            lambda: without_doubtful(dict.fromkeys(self._look(text, kind, key, budget))),
        )

    def any_in(self, texts: Sequence[tuple[str, str]], budget: Budget) -> bool:
        """Whether something is found in one of these texts, each with the key it stands under. They are
        remembered as one."""
        name = "".join([f"{len(text)} {len(key)} {text}{key}" for text, key in texts])
        sight = self._remembered_of(
            f"{TOGETHER}\0\0{name}",
            lambda: tuple(found for text, key in texts for found in self.text(text, "text", key, budget)),
        )
        return bool(sight.found)

    def attachment(self, data: bytes, budget: Budget) -> list[Found]:
        """What is found in a file. Nothing of it can be rewritten in place."""
        return [
            Found(span, False, view.name)
            for view in attachment_views(data, self._limits, budget)
            for span in self._detector.scan(view.text)
        ]

    def joined(self, text: str, budget: Budget) -> list[Span]:
        """What is found in a text that only comes about where several are read together."""
        sight = self._remembered_of(f"{JOINED}\0\0{text}", lambda: tuple(self._look_at_joined(text, budget)))
        return [each.span for each in sight.found]

    def _look_at_joined(self, text: str, budget: Budget) -> Iterator[Found]:
        budget.look(len(text))
        return (Found(span, False, JOINED) for span in self._detector.scan(text))

    def _look(self, text: str, kind: Kind, key: str, budget: Budget) -> Iterator[Found]:
        budget.look(len(text))
        if kind != "blob" or len(text) < _MOSTLY_BINARY or " " in text[:_MOSTLY_BINARY]:
            yield from (Found(span, True, "") for span in self._detector.scan(text, key))
        for some in batched(views(text, kind, self._limits, budget), _AT_ONCE, strict=False):
            for view in some:
                yield from (_placed(view, span) for span in self._detector.scan(view.text, key))

    def _remembered_of(self, text: str, look: Callable[[], tuple[Found, ...]]) -> Sight:
        """What is known of a text that begins with what sort it is: what is remembered, or else seen now."""
        name = self._digest(text.encode("utf-8", "surrogatepass"))
        if (known := self._memory.recall(name)) is None:
            known = Sight(look())
            self._memory.keep(name, known)
        return known


def without_doubtful(found: Iterable[Found]) -> tuple[Found, ...]:
    """The findings, less those in lines put together that reach over a sure one: they may reach too far."""
    everything = tuple(found)
    if not any(JOINED in f.view for f in everything):
        return everything
    sure = _Sure(f.span for f in everything if f.direct and JOINED not in f.view)
    return tuple(f for f in everything if JOINED not in f.view or not sure.doubt(f.span))


class _Sure:
    """Findings that are sure, and what they say of others."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._spans = in_order(spans)
        self._longest = max((span.end - span.start for span in self._spans), default=0)

    def doubt(self, joined: Span) -> bool:
        """Whether one of them speaks against a finding."""
        first = bisect_left(self._spans, joined.start - self._longest, key=_START)
        last = bisect_left(self._spans, joined.end, key=_START)
        return any(_doubts(sure, joined) for sure in self._spans[first:last])


def _doubts(sure: Span, joined: Span) -> bool:
    """True where a finding speaks against one that overlaps it: it is no mere piece of it, or is surer."""
    if joined.end <= sure.start or sure.end <= joined.start:
        return False
    piece = joined.start <= sure.start and sure.end <= joined.end and sure.score < joined.score
    return not piece


def _placed(view: View, span: Span) -> Found:
    """A finding in a view, where it stands in the text itself."""
    place = view.span(span.start, span.end)
    start, end = place or view.enclosing
    return Found(span._replace(start=start, end=end), place is not None, view.name)
