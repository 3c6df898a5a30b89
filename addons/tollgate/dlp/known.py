"""Values that are secret because of where they stand: in environment variables, .env files and secret files.

Of each value only keyed digests are kept: one of its longest word, by which it is spotted, and one of the
whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import regex

from tollgate.dlp.span import Span
from tollgate.policy import Unfit
from tollgate.policy.dlp import KnownValues
from tollgate.policy.match import Matcher, names

ENTITY, RULE = "SECRET", "known-value"
_PURPOSE = "dlp.known"
_MAX_FILE = 64 * 1024
_SHORTEST_WORD = 3
_WORD = regex.compile(rf"(?<!\w)\w{{{_SHORTEST_WORD},}}+(?!\w)", regex.ASCII)
_ENV_LINE = regex.compile(
    r"[ \t]*(?:export[ \t]+)?[A-Za-z_][\w.\-]*[ \t]*=[ \t]*"
    r"(?:\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|([^\r\n#]*?))[ \t]*(?:#.*)?$",
    regex.MULTILINE,
)
_COMMON = frozenset(
    {"127.0.0.1", "localhost", "production", "development", "postgres", "disabled", "undefined"}
)
"""Values of settings that are no secrets wherever they stand."""


class Digester(Protocol):
    """Makes keyed digests."""

    def digest(self, purpose: str, data: bytes) -> str: ...


class _Value(NamedTuple):
    """A known value, without itself."""

    offset: int
    """Where in it the word begins by which it is spotted."""
    length: int
    digest: str


class KnownValueDetector:
    """A detector for values that are given once and then forgotten."""

    def __init__(self, values: Iterable[str], digester: Digester) -> None:
        self._digester = digester
        self._by_word: dict[str, set[_Value]] = {}
        lengths: set[int] = set()
        for value in values:
            if word := max(_WORD.finditer(value), key=lambda match: len(match[0]), default=None):
                known = _Value(word.start(), len(value), self._digest(value))
                self._by_word.setdefault(self._digest(word[0]), set()).add(known)
                lengths.add(len(word[0]))
        either = "|".join(rf"\w{{{length}}}" for length in sorted(lengths)) or r"\b\B"
        self._candidate = regex.compile(rf"(?<!\w)(?:{either})(?!\w)", regex.ASCII)

    def __bool__(self) -> bool:
        return bool(self._by_word)

    def scan(self, text: str, key: str = "") -> list[Span]:
        if not self._by_word:
            return []
        return [
            span
            for word in self._candidate.finditer(text, concurrent=True)
            for span in self._at(text, word.start(), word[0])
        ]

    def _at(self, text: str, place: int, word: str) -> Iterator[Span]:
        """The values that have this word at this place."""
        for value in self._by_word.get(self._digest(word), ()):
            start = place - value.offset
            end = start + value.length
            if start >= 0 and end <= len(text) and self._digest(text[start:end]) == value.digest:
                yield Span(start, end, ENTITY, 1.0, RULE)

    def _digest(self, value: str) -> str:
        return self._digester.digest(_PURPOSE, value.encode("utf-8", "surrogatepass"))


def known_values(policy: KnownValues, environ: Mapping[str, str]) -> Iterator[str]:
    """All values that a policy points at. Unfit for a file that cannot be read or is no text."""
    for value in _found(policy, environ):
        if len(value) >= policy.min_length and value.lower() not in _COMMON:
            yield value


def _found(policy: KnownValues, environ: Mapping[str, str]) -> Iterator[str]:
    if policy.environment:
        wanted = Matcher(policy.environment, names)
        yield from (value for name, value in environ.items() if wanted.matches([name]))
    for n, path in enumerate(policy.files):
        text = _text(path, n)
        if path.suffix == ".env" or path.name.startswith(".env"):
            yield from env_values(text)
        else:
            yield text.strip()


def _text(path: Path, number: int) -> str:
    at = "detection", "known_values", "files", number
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE + 1)
        text = content.decode()
    except OSError as e:
        raise Unfit(at, f"{path} cannot be read: {e.strerror}") from None
    except UnicodeDecodeError:
        raise Unfit(at, f"{path} is no UTF-8 text") from None
    if len(content) > _MAX_FILE:
        raise Unfit(at, f"{path} is too large for known values: more than {_MAX_FILE // 1024} KB")
    return text


def env_values(text: str) -> Iterator[str]:
    """The values of a .env file, as shells and dotenv read them."""
    for double, single, plain in _ENV_LINE.findall(text):
        if double:
            yield regex.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], double)
        elif value := single or plain:
            yield value
