from __future__ import annotations

import pytest

from tollgate.calls import Standing
from tollgate.policy.routing import Breaker
from tollgate.upstream.breaker import admits, failed, succeeded, undecided

BREAKER = Breaker(failures=2, rest=10.0)


def after(*failures: float) -> Standing:
    standing = Standing()
    for moment in failures:
        failed(standing, BREAKER, moment)
    return standing


@pytest.mark.parametrize(
    ("failures", "now", "admitted"),
    [((), 0.0, True), ((0.0,), 0.0, True), ((0.0, 1.0), 10.9, False), ((0.0, 1.0), 11.0, True)],
)
def test_too_many_failures_close_a_target_for_a_while(
    failures: tuple[float, ...], now: float, admitted: bool
) -> None:
    assert admits(after(*failures), BREAKER, now) is admitted


def test_one_call_finds_out_whether_it_works_again() -> None:
    standing = after(0.0, 1.0)

    assert [admits(standing, BREAKER, 20.0) for _ in range(3)] == [True, False, False]
    succeeded(standing, 1.0)
    assert [admits(standing, BREAKER, 20.0) for _ in range(3)] == [True, True, True]


def test_a_failed_probe_closes_it_again() -> None:
    standing = after(0.0, 1.0)
    admits(standing, BREAKER, 20.0)
    failed(standing, BREAKER, 21.0)

    assert [admits(standing, BREAKER, now) for now in (30.9, 31.0)] == [False, True]


def test_a_probe_that_was_given_up_leaves_the_next_one_to_find_out() -> None:
    standing = after(0.0, 1.0)
    admits(standing, BREAKER, 20.0)
    undecided(standing)

    assert admits(standing, BREAKER, 20.0)


def test_the_time_to_an_answer_is_a_moving_average() -> None:
    standing = Standing()
    succeeded(standing, 1.0)
    succeeded(standing, 2.0)
    succeeded(standing)

    assert standing.first_token == pytest.approx(1.3)
