"""What becomes of what was found in one text: what stands in its place, or that it must not leave. Pure."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tollgate.calls import Finding
from tollgate.dlp.engine import resolve
from tollgate.dlp.examine import Examiner
from tollgate.dlp.history import Settled, Track
from tollgate.dlp.redact import Change, replaced, replacements
from tollgate.dlp.sight import Found, Outcome, Sight
from tollgate.dlp.span import Span
from tollgate.dlp.tokens import Book
from tollgate.dlp.views.base64text import Base64Text
from tollgate.dlp.views.view import Piece
from tollgate.policy.dlp import Action, Dlp

BY_DEFAULT: Mapping[str, Action] = {"SECRET": "replace", "PERSONAL": "replace"}
STRENGTH: Mapping[Action, int] = {"ignore": 0, "report": 1, "block": 3}
"""Of overlapping findings the strongest action holds; those that change the text stand between."""


def action_for(
    span: Span, actions: Mapping[str, Action], by_default: Mapping[str, Action] = BY_DEFAULT
) -> Action:
    """The most specific action: for the rule, the entity, or the group."""
    group = "SECRET" if span.entity == "SECRET" else "PERSONAL"
    named = (actions.get(name) for name in (span.rule, span.entity, group) if name)
    return next((action for action in named if action), by_default[group])


class Where(NamedTuple):
    """Where a text stands."""

    place: str
    """For a person."""
    key: str = ""
    """The name under which it stands, as context."""
    is_json: bool = False


class Settling:
    """Settles the texts of one call."""

    def __init__(
        self, policy: Dlp, examiner: Examiner, book: Book, change: Change, unseen: int = sys.maxsize
    ) -> None:
        """TooMuch from its methods where more than `unseen` characters are not remembered."""
        self._policy = policy
        self._examiner = examiner
        self._book = book
        self._change = change
        self.budget = examiner.budget(unseen)
        """How much the call may still decode to, and have looked at."""
        self._known: list[Finding] = []
        """What was found in slots that are not looked at again."""
        self.seen: Counter[tuple[str, str, Action]] = Counter()
        """(entity, place, action) of everything found."""
        self.stuck: tuple[str, str] | None = None
        """(entity, place) of the first finding that is to be blocked."""

    @property
    def steady(self) -> bool:
        """True where the same comes of a text in every call."""
        return self._book.steady

    def forget(self) -> None:
        """Begin anew."""
        self.seen.clear()
        self._known.clear()
        self.stuck = None

    @property
    def findings(self) -> list[Finding]:
        new = [Finding(entity, place, action, count) for (entity, place, action), count in self.seen.items()]
        return self._known + new

    def text(self, text: str, where: Where) -> str:
        """A text that is no slot, without what has to go."""
        found = self._examiner.text(text, "text", where.key, self.budget)
        return replaced(text, self.changes(text, found, where))

    def known(self, text: str, sight: Sight, where: Where) -> Settled:
        """`changes`, as they are remembered where the text was settled by the same policy before."""
        outcome = sight.outcome
        if outcome and outcome.policy is self._policy and self._again(text, outcome, where.place):
            return Settled(where.place, outcome.pieces, outcome)
        before, self.seen = self.seen, Counter()
        pieces = self.changes(text, sight.found, where)
        outcome = sight.outcome = self._outcome(text, sight.found, pieces)
        before.update(self.seen)
        self.seen = before
        return Settled(where.place, pieces, outcome)

    def again(self, track: Track) -> bool:
        """Take over what became of a body as far as it is known. False where a token stands for something
        else in this call."""
        if not self._book.enter_all(track.stood):
            return False
        for segment in track.segments:
            self._known += segment.findings
        return True

    def _again(self, text: str, outcome: Outcome, place: str) -> bool:
        """False where a token stands for something else in this call."""
        if not self._book.enter_all([(token, text[start:end]) for start, end, token in outcome.tokens]):
            return False
        for entity, action, count in outcome.seen:
            self.seen[entity, place, action] += count
        return True

    def _outcome(self, text: str, found: Iterable[Found], pieces: Sequence[Piece]) -> Outcome | None:
        """What can be remembered; None where the same need not come of the text another time, or where its
        tokens do not stand for it as it is written there."""
        if self.stuck or not self._book.steady or not all(one.direct for one in found):
            return None
        originals = self._book.originals
        tokens = tuple(piece for piece in pieces if piece.text in originals)
        for start, end, token in tokens:
            value = originals[token]
            if type(value) is not str or value != text[start:end]:
                return None
        seen = tuple((entity, action, count) for (entity, _, action), count in self.seen.items())
        return Outcome(self._policy, tuple(pieces), tokens, seen)

    def changes(
        self, text: str, found: Iterable[Found], where: Where, dropped: Sequence[Span] = ()
    ) -> list[Piece]:
        """What has to go of a text, and what stands there in its place."""
        direct, enclosed = split(found)
        actions = [(span, self._note(span, where.place)) for span in self.resolved(direct)]
        changed = [*dropped, *(span for span, action in actions if STRENGTH.get(action, 2) == 2)]
        drops = [*dropped]
        rewritten: list[Piece] = []
        for stretch, spans in enclosed.items():
            over = [span for span in changed if overlaps(span, stretch)]
            if any(span.start <= stretch[0] and stretch[1] <= span.end for span in over):
                continue  # it goes as a whole
            if not over and (inner := self._reencoded(text[slice(*stretch)], spans, where)) is not None:
                rewritten.append(Piece(*stretch, inner))
            else:
                drops += [span for span in spans if self.cannot_stay(span, where.place)]
        kept = [(s, action) for s, action in actions if not any(overlaps(s, drop[:2]) for drop in drops)]
        gone: list[tuple[Span, Action]] = [(span, "redact") for span in resolve(drops)]
        pieces = replacements(text, [*kept, *gone], self._book, self._change, is_json=where.is_json)
        still = [piece for piece in rewritten if not any(overlaps(s, piece[:2]) for s in drops)]
        return sorted([*pieces, *still]) if still else pieces

    def _reencoded(self, run: str, spans: Iterable[Span], where: Where) -> str | None:
        """A run of base64 without what has to go in it; None where it cannot be rewritten."""
        packed = Base64Text.read(run)
        if packed is None:
            return None
        inner = self._examiner.text(packed.text, "text", where.key, self.budget)
        if not {span.entity for span in spans} <= {found.span.entity for found in inner}:
            return None  # it was read in another way
        inside = where._replace(place=f"{where.place} (base64)", is_json=False)
        return packed.write(self.text(packed.text, inside))

    def resolved(self, spans: Iterable[Span]) -> list[Span]:
        return resolve(spans, lambda span: STRENGTH.get(self._action(span), 2))

    def _action(self, span: Span) -> Action:
        return action_for(span, self._policy.actions)

    def _note(self, span: Span, place: str) -> Action:
        """Count a finding; gives what is to be done with it."""
        action = self._action(span)
        if action != "ignore":
            self.seen[span.entity, place, action] += 1
        if action == "block" and self.stuck is None:
            self.stuck = span.entity, place
        return action

    def cannot_stay(self, span: Span, place: str, *, droppable: bool = True) -> bool:
        """A finding that cannot be rewritten in place: True where what holds it has to go."""
        choice = self._policy.on_unrewritable
        if self._note(span, place) in ("block", "report", "ignore") or choice == "allow":
            return False
        if choice == "drop_part" and droppable:
            return True
        self.stuck = self.stuck or (span.entity, place)
        return False


def split(found: Iterable[Found]) -> tuple[list[Span], dict[tuple[int, int], list[Span]]]:
    """Findings that can be rewritten in place; and others, by the stretch that holds them."""
    direct: list[Span] = []
    enclosed: dict[tuple[int, int], list[Span]] = defaultdict(list)
    for finding in found:
        span = finding.span
        (direct if finding.direct else enclosed[span.start, span.end]).append(span)
    return direct, enclosed


def overlaps(span: Span, stretch: tuple[int, int]) -> bool:
    return span.start < stretch[1] and stretch[0] < span.end
