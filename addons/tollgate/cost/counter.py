"""How many tokens a text has: counted where there are ranks, else estimated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

import tiktoken

from tollgate.cost.ranks import FILES, find, load

CHUNK = 64 * 1024
"""Characters that are counted at once. tiktoken panics on a million spaces; cut into chunks, what is counted
differs by 0.005 % at the most."""

_BREAK = re.compile(r"\s(?=\S)")
_WEIGHTS = (
    (re.compile(r"[A-Za-z]+"), 0.63),
    (re.compile(r"[A-Za-z]"), 0.087),
    (re.compile(r"\d{1,3}"), 1.51),
    (re.compile(r"[^\w\s]+"), 0.84),
    (re.compile(r"[^\w\s]"), 0.052),
    (re.compile(r"\n\s*"), 1.48),
    (re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"), 0.76),
    (re.compile(r"[^\W\d_A-Za-z\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"), 0.32),
)
"""Tokens of o200k_base for each match, by least squares over prose, code, JSON and texts in 15 languages; on
the half that it was not fitted to, 90 % of texts of 4 KB come out between 0.85 and 1.10 of the truth."""


class Counter:
    """Counts texts in one encoding. Any thread may; the ranks are read when they are first needed.

    ValueError where the folder of ranks does not have them.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._sources = {name: find(name, folder) for name in FILES}
        self._loaded: dict[str, tiktoken.Encoding] = {}
        self._lock = Lock()

    def ready(self, encoding: str) -> bool:
        """Whether counting takes no longer than the text does: no ranks have to be read first."""
        return encoding in self._loaded or self._sources[encoding] is None

    def count(self, text: str, encoding: str) -> int:
        """Tokens of a text. It takes 50 ms for a MB: not for the event loop."""
        ranks = self._ranks(encoding)
        if ranks is None:
            return estimate(text)
        return sum(len(ranks.encode_ordinary(chunk)) for chunk in chunks(text))

    def _ranks(self, name: str) -> tiktoken.Encoding | None:
        if (read := self._sources[name]) is None:
            return None
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = load(name, read)
            return self._loaded[name]


def estimate(text: str) -> int:
    """About how many tokens a text has, without ranks."""
    return round(
        sum(weight * len(pattern.findall(chunk)) for chunk in chunks(text) for pattern, weight in _WEIGHTS)
    )


def chunks(text: str, size: int = CHUNK) -> Iterator[str]:
    """A text in pieces of that many characters at the most, cut before a word where there is one near."""
    start = 0
    while len(text) - start > size:
        end = start + size
        near = [found.start() for found in _BREAK.finditer(text, max(start, end - 1024), end)]
        end = near[-1] if near and near[-1] > start else end
        yield text[start:end]
        start = end
    yield text[start:]
