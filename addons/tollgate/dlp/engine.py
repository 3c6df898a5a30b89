"""All detectors of a policy as one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tollgate.dlp.allow import AllowList
from tollgate.dlp.cards import ENTITY as CARD
from tollgate.dlp.cards import CardJudge
from tollgate.dlp.known import Digester, KnownValueDetector, known_values
from tollgate.dlp.ner import build_ner
from tollgate.dlp.phones import ENTITY as PHONE
from tollgate.dlp.phones import phone_judges
from tollgate.dlp.profile import THRESHOLD
from tollgate.dlp.secrets import build_secrets
from tollgate.dlp.span import Detector, Span, in_order
from tollgate.dlp.windows import Judge, Windowed, build_windowed
from tollgate.policy.dlp import Detection


class Engine:
    """Finds all that a policy looks for. Safe to use from several threads at once."""

    def __init__(
        self, detectors: Sequence[Detector], allow: AllowList, slow: Sequence[Detector] = ()
    ) -> None:
        self._detectors = (*detectors, *slow)
        self._allow = allow
        self.quick = Engine(detectors, allow) if slow else self
        """The same without the slow ones: it takes microseconds, so it may run on the event loop."""

    def scan(self, text: str, key: str = "") -> list[Span]:
        """Everything found, from left to right, overlaps included. DetectionFailed where a pattern took too
        long. `key` is the JSON key under which the text stands."""
        found = {span for detector in self._detectors for span in detector.scan(text, key)}
        return in_order(span for span in found if not self._allowed(text, span))

    def _allowed(self, text: str, span: Span) -> bool:
        return self._allow.allows(text[span.start : span.end], span.entity)


def build(
    detection: Detection, cache: Path, digester: Digester, environ: Mapping[str, str] = os.environ
) -> Engine:
    """The engine for a policy. To build it takes seconds: Presidio is imported, patterns are compiled unless
    `cache`, a folder of our own, has them.

    ValueError says what in the policy cannot be, RulesMissing that a package is not installed.
    """
    detectors: list[Detector] = [_personal(detection, cache), build_secrets(detection.secrets, cache)]
    if known := KnownValueDetector(known_values(detection.known_values, environ), digester):
        detectors.append(known)
    ner = build_ner(detection.ner, detection.thresholds)
    return Engine(detectors, AllowList(detection.allow), slow=[ner] if ner else [])


def _personal(detection: Detection, cache: Path) -> Windowed:
    from tollgate.dlp import presidio  # imports for seconds

    judges: list[Judge] = presidio.build_judges(detection)
    if CARD not in detection.without:
        judges.append(CardJudge(detection.thresholds.get(CARD, THRESHOLD)))
    if PHONE not in detection.without:
        judges += phone_judges(detection.phone_regions, detection.thresholds.get(PHONE, THRESHOLD))
    return build_windowed(judges, cache)


def resolve(spans: Iterable[Span], strength: Callable[[Span], int] = lambda span: 0) -> list[Span]:
    """The findings without overlaps, from left to right.

    Where some overlap, one stands for all that they cover, so that no end of one is left over: the one whose
    action has the most `strength`, then the longest, then the surest.
    """
    resolved: list[Span] = []
    for span in in_order(spans):
        if resolved and span.start < resolved[-1].end:
            resolved[-1] = _united(resolved[-1], span, strength)
        else:
            resolved.append(span)
    return resolved


def _united(one: Span, other: Span, strength: Callable[[Span], int]) -> Span:
    winner = max(one, other, key=lambda span: (strength(span), span.end - span.start, span.score))
    return winner._replace(start=min(one.start, other.start), end=max(one.end, other.end))
