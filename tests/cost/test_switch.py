"""Another model in a request's body."""

from __future__ import annotations

import json

import pytest

from support.costs import make_call
from tollgate.cost.switch import find, model_slot, switch_model


@pytest.mark.parametrize(
    "body",
    [
        '{"model": "gpt-6", "messages": []}',
        '{ "messages":[{"role":"user","content":"\\"model\\": \\"gpt-6\\""}],\n\t"model":"gpt-6" , "n":1.0}',
        '{"metadata": {"model": "gpt-6", "deep": [["x", {"y": "z"}], null, true]}, "model": "gpt\\u002d6"}',
    ],
)
def test_just_that_literal_changes(body: str) -> None:
    call = make_call(body)
    literal = '"gpt\\u002d6"' if "\\u002d" in body else '"gpt-6"'
    before, _, after = (
        body.rpartition(literal) if not body.startswith('{"model"') else body.partition(literal)
    )

    assert switch_model(call, "gpt-6-mini")
    assert call.request.body.render().decode() == f'{before}"gpt-6-mini"{after}'
    assert json.loads(call.request.body.render())["model"] == "gpt-6-mini"


def test_after_another_room_has_edited_it_is_still_the_model() -> None:
    call = make_call('{"messages": [{"role": "user", "content": "hi"}], "model": "gpt-6"}')
    body = call.request.body
    body.edit(next(slot for slot in body.slots if slot.text == "hi"), "[EMAIL_1]")
    switch_model(call, "x")

    assert body.json == {"messages": [{"role": "user", "content": "[EMAIL_1]"}], "model": "x"}


@pytest.mark.parametrize("body", ['{"messages": []}', '{"model": 6}', '{"model": ""}', "[]"])
def test_a_body_that_names_no_model_stays(body: str) -> None:
    call = make_call(body)

    assert not switch_model(call, "x")
    assert not call.request.body.edited


def test_where_the_path_names_the_model_the_body_stays() -> None:
    call = make_call(params={"model": "deployment"})

    assert not switch_model(call, "x")
    assert not call.request.body.edited


def test_a_body_that_was_not_read_names_none() -> None:
    call = make_call()
    call.request.body = type(call.request.body)(b"opaque")

    assert model_slot(call) is None


def test_a_path_leads_down_and_may_end_nowhere() -> None:
    tree = {"a": ["1", "2"], "b": {"c": "3", "d": {"e": "4"}}}

    found = find(tree, ("b", "d", "e"))
    assert found is not None
    assert (found.ordinal, found.text) == (8, "4")
    assert find(tree, ("b", "x")) is None
    assert find(tree, ("a", "x")) is None
