from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from support.routes import call_of
from tollgate.routing.conversation import conversation_of, fraction

FIRST = {"role": "user", "content": "hello"}
MORE = [{"role": "assistant", "content": "hi"}, {"role": "user", "content": "bye"}]


def named(body: Any, session: str = "", user: str = "ann") -> str:
    call = call_of(body=body)
    call.identity = replace(call.identity, session=session, user=user)
    return conversation_of(call)


@pytest.mark.parametrize("key", ["messages", "input", "contents"])
def test_a_conversation_is_known_by_how_it_begins(key: str) -> None:
    system = {"role": "system", "content": "Be brief."}

    assert named({key: [FIRST]}) == named({key: [FIRST, *MORE]}) == named({key: [system, FIRST, *MORE]})
    assert named({key: [FIRST]}) != named({key: MORE})
    assert named({key: [FIRST]}) != named({key: [FIRST]}, user="bob")


def test_a_session_goes_before_all() -> None:
    assert named({"messages": [FIRST]}, "s") == named({"messages": MORE}, "s")
    assert named({"messages": [FIRST]}, "s") != named({"messages": [FIRST]}, "t")


@pytest.mark.parametrize("value", ["k", {"id": "k"}])
def test_what_the_body_names_goes_before_how_it_begins(value: Any) -> None:
    assert named({"prompt_cache_key": value, "input": "a"}) == named(
        {"prompt_cache_key": value, "input": "b"}
    )


@pytest.mark.parametrize("body", [{"input": "text"}, {"input": ["text"]}, {}, [], {"prompt_cache_key": 3}])
def test_everything_has_a_name(body: Any) -> None:
    assert len(named(body)) == 32


def test_a_fraction_is_always_the_same_and_as_if_by_chance() -> None:
    drawn = [fraction("a", str(n)) for n in range(1000)]

    assert fraction("a", "0") == drawn[0]
    assert fraction("ab", "c") != fraction("a", "bc")
    assert all(0 <= number < 1 for number in drawn)
    assert 450 < sum(number < 0.5 for number in drawn) < 550
