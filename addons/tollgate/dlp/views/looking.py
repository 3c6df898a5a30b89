"""All ways to look at a text besides as it stands: one within the other, as deep as the policy says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from tollgate.calls import Kind
from tollgate.dlp.views import documents, encodings, normalise
from tollgate.dlp.views.joins import gaps
from tollgate.dlp.views.signs import Signs
from tollgate.dlp.views.view import Budget, Piece, View, ViewError, in_order, original
from tollgate.policy.dlp import Views

_MOST_ROUNDS = 8
"""Decoding in place makes a text shorter or plainer each time; nobody does it more often by chance."""
_SHORTEST = 16
"""What eleven characters become in base64, the least that a value has."""
_SHORTEST_BLOB = 4


def views(text: str, kind: Kind, limits: Views, budget: Budget) -> Iterator[View]:
    """The views of a text besides the text itself; in those of its stretches, only what is changed and its
    surroundings. ViewError where it cannot be looked into within the limits."""
    yield from _Look(limits, budget, kind).into(original(text))


def attachment_views(data: bytes, limits: Views, budget: Budget) -> Iterator[View]:
    """The texts of an attachment, and their views. Nothing of them can be rewritten in place. ViewError as
    for `views`, and where it is a document that cannot be read."""
    look = _Look(limits, budget, "blob")
    yield from look.document(data, "", (0, len(data)), 0)


@dataclass(slots=True)
class _Look:
    limits: Views
    budget: Budget
    kind: Kind
    seen: set[tuple[tuple[int, int], int]] = field(default_factory=set)
    """Runs that were looked into: views of a stretch show again what stands around a change."""
    dull: set[bytes] = field(default_factory=set)
    """Words that are no such runs."""

    def into(self, view: View, depth: int = 0, rounds: int = 0, joined: bool = False) -> Iterator[View]:
        """The views of a view. `depth` counts what encloses it, `rounds` the decodings in place."""
        signs = Signs(view.text)
        for decoded in self._decoded(view, signs, rounds):
            yield decoded
            yield from self.into(decoded, depth, rounds + 1, joined)
        for whole in self._parted(view, signs) if self.limits.joins and not joined else ():
            yield whole
            yield from self.into(whole, depth, rounds, joined=True)
        yield from self._enclosed(view, signs, depth)

    def _decoded(self, view: View, signs: Signs, rounds: int) -> Iterator[View]:
        found = {"normalised": list(normalise.pieces(view.text, signs))}
        if self.limits.encodings:
            found.update(encodings.pieces(view.text))
        name = "+".join(name for name, pieces in found.items() if pieces)
        if name and rounds == _MOST_ROUNDS:
            raise ViewError(f"text is encoded more than {_MOST_ROUNDS} times", "too_deep")
        if name:
            yield from self._changed(view, name, chain.from_iterable(found.values()))

    def _parted(self, view: View, signs: Signs) -> Iterator[View]:
        if found := list(gaps(view.text, signs)):
            yield from self._changed(view, "joined", found)

    def _changed(self, view: View, name: str, pieces: Iterable[Piece]) -> Iterator[View]:
        for child in view.rewritten(name, in_order(pieces)):
            self.budget.take(len(child.text))
            yield child

    def _enclosed(self, view: View, signs: Signs, depth: int) -> Iterator[View]:
        if not (self.limits.encodings or (self.limits.documents and self.kind == "blob")):
            return
        shortest = _SHORTEST_BLOB if self.kind == "blob" else _SHORTEST
        for run in encodings.runs(view.text, signs, shortest, documents.promising, self.dull):
            enclosing = view.span(run.start, run.end) or view.enclosing
            key = enclosing, hash(run.data)
            if key not in self.seen:
                self.seen.add(key)
                yield from self.document(run.data, view.below(run.name), enclosing, depth + 1)

    def document(self, data: bytes, name: str, enclosing: tuple[int, int], depth: int) -> Iterator[View]:
        """The views of what bytes hold that stand within `depth` enclosures."""
        for text in self._texts(data, self.limits.depth - depth):
            if text.depth == 0:  # what is unpacked is counted where that is done
                self.budget.take(len(text.text))
            child = View(text.text, "/".join(filter(None, (name, text.name))) or "text", enclosing)
            yield child
            yield from self.into(child, depth + text.depth)

    def _texts(self, data: bytes, depth: int) -> Iterator[documents.Text]:
        if self.limits.documents:
            found = documents.texts(data, documents.Reading(self.budget, depth, self.kind == "blob"))
        else:
            found = documents.plain(data)
        for text in found:
            if depth < 0 and not text.name:
                raise ViewError("encodings are nested too deeply", "too_deep")
            yield text
