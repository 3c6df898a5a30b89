"""A process that does nothing but carry calls."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from mitmproxy import http

from tollgate.gate.tidy import OBJECTS, TURN, Tidy


@pytest.fixture
def tidying() -> Iterator[Tidy]:
    tidying = Tidy()
    tidying.running()
    try:
        yield tidying
    finally:
        tidying.done()


def message(timestamp_end: Any) -> http.Response:
    return http.Response(b"HTTP/1.1", 200, b"OK", http.Headers(), b"", None, 0.0, timestamp_end)


def settings() -> tuple[tuple[int, int, int], float]:
    return gc.get_threshold(), sys.getswitchinterval()


def test_the_collector_comes_rarely_and_turns_are_short(tidying: Tidy) -> None:
    collector, turn = settings()

    assert collector == OBJECTS
    assert turn == pytest.approx(TURN)
    assert gc.get_freeze_count() > 0


def test_messages_are_taken_as_they_were_made(tidying: Tidy) -> None:
    assert message("no time").data.get_state()["timestamp_end"] == "no time"


def test_all_is_left_as_it_was() -> None:
    before = settings()
    tidying = Tidy()
    tidying.running()
    tidying.done()

    assert settings() == before
    assert gc.get_freeze_count() == 0
    with pytest.raises(TypeError):
        message("no time")


def test_a_mitmproxy_without_the_check_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(http.MessageData, "__post_init__")
    tidying = Tidy()
    tidying.running()
    tidying.done()

    assert not hasattr(http.MessageData, "__post_init__")
