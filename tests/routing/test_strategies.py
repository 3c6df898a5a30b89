from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tollgate.calls import Standing
from tollgate.policy.routing import Choice, Target
from tollgate.routing.conversation import fraction
from tollgate.routing.spec import Spec
from tollgate.routing.strategies import STRATEGIES, Candidate, Moment


def candidates(**choices: Choice) -> list[Candidate]:
    return [Candidate(choice, Spec(name, Target())) for name, choice in choices.items()]


def three(weight: float = 1.0, share: float | None = None) -> list[Candidate]:
    """The last is the special one."""
    plain = {name: Choice(target=name) for name in ("a", "b")}
    return candidates(**plain, c=Choice(target="c", weight=weight, share=share))


def drawn(*numbers: float) -> Callable[[str], float]:
    left: Iterator[float] = iter(numbers)
    return lambda name: next(left)


def order(strategy: str, of: list[Candidate], moment: Moment | None = None) -> str:
    return "".join(candidate.name for candidate in STRATEGIES[strategy](of, moment or Moment(drawn())))


def test_priority_keeps_the_order() -> None:
    assert order("priority", three()) == "abc"


def test_round_robin_begins_with_another_each_time() -> None:
    turns = [order("round_robin", three(), Moment(drawn(), turn)) for turn in range(4)]

    assert turns == ["abc", "bca", "cab", "abc"]


def test_weights_are_how_often_each_is_first() -> None:
    first = Counter(
        order("weighted", three(weight=2), Moment(lambda name, n=n: fraction(str(n), name)))[0]  # type: ignore[misc]
        for n in range(4000)
    )

    assert first["c"] / 4000 == pytest.approx(0.5, abs=0.03)
    assert first["a"] / 4000 == pytest.approx(0.25, abs=0.03)


def test_a_target_that_goes_moves_no_other_ones_calls() -> None:
    def draw(call: int) -> Moment:
        return Moment(lambda name: fraction(str(call), name))

    moved = [
        call
        for call in range(300)
        if (before := order("weighted", three(), draw(call)))[0] != "c"
        and order("weighted", three()[:2], draw(call))[0] != before[0]
    ]
    assert moved == []


def test_the_least_busy_is_least_busy_for_its_weight() -> None:
    of = three(weight=4)
    for candidate, busy in zip(of, (2, 1, 3), strict=True):
        candidate.standing.busy = busy

    assert order("least_busy", of) == "cba"


def test_the_quickest_is_first_and_who_is_not_known_before_it() -> None:
    of = [
        Candidate(c.choice, c.spec, "", Standing(first_token=t))
        for c, t in zip(three(), (2.0, 0.5, None), strict=True)
    ]

    assert order("lowest_latency", of) == "cba"


def test_the_cheapest_is_first_and_who_is_not_known_last() -> None:
    prices = {"a": None, "b": 3.0, "c": 0.0}

    assert order("cheapest", three(), Moment(drawn(), price=lambda c: prices[c.name])) == "cba"


@pytest.mark.parametrize(("number", "expected"), [(0.0, "cab"), (0.09, "cab"), (0.1, "ab"), (0.99, "ab")])
def test_a_canary_has_its_share_and_the_others_behind_it(number: float, expected: str) -> None:
    assert order("canary", three(share=0.1), Moment(drawn(number))) == expected


def test_several_canaries_have_each_their_own_share() -> None:
    of = candidates(a=Choice(target="a"), b=Choice(target="b", share=0.1), c=Choice(target="c", share=0.1))

    assert [order("canary", of, Moment(drawn(n))) for n in (0.05, 0.15, 0.25)] == ["ba", "ca", "a"]
