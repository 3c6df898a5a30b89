"""The Trail: hears of every call, connection and notice, and keeps a record of each."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from tollgate.calls import Call, Connection, Notice, Refused, Runtime
from tollgate.store import StateError
from tollgate.trail.record import Record, bodies, call_record, connection_record, notice_record, to_line
from tollgate.trail.writer import TrailWriter

logger = logging.getLogger(__name__)

_RECORD_SIZE = 2048
"""About what a record takes in memory."""
_NO_BODIES: Mapping[str, bytes] = MappingProxyType({})


class Opened(NamedTuple):
    runtime: Runtime
    writer: TrailWriter


class Trail:
    """Writes the trail; turns calls away while it cannot, where the policy wants none without a record."""

    name = "trail"

    def __init__(self, memory: int = 64 * 1024 * 1024) -> None:
        self._memory = memory  # bytes of records that may wait while the disk is full
        self._opened: Opened | None = None
        self._told = 0  # of the lost records, how many the trail itself tells of

    @property
    def healthy(self) -> bool:
        """False while records cannot be written."""
        return self._opened is not None and self._opened.writer.healthy

    @property
    def lost(self) -> int:
        """How many records were lost since the trail was opened."""
        return self._opened.writer.lost if self._opened else 0

    # -- life ----------------------------------------------------------------------------------------------

    def llm_setup(self, runtime: Runtime) -> None:
        """Open the trail where the policy says. StateError where that cannot be; an open one then stays."""
        settings = runtime.policy.file.trail
        path = settings.path or runtime.state / "trail" / "calls.jsonl"
        writer = self._opened.writer if self._opened else None
        if writer is None or (path, settings.flush) != (writer.path, writer.flush):
            writer = self._reopen(path, settings.flush)
        self._opened = Opened(runtime, writer)

    def llm_health(self) -> Mapping[str, object]:
        return {"ok": not self._turns_away(), "healthy": self.healthy, "lost": self.lost}

    def done(self) -> None:
        if self._opened:
            self._opened.writer.close()

    def _reopen(self, path: Path, flush: float) -> TrailWriter:
        try:
            writer = TrailWriter(path, flush, logger.warning, self._memory)
        except OSError as e:
            raise StateError(
                f"The trail {path} cannot be written: {e.strerror}. Set trail.path in the policy."
            ) from e
        self.done()
        self._told = 0
        return writer

    # -- calls ---------------------------------------------------------------------------------------------

    def _turns_away(self) -> bool:
        return not self.healthy and self._ready().runtime.policy.file.trail.on_full == "refuse"

    async def llm_request(self, call: Call) -> None:
        if self._turns_away():
            # 400 like any other refusal: on a 503 agents try again for minutes, and nobody reads why.
            raise Refused(
                "Tollgate refused this call because it cannot be recorded: the trail cannot be written."
                ' Free some space, or set trail.on_full to "count" in the policy.',
                code="trail_unavailable",
                always=True,
            )

    def llm_end(self, call: Call) -> None:
        self._keep(call_record(call, self._ready().runtime.policy.digest), bodies(call))

    def llm_connection(self, connection: Connection) -> None:
        self._keep(connection_record(connection))

    def llm_notice(self, notice: Notice) -> None:
        self._keep(notice_record(notice))

    def _ready(self) -> Opened:
        if self._opened is None:
            raise RuntimeError("the gate calls llm_setup before the first call")
        return self._opened

    def _keep(self, record: Record, hashed: Mapping[str, bytes] = _NO_BODIES) -> None:
        """Hand a record to the writer; after a gap, first one that tells of it."""
        gap = self.lost - self._told
        if gap and self.healthy:
            self._told += gap
            notice = Notice("records_lost", f"{gap} records before this one were lost")
            self._put(notice_record(notice), _NO_BODIES)
        self._put(record, hashed)

    def _put(self, record: Record, hashed: Mapping[str, bytes]) -> None:
        runtime, writer = self._ready()
        size = _RECORD_SIZE + sum(map(len, hashed.values()))
        writer.put(partial(to_line, record, hashed, runtime.digester), size)
