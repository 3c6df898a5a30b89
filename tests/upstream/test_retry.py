from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from multidict import CIMultiDict

from support.rooms import Batches
from support.routes import answered
from tollgate.calls import Answer, CallError, Failed, Refused
from tollgate.policy.routing import Route
from tollgate.upstream.retry import Result, asks_again, pause, retry_after

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def of(status: int, **more: Any) -> Result:
    return Result(answered(status), status=status, **more)


def error(code: str) -> Result:
    return Result(error=Failed("x", code=code))


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_passes_may_be_asked_again(status: int) -> None:
    assert asks_again(status)
    assert not of(status).good
    assert of(status).may_repeat("chat")
    assert of(status).may_move_on("chat")


@pytest.mark.parametrize("status", [200, 201, 304, 400, 401, 403, 404, 413, 422])
def test_a_success_or_an_error_of_the_clients_own_is_what_it_gets(status: int) -> None:
    assert of(status).good
    assert not of(status).sick


@pytest.mark.parametrize(
    ("result", "repeat", "move_on", "sick"),
    [
        (of(200, broken="cut"), True, True, True),
        (of(429), True, True, False),
        (of(403, key_refused=True), True, True, False),
        (of(503, headers=CIMultiDict({"x-should-retry": "false"})), False, True, True),
        (Result(error=Failed("no", code="answer_untranslatable"), status=200), True, True, True),
        (error("provider_unreachable"), True, True, True),
        (error("provider_disconnected"), True, True, True),
        (error("circuit_open"), False, True, False),
        (error("target_busy"), False, True, False),
        (Result(error=Refused("x", code="forbidden_address")), False, False, False),
        (Result(error=Refused("x", code="untranslatable"), unfit=True), False, True, False),
    ],
)
def test_what_may_be_done_about_a_failure(result: Result, repeat: bool, move_on: bool, sick: bool) -> None:
    assert not result.good
    assert (result.may_repeat("chat"), result.may_move_on("chat"), result.sick) == (repeat, move_on, sick)


@pytest.mark.parametrize(
    ("result", "move_on"),
    [
        (of(500), False),
        (error("provider_disconnected"), False),
        (error("provider_unreachable"), True),
        (error("circuit_open"), True),
        (Result(error=Refused("x", code="y"), unfit=True), True),
    ],
)
def test_what_leaves_something_behind_is_repeated_only_where_nothing_was_sent(
    result: Result, move_on: bool
) -> None:
    assert result.may_move_on("files") is move_on


async def test_discarding_hangs_up() -> None:
    events = Batches()
    await Result(Answer(200, events=events)).discard()
    await Result(answered()).discard()
    await Result(error=CallError("x", code="y")).discard()

    assert events.closed


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 -0000"}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
    ],
)
def test_a_providers_wish_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(CIMultiDict(headers), lambda: NOW) == seconds


def test_pauses_double_up_to_the_longest_and_are_cut_at_random() -> None:
    route = Route.model_validate({"backoff": "1 s", "longest_pause": "3 s"})

    assert [pause(route, n, None, lambda: 1.0) for n in range(4)] == [1.0, 2.0, 3.0, 3.0]
    assert pause(route, 1, None, lambda: 0.0) == 1.0


@pytest.mark.parametrize(("asked", "seconds"), [(0.0, 0.0), (3.0, 3.0), (3.1, None)])
def test_a_providers_wish_goes_before_ours_unless_it_is_too_long(asked: float, seconds: float | None) -> None:
    assert pause(Route.model_validate({"longest_pause": "3 s"}), 0, asked) == seconds
