"""How late a proxy's loop comes to what is due: an addon that sleeps until it is sent a signal.

It sets a timer for each millisecond and notes by how much later it is called: so long every stream and every
other call would have waited. Beside it stands how much processor time the whole process used meanwhile, at
most as much; for the rest it waited for a processor, which others had. What a host takes away from a virtual
machine may count as used. It uses some processor time, and so watches only while nothing else is measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
import time
from pathlib import Path

PERIOD = 0.001
TOGGLE = signal.SIGUSR1


def file_of(process: int) -> Path:
    """Where the addon in this process leaves what it noted: a JSON list of pairs of milliseconds, how late it
    was, and how much of that the process was at work."""
    return Path(tempfile.gettempdir()) / f"tollgate-bench-lag-{process}.json"


class Lag:
    """Notes from one signal to the next."""

    name = "lag"

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._late: list[tuple[float, float]] = []

    def running(self) -> None:
        asyncio.get_running_loop().add_signal_handler(TOGGLE, self._toggle)

    def _toggle(self) -> None:
        if self._task is None:
            self._late.clear()
            self._task = asyncio.get_running_loop().create_task(self._watch())
        else:
            self._task.cancel()
            self._task = None
            draft = file_of(os.getpid()).with_suffix(".draft")
            draft.write_text(json.dumps(self._late))
            draft.rename(file_of(os.getpid()))

    async def _watch(self) -> None:
        while True:
            due, used = time.perf_counter() + PERIOD, time.process_time()
            await asyncio.sleep(PERIOD)
            late = time.perf_counter() - due
            self._late.append((late * 1000, min(late, time.process_time() - used) * 1000))


addons = [Lag()]
