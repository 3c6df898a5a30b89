from __future__ import annotations

import json
from typing import Any

import pytest

from support.routes import call_of, runtime
from tollgate.calls import Call, Checkup
from tollgate.routing.addon import Routing
from tollgate.routing.render import NOTE
from tollgate.routing.translation.neutral import Signature
from tollgate.routing.translation.signatures import wrap

ROUTE = {"targets": ["t", "same"]}


async def planned(mode: str = "enforce", **policy: Any) -> Call:
    addon = Routing()
    told = runtime(**policy)
    addon.llm_prepare(told)
    addon.llm_setup(told)
    call = call_of({"mode": mode, "route": policy.get("route", {})})
    await addon.llm_request(call)
    return call


async def test_a_call_without_a_route_is_left_alone() -> None:
    call = await planned()

    assert (call.plan, call.verdicts) == ((), [])


async def test_a_call_with_a_route_has_its_plan_and_why() -> None:
    call = await planned(targets={"t": {"provider": "openai", "model": "m"}}, route=ROUTE)

    assert [target.name for target in call.plan] == ["t", "same"]
    [verdict] = call.verdicts
    assert (verdict.room, verdict.action, verdict.code) == ("routing", "allow", "routed")
    assert verdict.reason == "priority: t (m), then same"


async def test_why_a_target_comes_last_is_told() -> None:
    addon, told = Routing(), runtime(targets={"t": {"provider": "openai", "model": "m"}})
    told.checkups["t"] = Checkup(problem="down")
    addon.llm_prepare(told)
    addon.llm_setup(told)
    call = call_of({"route": ROUTE})
    await addon.llm_request(call)

    assert call.verdicts[0].reason == "priority: same, then t (m, fails its checks)"


async def test_observe_only_says_what_would_be() -> None:
    call = await planned("observe", targets={"t": {"provider": "openai"}}, route=ROUTE)

    assert call.plan == ()
    assert [(v.action, v.code) for v in call.verdicts] == [("observe", "would_route")]


@pytest.mark.parametrize(("lost", "reasons"), [([], []), (["citations"], ["citations"])])
def test_what_the_answer_lost_is_on_record(lost: list[str], reasons: list[str]) -> None:
    class Lossy:
        losses = lost

    call = call_of()
    call.notes[NOTE] = Lossy()
    Routing().llm_end(call)
    Routing().llm_end(call)

    assert [verdict.reason.partition(": ")[2] for verdict in call.verdicts] == reasons


async def test_before_its_setup_it_cannot_route() -> None:
    with pytest.raises(RuntimeError, match="llm_prepare"):
        await Routing().llm_request(call_of({"route": {"retries": 1}}))


def test_a_target_without_a_place_stops_the_policy() -> None:
    with pytest.raises(ValueError, match="no host for all"):
        Routing().llm_prepare(runtime(targets={"t": {"provider": "bedrock"}}))


async def test_a_thought_of_another_provider_does_not_go_back_to_the_clients_own() -> None:
    """Without a route too: the policy may have had one when the conversation began."""
    seal = wrap(Signature("openai", "s"), "anthropic")
    thought = {"type": "thinking", "thinking": "why", "signature": seal}
    said = [{"role": "assistant", "content": [thought, {"type": "text", "text": "1.50"}]}]
    body = {"model": "claude-sonnet-5", "max_tokens": 9, "messages": said, "tools": [{"type": "web_search"}]}
    call = call_of(body=body, speaks="anthropic-messages", provider="anthropic", host="api.anthropic.com")
    addon, told = Routing(), runtime()
    addon.llm_prepare(told)
    addon.llm_setup(told)
    await addon.llm_request(call)
    leg = call.plan[0].render(call)

    assert json.loads(leg.request.body.render()) == {
        **body,
        "messages": [{"role": "assistant", "content": [{"type": "text", "text": "1.50"}]}],
    }
    assert leg.losses == ("thoughts of another provider (messages)",)
    assert json.loads(call.request.body.render()) == body
