"""How Python shares its time: when it looks for cycles, and how long a thread keeps others waiting.

Cycles are looked for by what they hold, not by how many objects were made:
mitmproxy's layers and flows refer to each other, so a call's bodies stay until the garbage collector comes.
A call makes some thousand objects, at which Python's own threshold (2,000) has it look at every call; at one
that is worth its while, sixty calls of 1 MB would hold 200 MB.

Large bodies are looked into in threads, of which one runs at a time. Python lets each run for 5 ms before
another gets its turn, and a stream's event takes several turns (wait, receive, send).
"""

from __future__ import annotations

import gc
import sys

from tollgate.calls import Call

OBJECTS = (20_000, 20, 50)
"""Thresholds of the three generations."""
BYTES = 16 * 1024 * 1024
"""Of bodies that have passed since the last look."""
TURN = 0.0002
"""Seconds that a thread runs while another waits. A change of turns takes some millionths."""


class Tidy:
    """Sets the collector for a process that does nothing but carry calls."""

    name = "tollgate-tidy"

    def __init__(self) -> None:
        self._before = gc.get_threshold(), sys.getswitchinterval()
        self._passed = 0

    def running(self) -> None:
        """The policy's engines are built by now: the gate stands before this one."""
        gc.collect()
        gc.freeze()  # what is left stays, and is not walked again
        gc.set_threshold(*OBJECTS)
        sys.setswitchinterval(TURN)

    def llm_end(self, call: Call) -> None:
        self._passed += call.bytes_in + call.bytes_out
        if self._passed > BYTES:
            self._passed = 0
            gc.collect()  # all generations: calls under way at an earlier look have grown old since

    def done(self) -> None:
        threshold, turn = self._before
        gc.set_threshold(*threshold)
        gc.unfreeze()
        sys.setswitchinterval(turn)
