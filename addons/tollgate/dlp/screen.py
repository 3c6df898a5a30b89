"""What becomes of what is found in an answer, as the policy says. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from tollgate.calls import Finding, Refused, Verdict
from tollgate.dlp.engine import Engine, resolve
from tollgate.dlp.redact import Change, within_token
from tollgate.dlp.settle import STRENGTH, action_for
from tollgate.dlp.span import Span
from tollgate.dlp.tokens import DOMAIN, WIDTH, Book, core, pattern
from tollgate.dlp.treat import summary
from tollgate.policy.dlp import Action, AnswerScan

_BY_DEFAULT: Mapping[str, Action] = {"SECRET": "report", "PERSONAL": "report"}
_TOKEN = WIDTH + len(DOMAIN)
PASSING = frozenset[Action](("report", "ignore"))


class Screen:
    """Decides about one answer."""

    __slots__ = ("_book", "_change", "_cores", "_engine", "_observe", "_own", "_policy", "minted", "seen")

    def __init__(
        self,
        engine: Engine,
        policy: AnswerScan,
        book: Book,
        change: Change,
        *,
        observe: bool,
        spare: bool = True,
    ) -> None:
        """`book` has the values that the request had, which the answer may have too unless `spare` is False.
        `observe`: note what would be done, and do nothing."""
        self._engine = engine
        self._policy = policy
        self._book = book.copy()
        self._change = change
        self._observe = observe
        self._own = frozenset(book.originals.values() if spare else ())
        self._cores = frozenset(map(core, book.originals))
        self.seen: Counter[tuple[str, str, Action]] = Counter()
        """(entity, place, action) of everything found."""
        self.minted: set[str] = set()
        """Tokens that stand for values of the answer, which nobody is to undo."""

    @property
    def findings(self) -> list[Finding]:
        return [Finding(entity, place, action, count) for (entity, place, action), count in self.seen.items()]

    @property
    def verdicts(self) -> Iterator[Verdict]:
        """What is to be told of it: nothing where nothing was found."""
        if not self.seen:
            return
        said = f"the model wrote {summary(self.findings)}"
        if PASSING.issuperset(action for _, _, action in self.seen):
            yield Verdict("dlp", "warn", said, "answer_reported")
        elif self._observe:
            yield Verdict("dlp", "observe", said, "would_change_answer")
        else:
            yield Verdict("dlp", "change", said, "answer_changed")

    @property
    def window(self) -> int:
        return self._policy.window

    @property
    def holds(self) -> bool:
        """True where something may have to go, so that text has to wait until it is judged."""
        return not self._observe and not PASSING.issuperset(self._policy.actions.values())

    def look(self, text: str, key: str = "") -> list[Span]:
        """What is found, without what a language model takes: quick enough for the event loop."""
        return self._found(self._engine.quick, text, key)

    def look_well(self, text: str, key: str = "") -> list[Span]:
        return self._found(self._engine, text, key)

    def stand_in(self, span: Span, value: str, place: str, *, signed: bool = False) -> str | None:
        """Count a finding; gives what takes its place, None where it stays. Refused where it is blocked.

        What is signed stays: the provider takes no other back.
        """
        action = "report" if signed else self._action(span)
        self.seen[span.entity, place, action] += 1
        if self._observe or action in PASSING:
            return None
        if action == "block":
            raise Refused(
                f"Tollgate's policy lets no {span.entity} come back (dlp.answers.actions), and the model"
                f" wrote one in {place}. Ask again without it.",
                code="dlp_answer_blocked",
            )
        if action != "replace":
            return self._change(action, value)
        token = self._book.token(span.entity, value)
        self.minted.add(token)
        return token

    def _action(self, span: Span) -> Action:
        return answer_action(span, self._policy)

    def _found(self, engine: Engine, text: str, key: str) -> list[Span]:
        spans = [s for s in engine.scan(text, key) if self._action(s) != "ignore" and not self._ours(text, s)]
        return resolve(spans, lambda span: STRENGTH.get(self._action(span), 2)) if spans else spans

    def _ours(self, text: str, span: Span) -> bool:
        """True for a value of the request, and for what is for the most part a token for one."""
        if text[span.start : span.end] in self._own or within_token(text, span):
            return True
        near = pattern().finditer(text, max(0, span.start - _TOKEN), span.end + _TOKEN)
        return any(core(found[0]) in self._cores and _mostly(found.span(), span) for found in near)


def answer_action(span: Span, policy: AnswerScan) -> Action:
    """What is to be done with a finding in an answer: reported, where the policy says nothing."""
    return action_for(span, policy.actions, _BY_DEFAULT)


def _mostly(token: tuple[int, int], span: Span) -> bool:
    """True where a token is at least half of what was found."""
    shared = min(token[1], span.end) - max(token[0], span.start)
    return 2 * shared >= span.end - span.start
