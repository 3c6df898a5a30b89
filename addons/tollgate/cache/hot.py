"""Entries that were used of late, ready to be given: no thread, no decompression, no JSON. Pure."""

from __future__ import annotations

from collections import OrderedDict

from tollgate.cache.entry import Entry

_EACH = 1024
_PIECE = 256
"""Bytes that an entry, and each event of it, takes besides what it holds; roughly."""
_LARGEST = 8
"""No entry takes more than this part of the room."""


class Hot:
    """Entries by name, the least recently used of which make room for others.

    Each has the stamp that its row on disk had: under another stamp it is not found.
    """

    __slots__ = ("_entries", "_left", "_room")

    def __init__(self, room: int) -> None:
        """`room` is in bytes."""
        self._room = self._left = room
        self._entries: OrderedDict[str, tuple[float, Entry]] = OrderedDict()

    def get(self, name: str, stamp: float) -> Entry | None:
        found = self._entries.get(name)
        if found is None or found[0] != stamp:
            return None
        self._entries.move_to_end(name)
        return found[1]

    def put(self, name: str, stamp: float, entry: Entry | None) -> None:
        """Keep an entry in place of any older one; nothing is kept of None, and of what is too large."""
        if (old := self._entries.pop(name, None)) is not None:
            self._left += _weight(old[1])
        if entry is None or _weight(entry) > self._room // _LARGEST:
            return
        self._entries[name] = stamp, entry
        self._left -= _weight(entry)
        while self._left < 0:
            _, (_, oldest) = self._entries.popitem(last=False)
            self._left += _weight(oldest)


def _weight(entry: Entry) -> int:
    return _EACH + entry.size + _PIECE * len(entry.pieces)
