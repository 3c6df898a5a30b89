"""What cannot be undone in the answer: presidio-anonymizer's operators, each on a single value.

Presidio's own engine puts all values of a text in place one by one, which takes quadratic time, and joins
overlapping ones wrongly; so where they stand is our business, and what becomes of one is Presidio's.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from tollgate.policy.dlp import Action

if TYPE_CHECKING:
    from presidio_anonymizer.operators import Operator

_SHOWN = 4
_LEAST_SHOWN = 12
"""Of values at least this long the last four characters stay, as on receipts."""
_REMEMBERED = 4096


class Operators:
    """Applies "mask", "hash", "redact" and "encrypt"; all but "encrypt" give the same for the same key.

    A ciphertext of AES-CBC differs each time. The last ones are kept, so that what a session sends again
    stays the same and the provider's prompt cache valid.
    """

    __slots__ = ("_actions", "_encrypted", "_key", "_salt")

    def __init__(self, key: bytes) -> None:
        self._salt = hmac.digest(key, b"tollgate dlp hash", "sha256")
        self._key = hmac.digest(key, b"tollgate dlp encrypt", "sha256")
        self._encrypted = lru_cache(_REMEMBERED)(self._encrypt)
        self._actions: Mapping[Action, Callable[[str], str]] = {
            "mask": _mask,
            "hash": self._hash,
            "redact": _redact,
            "encrypt": self._encrypted,
        }

    def apply(self, action: Action, value: str) -> str:
        """What stands in the value's place. KeyError for an action that is none of these four."""
        return self._actions[action](value)

    def decrypt(self, text: str) -> str:
        """The value that "encrypt" made this of. ValueError where it was not made with this key."""
        return _operate(_operator("Decrypt"), text, key=self._key)

    def _hash(self, value: str) -> str:
        return _operate(_operator("Hash"), value, hash_type="sha256", salt=self._salt)

    def _encrypt(self, value: str) -> str:
        return _operate(_operator("Encrypt"), value, key=self._key)


def _mask(value: str) -> str:
    shown = _SHOWN if len(value) >= _LEAST_SHOWN else 0
    return _operate(
        _operator("Mask"), value, masking_char="*", chars_to_mask=len(value) - shown, from_end=False
    )


def _redact(value: str) -> str:
    return _operate(_operator("Redact"), value)


def _operate(operator: Operator, value: str, **params: object) -> str:
    operator.validate(params)
    return str(operator.operate(value, params))


def _operator(name: str) -> Operator:
    """Presidio takes a second to import, and most policies only replace."""
    from presidio_anonymizer import operators

    operator: Operator = getattr(operators, name)()
    return operator
