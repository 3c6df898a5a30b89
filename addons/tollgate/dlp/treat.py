"""What becomes of what was found in a call: replaced, masked, dropped, reported, or a refusal. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tollgate.calls import Call, Finding, Refused, Request, Slot
from tollgate.dlp.engine import resolve
from tollgate.dlp.examine import Examiner, Found
from tollgate.dlp.redact import Change, replaced, replacements
from tollgate.dlp.span import Span
from tollgate.dlp.stubs import Strings
from tollgate.dlp.surfaces import Header, Query, Surface, form_surfaces, in_target, rewrite, surfaces
from tollgate.dlp.tokens import Book
from tollgate.dlp.views import Budget, joins, multipart
from tollgate.dlp.views.base64text import Base64Text
from tollgate.dlp.views.view import Piece
from tollgate.policy.dlp import Action, Dlp

_BY_DEFAULT: Mapping[str, Action] = {"SECRET": "replace", "PERSONAL": "replace"}
_STRENGTH: Mapping[Action, int] = {"ignore": 0, "report": 1, "block": 3}
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
    headers: dict[Header, list[Piece]] = field(default_factory=dict)
    queries: list[Piece] = field(default_factory=list)
    """What is put in which place of the target."""
    seen: Counter[tuple[str, str, Action]] = field(default_factory=Counter)
    """(entity, place, action) of everything found."""
    stuck: tuple[str, str] | None = None
    """(entity, place) of the first finding that is to be blocked."""

    @property
    def findings(self) -> list[Finding]:
        return [Finding(entity, place, action, count) for (entity, place, action), count in self.seen.items()]

    def apply(self, request: Request) -> None:
        """Put the edits into the request. Refused where the client signed what would change in its head."""
        rewrite(request, self.headers, self.queries)
        for slot, text in self.edits:
            request.body.edit(slot, text)
        if self.content is not None:
            request.body.replace(self.content)

    @property
    def edited(self) -> bool:
        return bool(self.edits or self.headers or self.queries or self.content is not None)

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


def action_for(span: Span, actions: Mapping[str, Action]) -> Action:
    """The most specific action: for the rule, the entity, or the group."""
    group = "SECRET" if span.entity == "SECRET" else "PERSONAL"
    named = (actions.get(name) for name in (span.rule, span.entity, group) if name)
    return next((action for action in named if action), _BY_DEFAULT[group])


def treat(call: Call, examiner: Examiner, book: Book, change: Change, withheld: Withheld) -> Treatment:
    """Look into everything of a call that carries text. ViewError where that cannot be done."""
    return _Treating(call, examiner, book, change).all(withheld)


class _Where(NamedTuple):
    """Where a text stands."""

    place: str
    """For a person."""
    key: str = ""
    """The name under which it stands, as context."""
    is_json: bool = False


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
        self._strings: Strings | None = None
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
            dropped = self._pieces.get(slot.ordinal, [])
            if found or dropped:
                where = _Where(place_of(slot), key_of(slot), slot.kind == "json")
                changes = self._changes(slot.text, found, where, dropped)
                self._edit(slot, replaced(slot.text, changes), gone=any(not c.text for c in changes))

    def _edit(self, slot: Slot, text: str, *, gone: bool) -> None:
        """Note another text for a slot; in the place of a document that is gone stands another one."""
        if text == slot.text:
            return
        if gone and (slot.kind == "blob" or not text or text.startswith("data:")):
            self._strings = self._strings or Strings(self._call.request.body.json)
            if stub := list(self._strings.stub(slot)):
                self._treatment.edits += stub
                return
        self._treatment.edits.append((slot, text))

    def _text(self, text: str, where: _Where) -> str:
        """A text that is no slot, without what has to go."""
        found = self._examiner.text(text, "text", where.key, self._budget)
        return replaced(text, self._changes(text, found, where))

    def _changes(
        self, text: str, found: Iterable[Found], where: _Where, dropped: Sequence[Span] = ()
    ) -> list[Piece]:
        """What has to go of a text, and what stands there in its place."""
        direct, enclosed = split(found)
        actions = [(span, self._note(span, where.place)) for span in self._resolved(direct)]
        changed = [*dropped, *(span for span, action in actions if _STRENGTH.get(action, 2) == 2)]
        drops = [*dropped]
        rewritten: list[Piece] = []
        for stretch, spans in enclosed.items():
            over = [span for span in changed if overlaps(span, stretch)]
            if any(span.start <= stretch[0] and stretch[1] <= span.end for span in over):
                continue  # it goes as a whole
            if not over and (inner := self._reencoded(text[slice(*stretch)], where)) is not None:
                rewritten.append(Piece(*stretch, inner))
            else:
                drops += [span for span in spans if self._cannot_stay(span, where.place)]
        kept = [(s, action) for s, action in actions if not any(overlaps(s, drop[:2]) for drop in drops)]
        gone: list[tuple[Span, Action]] = [(span, "redact") for span in resolve(drops)]
        pieces = replacements(text, [*kept, *gone], self._book, self._change, is_json=where.is_json)
        still = [piece for piece in rewritten if not any(overlaps(s, piece[:2]) for s in drops)]
        return sorted([*pieces, *still])

    def _reencoded(self, run: str, where: _Where) -> str | None:
        """A run of base64 without what has to go in it; None where it cannot be rewritten."""
        packed = Base64Text.read(run)
        if packed is None or not self._examiner.text(packed.text, "text", where.key, self._budget):
            return None
        inside = where._replace(place=f"{where.place} (base64)", is_json=False)
        return packed.write(self._text(packed.text, inside))

    def _resolved(self, spans: Iterable[Span]) -> list[Span]:
        return resolve(spans, lambda span: _STRENGTH.get(self._action(span), 2))

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
        if multipart.is_multipart(content_type):
            self._form(content, multipart.parts(content, content_type))
        elif (text := as_text(content)) is not None:
            changed = self._text(text, _Where("the body"))
            if changed != text:
                self._treatment.content = changed.encode()
        else:
            self._attachment(content, "the body")

    def _form(self, content: bytes, fields: list[multipart.Part]) -> None:
        edits: list[multipart.Edit] = []
        for n, part in enumerate(fields):
            place = f"part {n} of the form"
            if (text := part.text) is None:
                self._attachment(part.data, place)
                continue
            changed = self._text(text, _Where(place, part.name))
            if changed != text:
                edits += multipart.with_text(part, changed)
        for surface, pieces in self._rewritten(form_surfaces(fields)):
            if isinstance(surface.spot, multipart.Part):
                edits += multipart.with_filename(surface.spot, replaced(surface.text, pieces))
        if edits:
            self._treatment.content = multipart.rewrite(content, edits)

    def _attachment(self, data: bytes, place: str) -> None:
        for found in self._examiner.attachment(data, self._budget):
            self._cannot_stay(found.span, f"{place} ({found.view})", droppable=False)

    def _surfaces(self, texts: Iterable[Surface]) -> None:
        for surface, pieces in self._rewritten(texts):
            if isinstance(surface.spot, Header):
                self._treatment.headers[surface.spot] = pieces
            elif isinstance(surface.spot, Query):
                self._treatment.queries += in_target(surface.spot, pieces)

    def _rewritten(self, texts: Iterable[Surface]) -> Iterator[tuple[Surface, list[Piece]]]:
        """What changes in texts that can be rewritten; what is found in others is noted as stuck there."""
        for surface in texts:
            found = self._examiner.text(surface.text, "text", surface.key, self._budget)
            if surface.spot is None:
                for span in self._resolved(found.span for found in found):
                    self._cannot_stay(span, surface.place, droppable=False)
            elif pieces := self._changes(surface.text, found, _Where(surface.place, surface.key)):
                yield surface, pieces


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
