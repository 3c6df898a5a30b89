"""The key of this installation, and the keyed digests that are made with it.

A digest stands in the trail for what must not: a credential, a body. The same input gives the same digest, so
records can be told apart and joined; without the key nobody can find the input by trying.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.poly1305 import Poly1305

from tollgate.store.state import StateError

logger = logging.getLogger(__name__)

KEY_FILE = "tollgate.key"
_KEY_BYTES = 32
_LONG = 4096
"""Bytes from which on it takes less time to hash data twice."""


class Digester:
    """Keyed digests, apart for each purpose: the same data never gives the same digest for two of them."""

    __slots__ = ("_key", "_one_time")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._one_time = hashlib.blake2b(key=key, digest_size=32, person=b"poly1305").digest()

    def digest(self, purpose: str, data: bytes) -> str:
        """BLAKE2b of the data as 32 hex digits. `purpose` has at most 16 bytes.

        Of long data it is BLAKE2b of their Poly1305 tag, in a tenth of the time: a universal hash under a
        pseudorandom function is one itself (Boneh and Shoup, Applied Cryptography, 7.3). The key of Poly1305
        serves for all of them, as no tag is ever seen.
        """
        if len(data) >= _LONG:
            data = Poly1305.generate_tag(self._one_time, data)
        return hashlib.blake2b(data, digest_size=16, key=self._key, person=purpose.encode()).hexdigest()


def load_key(folder: Path) -> bytes:
    """The 32 secret bytes of this state folder, made at the first call. StateError where they cannot be had.

    Processes that start at the same time get the same key.
    """
    path = folder / KEY_FILE
    try:
        if not path.exists():
            _create(path)
        key = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as e:
        raise StateError(f"The key file {path} cannot be used: {e.strerror}.") from e
    if len(key) != _KEY_BYTES:
        raise StateError(
            f"The key file {path} has {len(key)} bytes and should have {_KEY_BYTES}. Put the old one back, or"
            " remove it to begin with a new key, whose fingerprints will differ from those in older records."
        )
    if mode & 0o077:  # no reason to stop: secrets that are mounted into containers are often like this
        logger.warning("The key file %s can be read by others. Run: chmod 600 %s", path, path)
    return key


def _create(path: Path) -> None:
    """Write a new key, unless another process was first."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".key-")  # 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # whole or not at all, and unlike a rename it replaces nothing
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
