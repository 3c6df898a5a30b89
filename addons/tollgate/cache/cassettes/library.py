"""A folder of recordings: what it answers, what may be added, and why something is not in it."""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from tollgate.cache.cassettes.asked import Asked, digest, ignoring
from tollgate.cache.cassettes.difference import nearest
from tollgate.cache.cassettes.passing import steady
from tollgate.cache.cassettes.recording import Recording, RecordingError, from_bytes, to_bytes

type Mode = Literal["none", "once", "new"]
"""What becomes of a call that is not recorded: "none" refuses it, "new" records it, "once" records it where
the folder was empty, else refuses it."""

SUFFIX = ".json"
TOLD = 5
"""Differences that are told at most."""
_ODD = re.compile(r"[^A-Za-z0-9._-]+")


class CassetteError(ValueError):
    """A folder, or a file in it, that cannot be used; says which one, and what is wrong."""


class Explanation(NamedTuple):
    """Why a call is not known, in a few words."""

    values: str
    """For who asks: with some characters of what differs, redacted."""
    places: str
    """For records: only where it differs."""


@dataclass(slots=True)
class Group:
    """The recordings of one request, in the order in which it was asked."""

    recordings: list[Recording]
    given: int = 0
    """How often one of them was."""

    def give(self) -> Recording:
        """The next one; after the last one, that again."""
        self.given += 1
        return self.recordings[min(self.given, len(self.recordings)) - 1]


class Library:
    """The recordings of a folder. What had any when it was opened is answered from them, in any mode."""

    def __init__(self, folder: Path, mode: Mode, ignored: Iterable[str] = ()) -> None:
        """CassetteError where the folder cannot be read, or be written to where that is to be done, or a file
        in it is no recording."""
        self.folder = folder
        try:
            self._ignored = ignoring(ignored)
        except ValueError as e:
            raise CassetteError(str(e)) from e
        self._groups: dict[str, Group] = {}
        self._files: list[tuple[str, Asked]] = []
        self._numbers: Counter[str] = Counter()
        for name, recording in _read(folder):
            self._files.append((name, steady(recording.request)))
            group = self._groups.setdefault(self.key(recording.request), Group([]))
            group.recordings.append(recording)
        for group in self._groups.values():
            group.recordings.sort(key=lambda recording: recording.number)
        self.records = mode == "new" or (mode == "once" and not self._files)
        """Whether calls may be added."""
        if self.records:
            _make_writable(folder)
        if mode == "none" and not self._files:
            raise CassetteError(f"There are no recordings in {folder}. Make them with `tollgate record`.")

    def key(self, request: Asked) -> str:
        """What a request finds its recordings by."""
        return digest(request, self._ignored)

    def find(self, key: str) -> Recording | None:
        """The next answer to a request; None where it was not recorded before."""
        group = self._groups.get(key)
        return group.give() if group else None

    def number(self, key: str) -> int:
        """The number of a recording that is about to be made."""
        self._numbers[key] += 1
        return self._numbers[key]

    def explain(self, request: Asked) -> Explanation:
        """How a request differs from the nearest recording."""
        found = nearest(steady(request), self._files)
        if found is None:
            return Explanation("Nothing is recorded yet.", "Nothing is recorded yet.")
        name, differences = found
        more = len(differences) - TOLD
        rest = f"; and {more} more" if more > 0 else ""
        begins, told = f"The nearest one, {name}, differs in ", differences[:TOLD]
        values, places = "; ".join(map(str, told)), "; ".join(d.place for d in told)
        return Explanation(f"{begins}{values}{rest}.", f"{begins}{places}{rest}.")

    def save(self, recording: Recording) -> Path:
        """Write a recording, whole or not at all. CassetteError where that is not possible."""
        path = self.folder / file_name(recording)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self.folder, prefix=".draft-")
            with os.fdopen(handle, "wb") as file:
                file.write(to_bytes(recording))
            os.chmod(draft, 0o644)  # it goes into a repository
            os.replace(draft, path)
        except OSError as e:
            raise CassetteError(f"{path} cannot be written: {e.strerror}.") from e
        return path


def file_name(recording: Recording) -> str:
    """The same for the same call, whenever it is recorded: openai-chat-0f3a9c1b04d2-1.json"""
    request = recording.request
    words = (request["provider"], request["operation"], digest(request), recording.number)
    return _ODD.sub("_", "-".join(map(str, words))) + SUFFIX


def _read(folder: Path) -> list[tuple[str, Recording]]:
    try:
        paths = sorted(folder.glob(f"[!.]*{SUFFIX}")) if folder.exists() else []
        return [(path.name, _recording(path)) for path in paths]
    except OSError as e:
        raise CassetteError(f"The recordings in {folder} cannot be read: {e.strerror}.") from e


def _make_writable(folder: Path) -> None:
    """Find out before the calls are made, and paid for."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as e:
        raise CassetteError(f"Nothing can be recorded in {folder}: {e.strerror}.") from e


def _recording(path: Path) -> Recording:
    try:
        return from_bytes(path.read_bytes())
    except RecordingError as e:
        raise CassetteError(f"{path} is no recording: {e}. Mend it, or remove it and record again.") from e
