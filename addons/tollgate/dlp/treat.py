"""What becomes of what was found in a call: replaced, masked, dropped, reported, or a refusal. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tollgate.calls import Body, Call, Finding, Refused, Slot
from tollgate.dlp.engine import resolve
from tollgate.dlp.examine import Examiner, Found
from tollgate.dlp.redact import Change, redact
from tollgate.dlp.span import Span
from tollgate.dlp.surfaces import Surface, form_surfaces, surfaces
from tollgate.dlp.tokens import Book
from tollgate.dlp.views import Budget, joins
from tollgate.dlp.views.multipart import Part, is_multipart, parts, rewrite
from tollgate.policy.dlp import Action, Dlp

BY_DEFAULT: Mapping[str, Action] = {"SECRET": "replace", "PERSONAL": "replace"}
STRENGTH: Mapping[Action, int] = {"ignore": 0, "report": 1, "block": 3}
"""Of overlapping findings the strongest action holds; those that change the text stand between."""
_ATTESTED = frozenset(("thinking", "reasoningContent", "reasoning_details"))
"""Keys under which text stands that the provider signed, and gets back to the letter."""
_BILLING = "x-anthropic-billing-header:"
"""What Claude Code puts first in its system prompt; it may vouch for the rest of the body."""


class Withheld(NamedTuple):
    """Names under which credentials travel, which are not looked into: they are for the provider."""

    headers: Collection[str]
    parameters: Collection[str]


@dataclass(slots=True)
class Treatment:
    """What is to be done with one call."""

    edits: list[tuple[Slot, str]] = field(default_factory=list)
    content: bytes | None = None
    """Another body, where it is not JSON and something in it has to go."""
    seen: Counter[tuple[str, str, Action]] = field(default_factory=Counter)
    """(entity, place, action) of everything found."""
    stuck: tuple[str, str] | None = None
    """(entity, place) of the first finding that is to be blocked."""

    @property
    def findings(self) -> list[Finding]:
        return [Finding(entity, place, action, count) for (entity, place, action), count in self.seen.items()]

    def apply(self, body: Body) -> None:
        """Put the edits into the body."""
        for slot, text in self.edits:
            body.edit(slot, text)
        if self.content is not None:
            body.replace(self.content)

    @property
    def refusal(self) -> Refused | None:
        """Why the call must not leave; None where it may."""
        if self.stuck is None:
            return None
        entity, place = self.stuck
        message = (
            f"Tollgate's policy lets no {entity} leave, and there is one in {place}. Remove it and try again."
        )
        return Refused(message, code="dlp_blocked")


def action_for(
    span: Span, actions: Mapping[str, Action], by_default: Mapping[str, Action] = BY_DEFAULT
) -> Action:
    """The most specific action: for the rule, the entity, or the group."""
    group = "SECRET" if span.entity == "SECRET" else "PERSONAL"
    named = (actions.get(name) for name in (span.rule, span.entity, group) if name)
    return next((action for action in named if action), by_default[group])


def treat(call: Call, examiner: Examiner, book: Book, change: Change, withheld: Withheld) -> Treatment:
    """Look into everything of a call that carries text. ViewError where that cannot be done."""
    return _Treating(call, examiner, book, change).all(withheld)


class _Treating:
    """One call's treatment in the making."""

    def __init__(self, call: Call, examiner: Examiner, book: Book, change: Change) -> None:
        self._call = call
        self._dlp: Dlp = call.policy.dlp
        self._examiner = examiner
        self._book = book
        self._change = change
        self._budget: Budget = examiner.budget()
        self._treatment = Treatment()
        self._pieces: dict[int, list[Span]] = {}
        """By slot: the parts of values that several slots make together, where they are to go."""

    def all(self, withheld: Withheld) -> Treatment:
        body = self._call.request.body
        if body.parsed:
            self._slots([slot for slot in body.slots if not is_attested(slot)])
        elif body.content:
            self._content(body.content, self._call.request.headers.get("content-type", ""))
        self._surfaces(surfaces(self._call.request, withheld.headers, withheld.parameters))
        return self._treatment

    def _slots(self, slots: list[Slot]) -> None:
        self._joins(slots)
        for slot in slots:
            found = self._examiner.text(slot.text, slot.kind, key_of(slot), self._budget)
            pieces = self._pieces.get(slot.ordinal, [])
            if found or pieces:
                text = self._text(slot.text, found, place_of(slot), pieces)
                if text != slot.text:
                    self._treatment.edits.append((slot, text))

    def _text(self, text: str, found: Iterable[Found], place: str, dropped: Iterable[Span] = ()) -> str:
        """The text without what has to go."""
        direct, enclosed = split(found)
        changes = [(span, self._note(span, place)) for span in self._resolved(direct)]
        drops = [span for span in enclosed if self._cannot_stay(span, place)]
        covered = [*drops, *dropped]
        kept = [(s, action) for s, action in changes if not any(overlap(s, c) for c in covered)]
        gone = [(span, "redact") for span in resolve(covered)]
        return redact(text, [*kept, *gone], self._book, self._change)  # type: ignore[list-item]

    def _resolved(self, spans: Iterable[Span]) -> list[Span]:
        return resolve(spans, lambda span: STRENGTH.get(self._action(span), 2))

    def _action(self, span: Span) -> Action:
        return action_for(span, self._dlp.actions)

    def _note(self, span: Span, place: str) -> Action:
        """Count a finding; gives what is to be done with it."""
        action = self._action(span)
        if action != "ignore":
            self._treatment.seen[span.entity, place, action] += 1
        if action == "block" and self._treatment.stuck is None:
            self._treatment.stuck = span.entity, place
        return action

    def _cannot_stay(self, span: Span, place: str, *, droppable: bool = True) -> bool:
        """A finding that cannot be rewritten in place: True where what holds it has to go."""
        if self._note(span, place) in ("block", "report", "ignore") or self._dlp.on_unrewritable == "allow":
            return False
        if self._dlp.on_unrewritable == "drop_part" and droppable:
            return True
        self._treatment.stuck = self._treatment.stuck or (span.entity, place)
        return False

    def _joins(self, slots: list[Slot]) -> None:
        for join in joins(slots):
            for span in self._resolved(self._examiner.joined(join.text)):
                pieces = join.spans(span.start, span.end)
                if len(pieces) < 2:
                    continue  # it is found in its slot as well
                place = " and ".join(place_of(slot) for slot, _, _ in pieces)
                if self._cannot_stay(span, place):
                    for slot, start, end in pieces:
                        self._pieces.setdefault(slot.ordinal, []).append(span._replace(start=start, end=end))

    def _content(self, content: bytes, content_type: str) -> None:
        """A body that is not JSON: a form, a text, or a file."""
        if is_multipart(content_type):
            self._form(content, parts(content, content_type))
        elif (text := as_text(content)) is not None:
            found = self._examiner.text(text, "text", "", self._budget)
            changed = self._text(text, found, "the body")
            if changed != text:
                self._treatment.content = changed.encode()
        else:
            self._attachment(content, "the body")

    def _form(self, content: bytes, fields: list[Part]) -> None:
        edits: list[tuple[Part, str]] = []
        for n, part in enumerate(fields):
            place = f"part {n} of the form"
            if (text := part.text) is None:
                self._attachment(part.data, place)
                continue
            found = self._examiner.text(text, "text", part.name, self._budget)
            changed = self._text(text, found, place)
            if changed != text:
                edits.append((part, changed))
        self._surfaces(form_surfaces(fields))
        if edits:
            self._treatment.content = rewrite(content, edits)

    def _attachment(self, data: bytes, place: str) -> None:
        for found in self._examiner.attachment(data, self._budget):
            self._cannot_stay(found.span, f"{place} ({found.view})", droppable=False)

    def _surfaces(self, texts: Iterable[Surface]) -> None:
        for surface in texts:
            found = self._examiner.text(surface.text, "text", surface.key, self._budget)
            for span in self._resolved(found.span for found in found):
                self._cannot_stay(span, surface.place, droppable=False)


def split(found: Iterable[Found]) -> tuple[list[Span], list[Span]]:
    """Findings that can be rewritten in place, and stretches that hold one that cannot."""
    direct: list[Span] = []
    enclosed: list[Span] = []
    for finding in found:
        (direct if finding.direct else enclosed).append(finding.span)
    return direct, enclosed


def overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def is_attested(slot: Slot) -> bool:
    """True for text that has to go back to the letter: signed thoughts, and what vouches for the body."""
    return not _ATTESTED.isdisjoint(slot.path) or slot.text.startswith(_BILLING)


def key_of(slot: Slot) -> str:
    """The JSON key under which a slot stands; empty for a key, and where there is none."""
    if slot.kind == "key":
        return ""
    return next((name for name in reversed(slot.path) if isinstance(name, str)), "")


def place_of(slot: Slot) -> str:
    """Where a slot stands, for a person. A key that is itself a slot is not told: it may be the secret."""
    if slot.kind != "key":
        return slot.place or "the body"
    above = Slot(0, "", "text", slot.path[:-1]).place
    return f"a key of {above or 'the body'}"


def as_text(content: bytes) -> str | None:
    """A body as text; None where it is none."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def summary(findings: Iterable[Finding]) -> str:
    """How many of what, for a verdict: "2 EMAIL_ADDRESS, 1 SECRET"."""
    counted: Counter[str] = Counter()
    for finding in findings:
        counted[finding.kind] += finding.count
    return ", ".join(f"{count} {kind}" for kind, count in _by_name(counted))


def _by_name(counted: Counter[str]) -> Iterator[tuple[str, int]]:
    yield from sorted(counted.items())
