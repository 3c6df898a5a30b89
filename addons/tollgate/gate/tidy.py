"""When Python looks for cycles: by what they hold, not by how many objects were made.

mitmproxy's layers and flows refer to each other, so a call's bodies stay until the garbage collector comes.
A call makes some thousand objects, at which Python's own threshold (2,000) has it look at every call; at one
that is worth its while, sixty calls of 1 MB would hold 200 MB.
"""

from __future__ import annotations

import gc

from tollgate.calls import Call

OBJECTS = (20_000, 20, 50)
"""Thresholds of the three generations."""
BYTES = 16 * 1024 * 1024
"""Of bodies that have passed since the last look."""


class Tidy:
    """Sets the collector for a process that does nothing but carry calls."""

    name = "tollgate-tidy"

    def __init__(self) -> None:
        self._before = gc.get_threshold()
        self._passed = 0

    def running(self) -> None:
        gc.freeze()  # what is loaded by now stays
        gc.set_threshold(*OBJECTS)

    def llm_end(self, call: Call) -> None:
        self._passed += call.bytes_in + call.bytes_out
        if self._passed > BYTES:
            self._passed = 0
            gc.collect()  # all generations: calls under way at an earlier look have grown old since

    def done(self) -> None:
        gc.set_threshold(*self._before)
        gc.unfreeze()
