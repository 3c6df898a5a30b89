from __future__ import annotations

import pytest

from tollgate.calls import Checkup, Standing
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


def test_a_target_whose_checks_fail_is_left_alone_however_its_calls_did() -> None:
    checkup = Checkup(problem="down")

    assert not admits(after(), BREAKER, 0.0, checkup)
    assert not admits(after(0.0, 1.0), BREAKER, 20.0, checkup)
    checkup.problem = ""
    assert admits(after(), BREAKER, 0.0, checkup)


@pytest.mark.parametrize(("passed_at", "admitted"), [(0.9, False), (1.1, True)])
def test_a_check_that_passes_after_the_last_failure_lets_one_call_find_out_at_once(
    passed_at: float, admitted: bool
) -> None:
    standing, checkup = after(0.0, 1.0), Checkup(passed_at=passed_at)

    assert [admits(standing, BREAKER, 2.0, checkup) for _ in range(2)] == [admitted, False]


def test_where_that_call_fails_it_takes_another_check() -> None:
    standing, checkup = after(0.0, 1.0), Checkup(passed_at=1.5)
    admits(standing, BREAKER, 2.0, checkup)
    failed(standing, BREAKER, 2.5)

    assert not admits(standing, BREAKER, 3.0, checkup)
    checkup.passed_at = 4.0
    assert admits(standing, BREAKER, 4.5, checkup)
