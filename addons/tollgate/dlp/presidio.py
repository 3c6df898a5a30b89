"""Presidio's recognizers: their patterns, checks and context words, judged window by window.

`AnalyzerEngine.analyze` runs every pattern over the whole text and counts a time-out as nothing found. Here
the same recognizers are asked through the same public methods, but only where the prefilter says so, and a
time-out is an error. To import this module takes seconds: Presidio brings spaCy.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import presidio_analyzer.predefined_recognizers as predefined
import regex
import tldextract.tldextract
from presidio_analyzer import EntityRecognizer, PatternRecognizer
from presidio_analyzer import Pattern as PresidioPattern
from presidio_analyzer.predefined_recognizers.generic import iban_patterns

from tollgate.dlp.context import WIDTH, Context
from tollgate.dlp.prefilter import Expression
from tollgate.dlp.profile import BY_ENTITY, IBANS, OWN, PATTERNS, ROWS, THRESHOLD
from tollgate.dlp.span import Span
from tollgate.dlp.windows import TIMEOUT, WORD, DetectionFailed, Judge, Reach
from tollgate.policy import Unfit
from tollgate.policy.dlp import Detection, Pattern
from tollgate.providers.table import nearest

CONTEXT_ADDS = 0.35
"""How much surer a context word makes a match, as Presidio has it."""
FLAGS = regex.IGNORECASE | regex.DOTALL | regex.MULTILINE
"""With which Presidio's registry runs every pattern."""
_REACH = Reach(back=200)
_SHORT = 64
"""In so many characters no pattern of Presidio's takes long; to watch the clock would."""
_LISTED = 150
"""As many names as a message may list."""


def build_judges(detection: Detection) -> list[Judge]:
    """One judge for each pattern of all that is to be looked for. Unfit for an entity or a country that does
    not exist."""
    _keep_suffixes_offline()
    iban_patterns.regex_per_country.update(map(_iban_format, IBANS))
    logging.getLogger("presidio-analyzer").disabled = True  # it logs values that it cannot check
    known = _known()
    judges: list[Judge] = []
    for recognizer in [known[name] for name in sorted(_chosen(detection, known))]:
        judges += _judges(recognizer, detection.thresholds)
    for pattern in [*_own_patterns(), *detection.patterns]:
        if pattern.name not in detection.without:
            judges += _judges(_recognizer(pattern), detection.thresholds, own=True)
    return judges


def entities(detection: Detection) -> set[str]:
    """The names of all that `build_judges` looks for, with its errors for those that do not exist."""
    own = {pattern.name for pattern in [*_own_patterns(), *detection.patterns]}
    return _chosen(detection, _known()) | (own - set(detection.without))


def all_entities(detection: Detection) -> set[str]:
    """The names of all entities there are, whether they are looked for or not."""
    return _every(_known(), detection)


def _every(known: Iterable[str], detection: Detection) -> set[str]:
    return {*known, *OWN, *(pattern.name for pattern in detection.patterns), *detection.ner.entities}


# -- which recognizers -------------------------------------------------------------------------------------


def _known() -> dict[str, EntityRecognizer]:
    """Presidio's recognizers by entity, without those that need a model or a service."""
    found: dict[str, EntityRecognizer] = {}
    kinds: list[tuple[str, Any]] = inspect.getmembers(predefined, inspect.isclass)
    for _, kind in kinds:
        if _without_model(kind):
            recognizer = kind(supported_language="en")  # the language is only a filter there
            found |= dict.fromkeys(recognizer.supported_entities, recognizer)
    return found


def _without_model(kind: type) -> bool:
    """Whether a recognizer needs neither a model nor a service, and has no replacement of ours."""
    own = ("CreditCardRecognizer", "PhoneRecognizer")
    folder = kind.__module__.removeprefix(predefined.__name__).split(".")[1]
    return folder in ("country_specific", "generic") and kind.__name__ not in own


def _chosen(detection: Detection, known: Mapping[str, EntityRecognizer]) -> set[str]:
    """The names of the entities that are to be looked for."""
    countries = {str(recognizer.country_code()) for recognizer in known.values() if recognizer.country_code()}
    wanted = {country.lower() for country in detection.countries}
    _check_names(detection, known, countries)
    by_country = {name for name, recognizer in known.items() if recognizer.country_code() in wanted}
    profile = {row.entity for row in ROWS if row.on}
    return (profile | by_country | set(detection.entities)) - set(detection.without) - set(OWN)


def _check_names(detection: Detection, known: Collection[str], countries: Collection[str]) -> None:
    """Unfit for a name that stands for nothing."""
    every = _every(known, detection)
    _all_in("countries", [country.lower() for country in detection.countries], countries, "country")
    _all_in("entities", detection.entities, [*known, *OWN], "entity")
    _all_in("without", detection.without, every, "entity")
    for name in detection.thresholds:
        need_one_of(every, name, "entity", ("detection", "thresholds", name))


def _all_in(key: str, names: Iterable[str], known: Collection[str], kind: str) -> None:
    for n, name in enumerate(names):
        need_one_of(known, name, kind, ("detection", key, n))


def need_one_of(known: Collection[str], name: str, kind: str, path: Sequence[str | int]) -> None:
    """Unfit for a name that is none of these, at that path of the policy."""
    if name not in known:
        listed = f": there are {', '.join(sorted(known))}" if len(known) <= _LISTED else ""
        raise Unfit(path, f"there is no {kind} {name!r}{nearest(name, known) or listed}")


def _own_patterns() -> Iterator[Pattern]:
    for entity, pattern, score in PATTERNS:
        yield Pattern(name=entity, regex=pattern, score=score)


def _recognizer(pattern: Pattern) -> PatternRecognizer:
    """A recognizer for a pattern of a policy."""
    patterns = [PresidioPattern(pattern.name, pattern.regex, pattern.score)] if pattern.regex else []
    return PatternRecognizer(
        supported_entity=pattern.name,
        name=pattern.name,
        patterns=patterns,
        deny_list=list(pattern.words),
        deny_list_score=pattern.score,
        context=list(pattern.context),
    )


def _keep_suffixes_offline() -> None:
    """The e-mail recognizer asks tldextract, which would fetch its list anew: that in its package serves."""
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=())


_ALPHABETS = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}


def _iban_format(row: str) -> tuple[str, str]:
    """A country, and a pattern for its account numbers without blanks."""
    blocks = regex.findall(r"(\d+)([nac])", row[2:])
    return row[:2], rf"{row[:2]}[0-9]{{2}}" + "".join(
        f"{_ALPHABETS[kind]}{{{size}}}" for size, kind in blocks
    )


def _iban_gate() -> Expression:
    """Where an account number may begin: in a country that has some."""
    countries = "|".join(sorted(iban_patterns.regex_per_country))
    return Expression(rf"(?i)(?:^|[^A-Z0-9])(?:{countries})[0-9]{{2}}(?:[ -]?[A-Z0-9]{{4}}){{2}}")


# -- how they judge ----------------------------------------------------------------------------------------


def _judges(recognizer: Any, thresholds: Mapping[str, float], own: bool = False) -> list[Judge]:
    patterns = getattr(recognizer, "patterns", None)
    if patterns is None:
        return [WholeJudge(recognizer, thresholds)]
    threshold = thresholds.get(recognizer.supported_entities[0], THRESHOLD)
    return [PatternJudge(recognizer, pattern, threshold, own) for pattern in patterns]


class PatternJudge:
    """One pattern of a recognizer, with the recognizer's checks and context words."""

    def __init__(self, recognizer: PatternRecognizer, pattern: Any, threshold: float, own: bool) -> None:
        row = BY_ENTITY.get(recognizer.supported_entities[0])
        self._recognizer = recognizer
        self._entity = recognizer.supported_entities[0]
        self._regex = regex.compile(pattern.regex, FLAGS)
        self._score = pattern.score
        self._threshold = threshold
        self._context = Context(recognizer.context or ())
        self._needs_context = (row is not None and row.needs_context) or pattern.score < threshold
        self._own = own
        self._lead = regex.compile(row.lead, regex.DOTALL) if row and row.lead else None
        self._rest = regex.compile(row.rest) if row and row.rest else None
        self._never_after = _before(row.never_after) if row and row.never_after else None
        self._never_before = regex.compile(row.never_before) if row and row.never_before else None
        self._never = regex.compile(row.never) if row and row.never else None
        self._by_group = isinstance(recognizer, predefined.IbanRecognizer)
        self._valid = regex.compile(row.valid, regex.ASCII) if row and row.valid else None
        self.gate = self._gate(pattern.regex, row.gate if row and not own else None)
        self.reach = (row and not own and row.reach) or (
            _REACH if looks_beyond_words(pattern.regex) else WORD
        )

    def _gate(self, pattern: str, instead: Expression | None) -> Expression:
        """Where a match counts only after a context word, the gate demands that word too."""
        if self._by_group:
            return _iban_gate()
        if instead or not self._needs_context:
            return instead or Expression(pattern, FLAGS)
        return Expression(rf"(?i:{self._context.gate})(?s:.{{0,{WIDTH}}}?)(?:{pattern})", FLAGS)

    def wants(self, key: str) -> bool:
        return self._needs_context and self._context.within(key)

    def judge(self, text: str, start: int, end: int, key: str) -> Iterator[Span]:
        timeout = None if end - start <= _SHORT and not self._own else TIMEOUT
        try:
            for match in self._regex.finditer(text, start, end, concurrent=True, timeout=timeout):
                if span := self._weighed(text, match, key):
                    yield span
        except TimeoutError as e:
            raise DetectionFailed(f"a pattern of {self._entity} took longer than {TIMEOUT:g} s") from e

    def _weighed(self, text: str, match: Any, key: str) -> Span | None:
        first = self._start(text, match)
        if first is None:
            return None
        for last in self._ends(match):
            value = text[first:last]
            if self._is_other(text, last, value):
                continue
            score = self._checked(value)
            if score and (score := self._in_context(text, first, value, score, key)) >= self._threshold:
                return Span(first, last, self._entity, score)
        return None

    def _start(self, text: str, match: Any) -> int | None:
        """Where the value begins; None where what stands before it says that it is something else."""
        lead = self._lead.match(match[0]) if self._lead else None
        first: int = match.start() + (lead.end() if lead else 0)
        return None if self._never_after and self._never_after.match(text, first) else first

    def _is_other(self, text: str, last: int, value: str) -> bool:
        """Whether the value, or what stands behind it, says that it is something else."""
        if self._never_before and self._never_before.match(text, last):
            return True
        return self._never is not None and self._never.fullmatch(value) is not None

    def _ends(self, match: Any) -> list[int]:
        """Where the value may end. The groups of an IBAN's pattern are its last blocks, which may be the next
        word: "DE89 3704 0044 0532 0130 00 TO". What ends an address may be a file's: "bob@acme.com.txt"."""
        if not self._by_group:
            every = [match.end()] if match[0] else []
            return every + self._shorter(match)
        return sorted({match.end(n) for n in range(1, match.re.groups + 1) if match.end(n) > 0}, reverse=True)

    def _shorter(self, match: Any) -> list[int]:
        """Where the value ends, should the end of the match be something else."""
        if self._rest is None:
            return []
        start, end = match.start() + match[0].rfind("@"), match.end()
        return [n for n in range(end - 1, start, -1) if self._rest.fullmatch(match.string, n, end)]

    def _checked(self, value: str) -> float:
        """The score after the recognizer's own checks; 0 where they say no."""
        if self._valid and self._valid.fullmatch(value):
            return float(self._score)
        valid = self._recognizer.validate_result(value)
        if valid is False or self._recognizer.invalidate_result(value):
            return 0.0
        return 1.0 if valid else float(self._score)

    def _in_context(self, text: str, first: int, value: str, score: float, key: str) -> float:
        """The score with what stands before the value. A bare number needs a word whatever its checksum says,
        unless a policy's own pattern asks for it."""
        alone = not self._needs_context and (self._own or not value.isdigit())
        if alone and score >= 1.0:  # nothing can be surer
            return score
        if self._context.within(key) or self._context.before(text, first):
            return min(1.0, max(score + CONTEXT_ADDS, THRESHOLD))
        return score if alone else 0.0


def _before(pattern: str) -> Any:
    """What matches where a pattern has just ended, or in the next line."""
    return regex.compile(rf"(?<=(?:{pattern})\n?)")


_ESCAPE = regex.compile(r"\\.", regex.DOTALL)
_BEYOND = frozenset(
    (r"\s", r"\W", r"\D", r"\t", r"\n", r"\r", r"\x", r"\u", r"\p", r"\P", r"\N", r"\Z", r"\z")
)
"""Escapes that may stand for white space, or for an end of the text that a window's end is taken for."""
_CLASS = regex.compile(r"\[[^\]]*+\]")


def looks_beyond_words(pattern: str) -> bool:
    """False where surely no match of a pattern holds white space, nor hangs on what stands behind it."""
    if not _BEYOND.isdisjoint(_ESCAPE.findall(pattern)):
        return True
    plain = _ESCAPE.sub("x", pattern)
    bare = _CLASS.sub("", plain)
    return any(space in plain for space in " \t\n\r") or "[^" in plain or "." in bare or "$" in bare


class WholeJudge:
    """A recognizer that is more than patterns, and so is asked about whole texts."""

    gate = None
    reach = _REACH

    def __init__(self, recognizer: Any, thresholds: Mapping[str, float]) -> None:
        self._recognizer = recognizer
        self._thresholds = thresholds

    def wants(self, key: str) -> bool:
        return False

    def judge(self, text: str, start: int, end: int, key: str) -> Iterator[Span]:
        for result in self._recognizer.analyze(text[start:end], self._recognizer.supported_entities, None):
            if result.score >= self._thresholds.get(result.entity_type, THRESHOLD):
                yield Span(start + result.start, start + result.end, result.entity_type, result.score)
