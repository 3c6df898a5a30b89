"""How late a proxy's loop comes to what is due: an addon that sleeps until it is sent a signal.

It sets a timer for each millisecond and notes by how much later it is called: so long every stream and every
other call would have waited. It uses some processor time, and so watches only while nothing else is measured.
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
    """Where the addon in this process leaves what it noted: milliseconds, as a JSON list."""
    return Path(tempfile.gettempdir()) / f"tollgate-bench-lag-{process}.json"


class Lag:
    """Notes from one signal to the next."""

    name = "lag"

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._late: list[float] = []

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
            due = time.perf_counter() + PERIOD
            await asyncio.sleep(PERIOD)
            self._late.append((time.perf_counter() - due) * 1000)


addons = [Lag()]
