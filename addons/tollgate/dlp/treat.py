"""What becomes of what was found in a call: replaced, masked, dropped, reported, or a refusal. Pure."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from tollgate.calls import Body, Call, Finding, Refused, Request
from tollgate.calls.upload import is_piece
from tollgate.dlp.examine import Examiner
from tollgate.dlp.fresh import Fresh
from tollgate.dlp.redact import Change, replaced
from tollgate.dlp.settle import Settling, Where
from tollgate.dlp.slots import treat_slots
from tollgate.dlp.surfaces import (
    Header,
    Query,
    Surface,
    field_surfaces,
    form_surfaces,
    in_target,
    rewrite,
    surfaces,
)
from tollgate.dlp.tokens import Book
from tollgate.dlp.views import documents, multipart
from tollgate.dlp.views.view import Piece


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


def treat(
    call: Call,
    fresh: Fresh,
    examiner: Examiner,
    book: Book,
    change: Change,
    withheld: Withheld,
    unseen: int = sys.maxsize,
) -> Treatment:
    """Look into everything of a call that carries text. ViewError where that cannot be done, TooMuch where
    more than so many characters of it are not remembered."""
    return _Treating(call, examiner, book, change, unseen).all(fresh, withheld)


class _Treating:
    """One call's treatment in the making."""

    def __init__(self, call: Call, examiner: Examiner, book: Book, change: Change, unseen: int) -> None:
        self._call = call
        self._examiner = examiner
        self._settling = Settling(call.policy.dlp, examiner, book, change, unseen)
        self._treatment = Treatment()

    def all(self, fresh: Fresh, withheld: Withheld) -> Treatment:
        body, numbers = self._call.request.body, fresh.numbers
        if body.parsed:
            self._treatment.body = treat_slots(body, fresh, self._examiner, self._settling)
        elif body.content:
            self._content(body.content, self._call.request.headers.get("content-type", ""))
        if body.encoding and self._treatment.body is None:
            self._encoding(body.wire)
        self._surfaces(list(surfaces(self._call.request, self._call.model, numbers, *withheld)))
        self._treatment.findings, self._treatment.stuck = self._settling.findings, self._settling.stuck
        return self._treatment

    def _replace(self, content: bytes) -> None:
        self._treatment.body = self._call.request.body.copy()
        self._treatment.body.replace(content)

    def _content(self, content: bytes, content_type: str) -> None:
        """A body that is not JSON: a form, a text, or a file."""
        if multipart.is_multipart(content_type):
            self._form(content, multipart.parts(content, content_type))
        elif (text := as_text(content)) is None:
            if not self._attachment(content, "the body"):
                self._as_declared(content, content_type, "the body")
        elif is_piece(self._call.request.headers):  # its size was told before
            list(self._rewritten([Surface(text, "", "the uploaded file")]))
            self._as_declared(content, content_type, "the uploaded file", text)
        else:
            self._plain(text, content_type)

    def _plain(self, text: str, content_type: str) -> None:
        changed = self._settling.text(text, Where("the body"))
        if is_form(content_type):
            changed = self._fields(changed)
        self._as_declared(changed.encode(), content_type, "the body", changed)
        if changed != text:
            self._replace(changed.encode())

    def _fields(self, form: str) -> str:
        """An encoded form, in which "+" is a space."""
        fields = self._rewritten(field_surfaces(form))
        edits = [edit for surface, pieces in fields for edit in in_target(cast(Query, surface.spot), pieces)]
        return replaced(form, edits)

    def _encoding(self, wire: bytes) -> None:
        """What a compressed body says besides its content, such as a file's name."""
        self._stuck("\n".join(documents.strings(wire)), "the compressed body's own bytes")

    def _as_declared(self, data: bytes, content_type: str, place: str, text: str = "") -> None:
        """Look into what data is in the charset that it is said to have, where that is not the text."""
        if (declared := documents.declared(data, content_type)) != text:
            self._stuck(declared, f"{place}, as its charset reads it")

    def _stuck(self, text: str, place: str) -> None:
        """Look into a text of which nothing can be rewritten."""
        for found in self._examiner.text(text, "text", "", self._settling.budget):
            self._settling.cannot_stay(found.span, place, droppable=False)

    def _form(self, content: bytes, fields: list[multipart.Part]) -> None:
        edits: list[multipart.Edit] = []
        for n, part in enumerate(fields):
            place = f"part {n} of the form"
            if (text := part.text) is None:
                if not self._attachment(part.data, place):
                    self._as_declared(part.data, part.content_type, place)
                continue
            changed = self._settling.text(text, Where(place, part.name))
            self._as_declared(changed.encode(part.charset), part.content_type, place, changed)
            if changed != text:
                edits += multipart.with_text(part, changed)
        for surface, pieces in self._rewritten(form_surfaces(fields)):
            if isinstance(surface.spot, multipart.Part):
                edits += multipart.with_filename(surface.spot, replaced(surface.text, pieces))
        if edits:
            self._replace(multipart.rewrite(content, edits))

    def _attachment(self, data: bytes, place: str) -> bool:
        """True where something was found."""
        seen = self._examiner.attachment(data, self._settling.budget)
        for found in seen:
            self._settling.cannot_stay(found.span, f"{place} ({found.view})", droppable=False)
        return bool(seen)

    def _surfaces(self, texts: Sequence[Surface]) -> None:
        named = [(text.text, text.key) for text in texts]
        if not self._examiner.any_in(named, self._settling.budget):
            return  # as a rule: clients send the same headers with every call
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


def is_form(content_type: str) -> bool:
    return content_type.lstrip().lower().startswith("application/x-www-form-urlencoded")


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
