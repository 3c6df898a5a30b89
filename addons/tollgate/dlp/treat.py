"""What becomes of what was found in a call: replaced, masked, dropped, reported, or a refusal. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tollgate.calls import Body, Call, Finding, Refused, Request, Slot
from tollgate.dlp.examine import Examiner
from tollgate.dlp.redact import Change, replaced
from tollgate.dlp.settle import Settling, Where
from tollgate.dlp.span import Span
from tollgate.dlp.stubs import Strings
from tollgate.dlp.surfaces import Header, Query, Surface, form_surfaces, in_target, rewrite, surfaces
from tollgate.dlp.tokens import Book
from tollgate.dlp.views import joins, multipart
from tollgate.dlp.views.view import Piece

_NEVER_APART = frozenset(("IP_ADDRESS",))
"""What nobody takes apart over messages, but the end of one number and the beginning of another make."""
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

    body: Body | None = None
    """Another body, where something in it has to go."""
    headers: dict[Header, list[Piece]] = field(default_factory=dict)
    queries: list[Piece] = field(default_factory=list)
    """What is put in which place of the target."""
    findings: list[Finding] = field(default_factory=list)
    """Everything found."""
    stuck: tuple[str, str] | None = None
    """(entity, place) of the first finding that is to be blocked."""

    def apply(self, request: Request) -> None:
        """Put it into the request. Refused where the client signed what would change in its head."""
        rewrite(request, self.headers, self.queries)
        if self.body is not None:
            request.body = self.body

    @property
    def edited(self) -> bool:
        return bool(self.headers or self.queries or self.body is not None)

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


def treat(call: Call, examiner: Examiner, book: Book, change: Change, withheld: Withheld) -> Treatment:
    """Look into everything of a call that carries text. ViewError where that cannot be done."""
    return _Treating(call, examiner, book, change).all(withheld)


class _Treating:
    """One call's treatment in the making."""

    def __init__(self, call: Call, examiner: Examiner, book: Book, change: Change) -> None:
        self._call = call
        self._examiner = examiner
        self._settling = Settling(call.policy.dlp, examiner, book, change)
        self._treatment = Treatment()
        self._edits: list[tuple[Slot, str]] = []
        self._strings: Strings | None = None
        self._pieces: dict[int, list[Span]] = {}
        """By slot: the parts of values that several slots make together, where they are to go."""

    def all(self, withheld: Withheld) -> Treatment:
        body = self._call.request.body
        if body.parsed:
            self._slots([slot for slot in body.slots if not is_attested(slot)])
            self._edited(body)
        elif body.content:
            self._content(body.content, self._call.request.headers.get("content-type", ""))
        self._surfaces(surfaces(self._call.request, withheld.headers, withheld.parameters))
        self._treatment.findings, self._treatment.stuck = self._settling.findings, self._settling.stuck
        return self._treatment

    def _slots(self, slots: list[Slot]) -> None:
        self._joins(slots)
        for slot in slots:
            sight = self._examiner.sight(slot.text, slot.kind, key_of(slot), self._settling.budget)
            dropped = self._pieces.get(slot.ordinal)
            if sight.found or dropped:
                where = Where(place_of(slot), key_of(slot), slot.kind == "json")
                changes = (
                    self._settling.changes(slot.text, sight.found, where, dropped)
                    if dropped
                    else self._settling.known(slot.text, sight, where)
                )
                self._edit(slot, replaced(slot.text, changes), gone=any(not c.text for c in changes))

    def _edit(self, slot: Slot, text: str, *, gone: bool) -> None:
        """Note another text for a slot; in the place of a document that is gone stands another one."""
        if text == slot.text:
            return
        if gone and (slot.kind == "blob" or not text or text.startswith("data:")):
            self._strings = self._strings or Strings(self._call.request.body.json)
            if stub := list(self._strings.stub(slot)):
                self._edits += stub
                return
        self._edits.append((slot, text))

    def _edited(self, body: Body) -> None:
        """Write the body as it leaves, while this is no work of the event loop's."""
        if self._edits and self._settling.stuck is None:
            self._treatment.body = edited = body.copy()
            for slot, text in self._edits:
                edited.edit(slot, text)
            edited.render()

    def _replace(self, content: bytes) -> None:
        self._treatment.body = self._call.request.body.copy()
        self._treatment.body.replace(content)

    def _joins(self, slots: list[Slot]) -> None:
        for join in joins(slots):
            for span in self._settling.resolved(self._examiner.joined(join.text)):
                pieces = join.spans(span.start, span.end)
                if len(pieces) < 2 or span.entity in _NEVER_APART:
                    continue  # it is found in its slot as well, or is none
                place = " and ".join(place_of(slot) for slot, _, _ in pieces)
                if self._settling.cannot_stay(span, place):
                    for slot, start, end in pieces:
                        self._pieces.setdefault(slot.ordinal, []).append(span._replace(start=start, end=end))

    def _content(self, content: bytes, content_type: str) -> None:
        """A body that is not JSON: a form, a text, or a file."""
        if multipart.is_multipart(content_type):
            self._form(content, multipart.parts(content, content_type))
        elif (text := as_text(content)) is not None:
            changed = self._settling.text(text, Where("the body"))
            if changed != text:
                self._replace(changed.encode())
        else:
            self._attachment(content, "the body")

    def _form(self, content: bytes, fields: list[multipart.Part]) -> None:
        edits: list[multipart.Edit] = []
        for n, part in enumerate(fields):
            place = f"part {n} of the form"
            if (text := part.text) is None:
                self._attachment(part.data, place)
                continue
            changed = self._settling.text(text, Where(place, part.name))
            if changed != text:
                edits += multipart.with_text(part, changed)
        for surface, pieces in self._rewritten(form_surfaces(fields)):
            if isinstance(surface.spot, multipart.Part):
                edits += multipart.with_filename(surface.spot, replaced(surface.text, pieces))
        if edits:
            self._replace(multipart.rewrite(content, edits))

    def _attachment(self, data: bytes, place: str) -> None:
        for found in self._examiner.attachment(data, self._settling.budget):
            self._settling.cannot_stay(found.span, f"{place} ({found.view})", droppable=False)

    def _surfaces(self, texts: Iterable[Surface]) -> None:
        for surface, pieces in self._rewritten(texts):
            if isinstance(surface.spot, Header):
                self._treatment.headers[surface.spot] = pieces
            elif isinstance(surface.spot, Query):
                self._treatment.queries += in_target(surface.spot, pieces)

    def _rewritten(self, texts: Iterable[Surface]) -> Iterator[tuple[Surface, list[Piece]]]:
        """What changes in texts that can be rewritten; what is found in others is noted as stuck there."""
        for surface in texts:
            found = self._examiner.text(surface.text, "text", surface.key, self._settling.budget)
            if not found:
                continue
            if surface.spot is None:
                for span in self._settling.resolved(found.span for found in found):
                    self._settling.cannot_stay(span, surface.place, droppable=False)
            elif pieces := self._settling.changes(surface.text, found, Where(surface.place, surface.key)):
                yield surface, pieces


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
