"""What one call takes from its way down to its way up: what stands for what, how to look at the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tollgate.calls import Action, Answer, Call, Event, Verdict
from tollgate.dlp.answers import AnswerScreen
from tollgate.dlp.equipment import Equipment
from tollgate.dlp.screen import PASSING, Screen
from tollgate.dlp.settle import BY_DEFAULT
from tollgate.dlp.stream import AnswerRestorer
from tollgate.dlp.tokens import Book
from tollgate.dlp.vault import IDS
from tollgate.policy.dlp import AnswerScan, Dlp

_WHOLE = 200
"""The status of all of a file; no part of one is changed."""
_MEDIA = ("audio/", "font/", "image/", "video/")


@dataclass(slots=True)
class Carried:
    """What one call takes to its way up."""

    book: Book
    restorer: AnswerRestorer
    answers: AnswerScreen | None = None
    """Looks into what the model wrote itself; None where nobody asks."""
    kept: bool = False
    """True once the vault has the call's tokens, or has no need of them."""
    as_file: bool = False
    """True for an answer in no framing that may be text."""

    def head(self, answer: Answer) -> None:
        """Told of a streamed answer before its first event."""
        headers = answer.headers
        if self.restorer.known and answer.framing == "raw" and answer.status == _WHOLE:
            coded = headers.get("content-encoding") or headers.get("content-type", "").startswith(_MEDIA)
            self.as_file = not coded
            if self.as_file:
                headers.popall("content-length", None)  # a value is seldom as long as its token

    def event(self, event: Event) -> list[Event]:
        """What goes on in its place: first what the model wrote is judged, then tokens are undone."""
        if self.answers is None:
            return self.restorer.event(event)
        judged = self.answers.event(event)
        self.restorer.spare(self.answers.screen.minted)
        return [out for one in judged for out in self.restorer.event(one)]

    def whole(self, body: bytes) -> bytes:
        """What becomes of a whole answer. It may take long."""
        if self.answers is not None:
            body = self.answers.whole(body)
            self.restorer.spare(self.answers.screen.minted)
        return self.restorer.whole(body)

    def tell(self, call: Call) -> None:
        """Say in the call what was found in the answer, and restored."""
        if self.answers is not None:
            call.findings += self.answers.screen.findings
        call.verdicts += self._verdicts(call)

    def _verdicts(self, call: Call) -> Iterator[Verdict]:
        if self.answers is not None:
            if call.answer is not None and call.answer.framing == "raw":
                yield Verdict("dlp", "warn", "the answer's stream could not be looked into", "answer_unseen")
            yield from self.answers.screen.verdicts
        if counts := self.restorer.counts:
            told = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
            action: Action = "warn" if counts["mangled"] or counts["unknown"] else "change"
            yield Verdict("dlp", action, f"in the answer: {told}", "restored")


def carry(call: Call, equipment: Equipment, book: Book) -> Carried | None:
    """What the answer to a call needs, whose tokens are in the book; None where it needs nothing."""
    dialect, policy = call.dialect.name, call.policy.dlp
    observe = call.policy.mode == "observe"
    originals = {} if observe else book.originals  # observed, nothing was replaced
    if not (originals or policy.answers.scan):
        return None
    carried = Carried(book, AnswerRestorer(dialect, originals, policy))
    carried.kept = not originals or dialect not in IDS
    if policy.answers.scan:
        change = equipment.operators.apply
        screen = Screen(equipment.engine, policy.answers, book, change, observe=observe)
        carried.answers = AnswerScreen(dialect, screen)
    return carried


def scrub(dialect: str, equipment: Equipment, policy: Dlp, book: Book) -> AnswerScreen:
    """Takes out of an answer what would be taken out of a request. A value that the request had, too, has its
    token there; who asks again has it restored."""
    changing = policy.answers.actions.items() if policy.answers.scan else ()
    wanted = {**BY_DEFAULT, **policy.actions, **{name: to for name, to in changing if to not in PASSING}}
    scan = AnswerScan(actions={name: "replace" if to == "block" else to for name, to in wanted.items()})
    change = equipment.operators.apply
    return AnswerScreen(dialect, Screen(equipment.engine, scan, book, change, observe=False, spare=False))
