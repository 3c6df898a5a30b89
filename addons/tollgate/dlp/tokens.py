"""Tokens: what stands in for a value at the provider, and can be found again in its answer.

A token is fourteen letters and digits: a brand that no other text begins with, a letter for its kind, and
ten that a keyed digest of the value gives. So the same value has the same token in every turn, process and
machine that shares the key (a provider's prompt cache stays valid), nobody without the key can tell a token's
value by trying, and capital letters, Markdown, URLs and JSON leave it whole. Models copy such value-like
words where they rewrite `<NAME_1>` or `${SECRET}`:
https://github.com/openguardrails/openguardrails/blob/main/proposals/secrets-placeholder-shape.md
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from tollgate.calls.standins import BRAND as BRAND
from tollgate.calls.standins import SHAPE
from tollgate.calls.standins import WIDTH as WIDTH

EMAIL = "E"
PERSON = "P"
DOMAIN = "@pii.invalid"
"""What makes an e-mail token look like one. RFC 2606 keeps .invalid for names that cannot be."""

KINDS: Mapping[str, str] = {
    "SECRET": "S",
    "EMAIL_ADDRESS": EMAIL,
    "PERSON": PERSON,
    "LOCATION": "L",
    "ORGANIZATION": "O",
    "CREDIT_CARD": "C",
    "PHONE_NUMBER": "T",
    "IBAN_CODE": "B",
    "IP_ADDRESS": "A",
    "US_SSN": "N",
}
"""The letter for each entity; all others share `X`."""

_OTHER = "X"
_REMEMBERED = 4096
_NAMES = frozenset((PERSON, "L", "O"))
"""Kinds whose tokens read as a name: one capitalised word that can be pronounced."""

_BODY = WIDTH - len(BRAND) - 1
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PAIRS = tuple(one + other for one in _BASE32 for other in _BASE32)
"""Ten bits as two letters of base32 (RFC 4648)."""
_CONSONANTS = "bcdfghjklmnpqrstvwxz"
_VOWELS = "aeiouy"

_PATTERN = re.compile(rf"{SHAPE.pattern}(?:{re.escape(DOMAIN)})?", SHAPE.flags)


def pattern() -> re.Pattern[str]:
    """Finds all text that has the shape of a token, whoever made it, in any case."""
    return _PATTERN


def core(token: str) -> str:
    """What tokens are told apart by: without domain, in lower case."""
    return token[:WIDTH].lower()


class Minter:
    """Makes tokens. The same key, entity and value always give the same one."""

    __slots__ = ("_key",)

    steady = True
    """True where the token of a value does not depend on what else is in the call."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"tollgate dlp tokens", "sha256")

    def token(self, entity: str, value: str, again: int = 0) -> str:
        """The token for a value; `again` gives another one, where the first stands for something else."""
        kind = KINDS.get(entity, _OTHER)
        message = f"{kind}{again or ''}|{value}".encode()
        return _dress(kind, hmac.digest(self._key, message, "sha256"))


class Numbered(Minter):
    """Makes tokens of the first, second, … value of each kind in a call. They say nothing of the values, and
    are the same in every installation: what is recorded with them fits wherever the same is asked."""

    __slots__ = ("_token",)

    steady = False

    def __init__(self) -> None:
        super().__init__(b"")
        self._token = lru_cache(_REMEMBERED)(super().token)

    def token(self, entity: str, value: str, again: int = 0) -> str:
        return self._token(entity, "", again)


class Book:
    """Which token stands for what in one call."""

    __slots__ = ("_minter", "_originals")

    def __init__(self, minter: Minter, known: Mapping[str, str] = MappingProxyType({})) -> None:
        self._minter = minter
        self._originals = dict(known)

    @property
    def originals(self) -> Mapping[str, str]:
        """Token → the value it stands for."""
        return self._originals

    @property
    def steady(self) -> bool:
        """True where the token of a value does not depend on what else is in the call."""
        return self._minter.steady

    def enter(self, token: str, value: str) -> bool:
        """Enter a token that an earlier call had for a value. False where it stands for another one."""
        return self._originals.setdefault(token, value) == value

    def enter_all(self, tokens: Iterable[tuple[str, str]]) -> bool:
        """`enter` several, each with its value; False as soon as one stands for something else."""
        enter = self._originals.setdefault
        return all(enter(token, value) == value for token, value in tokens)

    def copy(self) -> Book:
        """One that goes its own way from here on."""
        return Book(self._minter, self._originals)

    def token(self, entity: str, value: str) -> str:
        """The token for a value, entered here. No two values of a call share one."""
        again = 0
        token = self._minter.token(entity, value)
        while not self.enter(token, value):
            again += 1
            token = self._minter.token(entity, value, again)
        return token


def _dress(kind: str, digest: bytes) -> str:
    """The digest as a token of that kind."""
    if kind in _NAMES:
        return (BRAND + kind).capitalize() + _syllables(digest)
    bits = int.from_bytes(digest[:7]) >> 6
    body = "".join(_PAIRS[bits >> shift & 0x3FF] for shift in range(5 * _BODY - 10, -1, -10))
    token = BRAND + kind + body
    return token.lower() + DOMAIN if kind == EMAIL else token


def _syllables(digest: bytes) -> str:
    number = int.from_bytes(digest[:8])
    letters = []
    for _ in range(_BODY // 2):
        number, consonant = divmod(number, len(_CONSONANTS))
        number, vowel = divmod(number, len(_VOWELS))
        letters.append(_CONSONANTS[consonant] + _VOWELS[vowel])
    return "".join(letters)
