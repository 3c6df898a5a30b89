"""How often a like question has the same answer, served and in shadow: pairs asked through the Cache room."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from rich.table import Table

from evaluation.asking import Outcome, Pair, Setting, ask
from evaluation.tables import table
from tollgate.cache.semantic.guards import Words
from tollgate.cache.semantic.models import Model, Vector

THRESHOLDS = (0.0, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
WORDS: tuple[Words, ...] = ("same", "order")
SETTINGS = tuple(Setting(words, threshold) for words in WORDS for threshold in THRESHOLDS)
_WIDTH = 1024
_GRAMS = (3, 4, 5)


class NGrams:
    """Character n-grams, hashed: no model, but made of nothing and the same everywhere."""

    def embed(self, text: str) -> Vector:
        plain = f" {' '.join(text.lower().split())} "
        vector = np.zeros(_WIDTH, np.float32)
        for size in _GRAMS:
            for start in range(len(plain) - size + 1):
                vector[zlib.crc32(plain[start : start + size].encode()) % _WIDTH] += 1
        return vector / np.float32(max(float(np.linalg.norm(vector)), 1e-9))


class Remembering:
    """Another model, which embeds each text once."""

    def __init__(self, model: Model) -> None:
        self.embed = cache(model.embed)


def pairs(path: Path) -> list[Pair]:
    """The pairs of JSON lines with "one", "other", "same" (true or false), "kind", and perhaps "answers"."""
    return [_pair(**json.loads(line)) for line in path.read_text("utf-8").splitlines() if line.strip()]


def _pair(one: str, other: str, same: bool, kind: str, answers: Sequence[str] = ()) -> Pair:
    first, second = answers or _by_label(same)
    return Pair(one, other, same, kind, (first, second))


def by_label(pair: Pair) -> Pair:
    """With answers that say no more than the label: what shadow mode can see at best."""
    return replace(pair, answers=_by_label(pair.same))


def _by_label(same: bool) -> tuple[str, str]:
    return "yes", "yes" if same else "no"


# -- all of it ---------------------------------------------------------------------------------------------


def measure(title: str, found: Sequence[Pair], model: Model, threshold: float) -> Iterator[Table | str]:
    """Figures of each half by setting, what one half recommends and the other makes of it, then by kind."""
    model = Remembering(model)
    settings = dict.fromkeys((*SETTINGS, *(Setting(words, threshold) for words in WORDS)))
    outcomes = asyncio.run(_all(found, tuple(settings), model))
    first, second = ([o for o in outcomes if _held_out(o.pair) is held] for held in (False, True))
    yield _by_setting(f"{title}: first half", first)
    yield _by_setting(f"{title}: held-out half", second)
    yield _EXPLAINED + _told_of_both(outcomes)
    yield _choice(first, second)
    yield _by_kind(f"answered at {threshold}, by kind of pair, both halves", outcomes, model, threshold)


async def _all(found: Sequence[Pair], settings: Sequence[Setting], model: Model) -> list[Outcome]:
    return [outcome async for outcome in ask(found, settings, model)]


def _held_out(pair: Pair) -> bool:
    """By the first question, so that pairs which share it stand in one half."""
    return zlib.crc32(pair.one.encode()) % 2 == 1


# -- by setting --------------------------------------------------------------------------------------------

_EXPLAINED = (
    "served: right, wrong, precision = right of all served, hits = right of all with one answer\n"
    "shadow: agreed, differed, none found; foretold = verdicts that say whether serving is right\n"
)


def _told_of_both(outcomes: Sequence[Outcome]) -> str:
    alike = sum(outcome.served is bool(outcome.said) for outcome in outcomes)
    return f"both modes find an answer, or none, alike: in {alike} of {len(outcomes)} cases\n"


def _by_setting(title: str, outcomes: Sequence[Outcome]) -> Table:
    pairs = {outcome.pair for outcome in outcomes}
    same = sum(pair.same for pair in pairs)
    title = f"{title}, {same} pairs with one answer, {len(pairs) - same} with two"
    served, shadow = ("right", "wrong", "precision", "hits"), ("agreed", "differed", "none", "foretold")
    made = table("words", "threshold", *served, *shadow, title=title)
    for setting in SETTINGS:
        of_it = [outcome for outcome in outcomes if outcome.setting == setting]
        first = setting.threshold == THRESHOLDS[0]
        made.add_row(setting.words if first else "", str(setting.threshold), *_served(of_it), *_shadow(of_it))
        made.rows[-1].end_section = setting.threshold == THRESHOLDS[-1]
    return made


def _served(outcomes: Sequence[Outcome]) -> Iterator[str]:
    right, wrong = _right(outcomes), _wrong(outcomes)
    yield str(right)
    yield str(wrong)
    yield _share(right, right + wrong)
    yield _share(right, sum(outcome.pair.same for outcome in outcomes))


def _shadow(outcomes: Sequence[Outcome]) -> Iterator[str]:
    said = Counter(outcome.said for outcome in outcomes)
    true = sum((outcome.said == "agreed") is outcome.pair.same for outcome in outcomes if outcome.said)
    yield from (str(said[word]) for word in ("agreed", "differed", ""))
    yield _share(true, said["agreed"] + said["differed"])


def _right(outcomes: Sequence[Outcome]) -> int:
    return sum(outcome.served and outcome.pair.same for outcome in outcomes)


def _wrong(outcomes: Sequence[Outcome]) -> int:
    return sum(outcome.served and not outcome.pair.same for outcome in outcomes)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "-"


# -- what one half recommends --------------------------------------------------------------------------------


def _choice(first: Sequence[Outcome], second: Sequence[Outcome]) -> str:
    told = ["chosen on the first half, tried on the held-out half:"]
    for words in WORDS:
        chosen = _lowest_without_errors(words, first)
        if chosen is None:
            told.append(f"  {words}: no threshold serves anything and nothing wrong")
        else:
            tried = (_told([o for o in half if o.setting == chosen]) for half in (first, second))
            told.append(f"  {words}: {chosen.threshold} serves {', then '.join(tried)}")
    return "\n".join(told) + "\n"


def _lowest_without_errors(words: Words, outcomes: Sequence[Outcome]) -> Setting | None:
    for setting in (setting for setting in SETTINGS if setting.words == words):
        of_it = [outcome for outcome in outcomes if outcome.setting == setting]
        if _right(of_it) and not _wrong(of_it):
            return setting
    return None


def _told(outcomes: Sequence[Outcome]) -> str:
    return f"{_right(outcomes)} right and {_wrong(outcomes)} wrong"


# -- by kind -----------------------------------------------------------------------------------------------


def _by_kind(title: str, outcomes: Sequence[Outcome], model: Model, threshold: float) -> Table:
    shadow = (f"{words} agreed" for words in WORDS)
    made = table("kind", "one answer", "pairs", "alike", *WORDS, *shadow, title=title)
    for kind in dict.fromkeys(outcome.pair.kind for outcome in outcomes):
        of_kind = [o for o in outcomes if o.pair.kind == kind and o.setting.threshold == threshold]
        by_words = [[o for o in of_kind if o.setting.words == words] for words in WORDS]
        served = (str(sum(o.served for o in of_words)) for of_words in by_words)
        agreed = (str(sum(o.said == "agreed" for o in of_words)) for of_words in by_words)
        alike = sum(_likeness(o.pair, model) >= threshold for o in by_words[0])
        same = "yes" if of_kind[0].pair.same else "no"
        made.add_row(kind, same, str(len(by_words[0])), str(alike), *served, *agreed)
    return made


def _likeness(pair: Pair, model: Model) -> float:
    one, other = model.embed(pair.one), model.embed(pair.other)
    return float(one @ other) if one is not None and other is not None else 0.0
