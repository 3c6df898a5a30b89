"""Sets Python up for a process that does nothing but carry calls, so that none waits for housekeeping.

What a call holds goes with its last reference (`LlmStream.let_go`), so the garbage collector finds next to
nothing. At Python's own threshold (2,000 objects) it would look at every other call nevertheless, and what it
would look through is everything the rooms hold.

Large bodies are looked into in threads, of which one runs at a time. Python lets each run for 5 ms before
another gets its turn, and a stream's event takes several turns (wait, receive, send).
"""

from __future__ import annotations

import gc
import sys

from mitmproxy import http

OBJECTS = (5_000, 20, 50)
"""Thresholds of the three generations. While 20,000 new objects are looked through, nothing else goes on for
3 ms."""
TURN = 0.0002
"""Seconds that a thread runs while another waits. A change of turns takes some millionths."""
_CHECK = "__post_init__"


class Tidy:
    """Has the collector come rarely, threads take turns often, and mitmproxy trust what itself has made."""

    name = "tollgate-tidy"

    def __init__(self) -> None:
        self._before = gc.get_threshold(), sys.getswitchinterval()
        self._check = vars(http.MessageData).get(_CHECK)

    def running(self) -> None:
        """The policy's engines are built by now: the gate stands before this one."""
        # A check for mitmproxy's developers, 6 % of a call: for each optional field that is None it makes two
        # exceptions, whose tracebacks keep the stack, and all that stands in it, until the collector comes.
        if self._check:
            setattr(http.MessageData, _CHECK, lambda message: None)
        gc.collect()
        gc.freeze()  # what is left stays, and is not walked again
        gc.set_threshold(*OBJECTS)
        sys.setswitchinterval(TURN)

    def done(self) -> None:
        if self._check:
            setattr(http.MessageData, _CHECK, self._check)
        threshold, turn = self._before
        gc.set_threshold(*threshold)
        gc.unfreeze()
        sys.setswitchinterval(turn)
