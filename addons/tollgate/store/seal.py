"""Bytes that nobody can change unseen, and that nobody can read where that is wanted. Pure."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_OPEN, _SECRET = b"\x01", b"\x02"
_NONCE = 12
_MAC = 16


class Seal:
    """Seals bytes under a name: what is put under another name, or changed by a bit, does not open."""

    __slots__ = ("_cipher", "_mac", "_secret")

    def __init__(self, key: bytes, purpose: bytes, *, secret: bool = True) -> None:
        """`secret` encrypts (AES-GCM); else values are only signed (keyed BLAKE2b). Either one opens both."""
        self._cipher = AESGCM(hmac.digest(key, b"tollgate seal " + purpose, "sha256"))
        self._mac = hmac.digest(key, b"tollgate mac " + purpose, "sha256")
        self._secret = secret

    def close(self, name: str, value: bytes) -> bytes:
        """The sealed value."""
        return self.close_all([(name, value)])[0]

    def close_all(self, named: Iterable[tuple[str, bytes]]) -> list[bytes]:
        """Sealed values, in their order. For all of them the kernel is asked once for what is random: with
        every such call a thread lets go of Python, and waits to have it back."""
        if not self._secret:
            return [_OPEN + self._signature(name, value) + value for name, value in named]
        named = list(named)
        random = os.urandom(_NONCE * len(named))
        nonces = [random[at : at + _NONCE] for at in range(0, len(random), _NONCE)]
        encrypt = self._cipher.encrypt
        return [
            _SECRET + nonce + encrypt(nonce, value, name.encode())
            for nonce, (name, value) in zip(nonces, named, strict=True)
        ]

    def open(self, name: str, sealed: bytes) -> bytes | None:
        """The value; None where it is not what was sealed under that name with this key."""
        kind, rest = sealed[:1], sealed[1:]
        if kind == _OPEN:
            signature, value = rest[:_MAC], rest[_MAC:]
            return value if hmac.compare_digest(signature, self._signature(name, value)) else None
        if kind != _SECRET or len(rest) <= _NONCE:
            return None
        try:
            return self._cipher.decrypt(rest[:_NONCE], rest[_NONCE:], name.encode())
        except InvalidTag:
            return None

    def _signature(self, name: str, value: bytes) -> bytes:
        digest = hashlib.blake2b(digest_size=_MAC, key=self._mac)
        digest.update(b"%d:%b" % (len(name), name.encode()))
        digest.update(value)
        return digest.digest()
