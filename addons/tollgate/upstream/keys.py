"""The company's own keys: read from where the policy says, renewed, and left alone when they are refused."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tollgate.calls import CLIENT, Failed
from tollgate.policy.routing import Credential

COMMAND_SECONDS = 15.0
"""How long a program may take to print a key."""
_LARGEST = 64 * 1024
_SOON = 0.05
"""A key that may be used so many seconds later may be used: timers are not exact."""


@dataclass(slots=True)
class _Key:
    credential: Credential
    secret: str = field(repr=False)
    read_at: float
    free_at: float = 0.0
    """When it may be used again."""
    failed_at: float = float("-inf")
    """When it last could not be renewed, and why."""
    failure: str = ""


class Keys:
    """The credentials of a policy, all of them read. ValueError, naming the policy's key, for one that cannot
    be had; it may take as long as its program does."""

    def __init__(
        self, credentials: Mapping[str, Credential], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.credentials = credentials
        self._clock = clock
        self._keys = {
            name: _Key(credential, read(name, credential), clock())
            for name, credential in credentials.items()
        }
        self._locks: dict[str, asyncio.Lock] = {}

    def pick(self, names: Iterable[str]) -> str | None:
        """The first of these that is not resting; the client's own never rests. None where all do."""
        soon = self._clock() + _SOON
        return next((name for name in names if name == CLIENT or self._keys[name].free_at <= soon), None)

    def soonest(self, names: Iterable[str]) -> str:
        """The one of these that has rested most."""
        return min(names, key=lambda name: self._keys[name].free_at)

    def rest(self, name: str, seconds: float | None) -> None:
        """Leave one alone for so long, or for as long as the policy says."""
        if name != CLIENT:
            key = self._keys[name]
            key.free_at = self._clock() + (key.credential.rest if seconds is None else seconds)

    async def secret(self, name: str) -> str:
        """The key itself. Failed where it has to be renewed and cannot be."""
        key = self._keys[name]
        if key.credential.env is not None or self._clock() - key.read_at < key.credential.refresh:
            return key.secret
        asked_at = self._clock()
        async with self._locks.setdefault(name, asyncio.Lock()):
            if key.failed_at > asked_at:  # while we waited: a program that hangs would hold up one by one
                raise _unavailable(key.failure)
            if self._clock() - key.read_at >= key.credential.refresh:
                await self._renew(name, key)
        return key.secret

    async def _renew(self, name: str, key: _Key) -> None:
        try:
            key.secret = await asyncio.to_thread(read, name, key.credential)
        except ValueError as e:
            key.failure, key.failed_at = str(e), self._clock()
            raise _unavailable(key.failure) from e
        key.read_at = self._clock()

    def age(self, name: str) -> None:
        """Have one renewed before it is used again: it was refused."""
        if name != CLIENT:
            self._keys[name].read_at = float("-inf")


def _unavailable(why: str) -> Failed:
    return Failed(f"A key cannot be renewed: {why}.", code="key_unavailable")


def read(name: str, credential: Credential) -> str:
    """A credential's value. ValueError, which never repeats what was read, where it cannot be had."""
    if credential.env is not None:
        text = _from_environment(name, credential.env)
    elif credential.file is not None:
        text = _from_file(name, credential)
    else:
        text = _from_command(name, credential.command or [])
    text = text.strip()
    if not text:
        raise ValueError(f"credentials.{name}: what was read is empty")
    if credential.kind != "sigv4" and not (text.isascii() and text.isprintable()):
        raise ValueError(f"credentials.{name}: what was read is more than one line, or no plain text")
    return text


def _from_environment(name: str, variables: list[str]) -> str:
    found = [os.environ.get(variable, "") for variable in variables]
    needed = variables[:2]
    if missing := next((variable for variable in needed if not os.environ.get(variable)), ""):
        raise ValueError(f"credentials.{name}.env: the environment variable {missing} is not set")
    return ":".join(filter(None, found))


def _from_file(name: str, credential: Credential) -> str:
    assert credential.file is not None, "this credential is one of a file"
    try:
        with credential.file.expanduser().open("rb") as file:
            return file.read(_LARGEST).decode("utf-8")
    except OSError as e:
        raise ValueError(f"credentials.{name}.file: {credential.file} cannot be read: {e.strerror}") from e
    except UnicodeDecodeError:
        raise ValueError(f"credentials.{name}.file: {credential.file} is no text") from None


def _from_command(name: str, command: list[str]) -> str:
    where = f"credentials.{name}.command: {command[0]}"
    try:
        done = subprocess.run(  # noqa: S603 (the policy's own command, without a shell)
            command, capture_output=True, timeout=COMMAND_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"{where} printed no key within {COMMAND_SECONDS:g} s") from None
    except OSError as e:
        raise ValueError(f"{where} cannot be run: {e.strerror}") from e
    if done.returncode:
        raise ValueError(f"{where} failed with exit code {done.returncode}")
    return done.stdout[:_LARGEST].decode("utf-8", "replace")
