"""Sets Python up for a process that does nothing but carry calls, so that no call waits for housekeeping.

What a call holds goes with its last reference (`LlmStream.let_go`), so the garbage collector finds next to
nothing. At Python's own threshold (2,000 objects) it would look at every other call nevertheless, and what it
would look through is everything the rooms hold.
"""

from __future__ import annotations

import gc

from mitmproxy import http

OBJECTS = (20_000, 20, 50)
"""Thresholds of the three generations."""
_CHECK = "__post_init__"


class Tidy:
    """Has the collector come rarely, and mitmproxy not check the types of what itself has made."""

    name = "tollgate-tidy"

    def __init__(self) -> None:
        self._before = gc.get_threshold()
        self._check = vars(http.MessageData).get(_CHECK)

    def running(self) -> None:
        # A check for mitmproxy's developers, 6 % of a call: for each optional field that is None it makes two
        # exceptions, whose tracebacks keep the stack, and all that stands in it, until the collector comes.
        if self._check:
            setattr(http.MessageData, _CHECK, lambda message: None)
        gc.freeze()  # what is loaded by now stays
        gc.set_threshold(*OBJECTS)

    def done(self) -> None:
        if self._check:
            setattr(http.MessageData, _CHECK, self._check)
        gc.set_threshold(*self._before)
        gc.unfreeze()
