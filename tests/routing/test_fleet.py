from __future__ import annotations

from typing import Any

import pytest

from support.routes import HELLO, call_of, runtime
from tollgate.calls import Call, Checkup, Refused, Runtime
from tollgate.routing import fleet as fleets
from tollgate.routing.fleet import Board, Fleet, Memory, Planned
from tollgate.routing.strategies import STRATEGIES

TARGETS = {name: {"provider": "openai"} for name in ("a", "b", "c")}
ALL = ["a", "b", "c"]


def fleet(**policy: Any) -> Fleet:
    return Fleet(runtime(**{"targets": TARGETS, **policy}), Board())


async def names(of: Fleet, route: dict[str, Any], body: Any = None) -> str:
    planned = await of.plan(call_of({"route": {"targets": ALL, **route}}, body))
    return "".join(target.name for target in planned.targets)


async def test_a_plan_has_the_fitting_targets_in_order() -> None:
    route = {"targets": [{"target": "a", "operations": "embeddings"}, "b", "same"]}
    planned: Planned = await fleet().plan(call_of({"route": route}))

    assert [target.name for target in planned.targets] == ["b", "same"]
    assert planned.passed_over == (("a", "it is not for chat"),)
    assert planned.targets[0].host == planned.targets[1].host == "api.openai.com"


async def test_without_targets_a_call_stays() -> None:
    planned = await fleet().plan(call_of({"route": {"retries": 1}}))

    assert [target.name for target in planned.targets] == ["same"]


@pytest.mark.parametrize(
    ("route", "said"),
    [
        ({"targets": [{"target": "a", "operations": "embeddings"}]}, "a: it is not for chat"),
        ({"strategy": "canary", "targets": [{"target": "a", "share": 0.0}]}, "a: it has no share in it"),
    ],
)
async def test_a_call_for_which_there_is_no_target_is_refused(route: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        await fleet().plan(call_of({"route": route}))


async def test_one_target_may_stand_there_twice() -> None:
    choices = [{"target": "a", "operations": "embeddings"}, {"target": "a", "operations": "chat"}]

    assert await names(fleet(), {"targets": choices}) == "a"


async def test_round_robin_goes_on_with_each_call() -> None:
    of = fleet()

    assert [await names(of, {"strategy": "round_robin"}) for _ in range(3)] == ["abc", "bca", "cab"]


async def test_a_conversation_stays_with_its_target_whatever_the_strategy() -> None:
    of = fleet()
    route = {"strategy": "round_robin", "sticky": True}
    other = {**HELLO, "messages": [{"role": "user", "content": "another"}]}

    assert [await names(of, route) for _ in range(3)] == ["abc", "abc", "acb"]
    assert (await names(of, route, other))[0] == "a"
    assert [(await names(of, {"strategy": "weighted", "sticky": True})) for _ in range(5)] == [
        await names(fleet(), {"strategy": "weighted", "sticky": True})
    ] * 5


def checked(failing: str, **policy: Any) -> Fleet:
    told = runtime(**{"targets": TARGETS, **policy})
    told.checkups.update({name: Checkup(problem="down" if name in failing else "") for name in ALL})
    return Fleet(told, Board())


@pytest.mark.parametrize("strategy", [s for s in STRATEGIES if s != "canary"])
async def test_targets_whose_checks_fail_come_last_whatever_the_strategy(strategy: str) -> None:
    for _ in range(5):
        assert (await names(checked("ac"), {"strategy": strategy}))[0] == "b"


async def test_those_that_work_share_what_a_failing_one_would_have_had() -> None:
    of = checked("b")

    assert [await names(of, {"strategy": "round_robin"}) for _ in range(3)] == ["acb", "cab", "acb"]


async def test_a_canary_that_fails_gets_no_share() -> None:
    targets = [{"target": "a", "share": 1.0}, "b"]

    assert await names(checked("a"), {"strategy": "canary", "targets": targets}) == "ba"
    assert await names(checked("b"), {"strategy": "canary", "targets": targets}) == "ab"


async def test_a_conversation_leaves_its_target_only_while_that_fails() -> None:
    of, route = checked(""), {"strategy": "round_robin", "sticky": True}
    seen = [await names(of, route)]
    for problem in ("down", ""):
        of._checkups["a"].problem = problem
        seen.append(await names(of, route))

    assert [order[0] for order in seen] == ["a", "b", "a"]
    assert seen[1][-1] == "a"


async def test_a_plan_carries_how_its_targets_do() -> None:
    planned = await checked("").plan(call_of({"route": {"targets": ["a", "same"]}}))

    assert [target.checkup for target in planned.targets] == [Checkup(), None]


async def test_weighted_is_by_chance_where_nothing_sticks() -> None:
    of = fleet()

    assert {(await names(of, {"strategy": "weighted"}))[0] for _ in range(200)} == {"a", "b", "c"}


async def test_the_least_busy_is_known_by_its_standing() -> None:
    board = Board()
    of = Fleet(runtime(targets=TARGETS), board)
    board.standing("a", "api.openai.com", "gpt-6").busy = 2
    board.standing("b", "api.openai.com", "gpt-6").busy = 1

    assert await names(of, {"strategy": "least_busy"}) == "cba"


def test_a_standing_is_one_of_target_host_and_model() -> None:
    board = Board()

    assert board.standing("a", "h", "m") is board.standing("a", "h", "m")
    assert board.standing("a", "h", "m") is not board.standing("a", "h", "n")


async def test_the_cheapest_is_by_agreed_prices_then_by_those_that_are_asked_for() -> None:
    def quote(call: Call, provider: str, host: str, model: str) -> int | None:
        asked.append((provider, host, model))
        return 10

    asked: list[tuple[str, str, str]] = []
    agreed = {"a": {"prices": {"input": 1, "output": 1}}, "c": {"prices": {"input": 0, "output": 0}}}
    told: Runtime = runtime(targets={name: {"provider": "openai", **agreed.get(name, {})} for name in ALL})
    told.quotes.ask = quote

    assert await names(Fleet(told, Board()), {"strategy": "cheapest"}) == "cba"
    assert asked == [("openai", "api.openai.com", "gpt-6")]


async def test_without_anybody_who_knows_prices_the_order_stays() -> None:
    assert await names(fleet(), {"strategy": "cheapest"}) == "abc"


async def test_a_large_body_is_looked_at_in_a_thread() -> None:
    large = {**HELLO, "messages": [{"role": "user", "content": "x" * fleets.OFF_LOOP}]}
    targets = {"a": {"provider": "openai", "context": 100}, "b": {"provider": "openai"}}

    assert await names(fleet(targets=targets), {"targets": ["a", "b"]}, large) == "b"


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleets, "REMEMBERED", 2)
    memory: Memory[str, str] = Memory()
    for key in ("a", "b", "a", "c"):
        memory.recall(key, lambda key=key: key)  # type: ignore[misc]

    assert list(memory) == ["a", "c"]


async def test_a_conversation_stays_when_the_policy_is_read_again_unless_its_target_is_gone() -> None:
    board, route = Board(), {"strategy": "round_robin", "sticky": True}
    before = Fleet(runtime(targets=TARGETS), board)
    assert [(await names(before, route))[0] for _ in range(2)] == ["a", "a"]

    after = Fleet(runtime(targets=TARGETS), board)
    after._turns.update({("a", "b", "c"): 1})
    assert (await names(after, route))[0] == "a"
    gone = {**route, "targets": ["b", "c"]}
    assert len({(await names(after, gone))[0] for _ in range(3)}) == 1
