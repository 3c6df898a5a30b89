"""When Python looks for cycles."""

from __future__ import annotations

import gc
import sys
import weakref

import pytest

from support.upstream import make_call
from tollgate.gate import tidy
from tollgate.gate.tidy import Tidy


class Flow:
    """Refers to itself, as mitmproxy's flows do by way of their layers."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.parametrize(("passed", "gone"), [(1024, False), (tidy.BYTES + 1, True)])
def test_large_bodies_are_let_go_soon(passed: int, gone: bool) -> None:
    tidying = Tidy()
    tidying.running()
    try:
        flow = weakref.ref(Flow())
        call = make_call()
        call.bytes_in = passed
        tidying.llm_end(call)

        assert (flow() is None) is gone
    finally:
        tidying.done()


def settings() -> tuple[tuple[int, int, int], float]:
    return gc.get_threshold(), sys.getswitchinterval()


def test_the_interpreter_is_left_as_it_was() -> None:
    before = settings()
    tidying = Tidy()
    tidying.running()
    collector, turn = settings()
    tidying.done()

    assert collector == tidy.OBJECTS
    assert turn == pytest.approx(tidy.TURN)
    assert settings() == before
