"""What a person is told of a call that is not recorded."""

from __future__ import annotations

from typing import Any

import pytest

from tollgate.cache.cassettes.difference import SHOWN, Difference, differences, nearest

ASKED: dict[str, Any] = {
    "operation": "chat",
    "stream": False,
    "body": {"model": "gpt-6", "messages": [{"role": "user", "content": "hello there"}], "tools": []},
}


def told(recorded: dict[str, Any], asked: dict[str, Any] = ASKED) -> list[str]:
    found = nearest(asked, [("it", recorded)])
    assert found is not None
    return list(map(str, found[1]))


def changed(**body: Any) -> dict[str, Any]:
    return {**ASKED, "body": {**ASKED["body"], **body}}


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        (ASKED, []),
        (changed(model="gpt-5"), ['body.model: recorded "gpt-5", asked "gpt-6"']),
        (changed(seed=7), ["body.seed: recorded 7, not asked"]),
        (
            changed(tools=[1]),
            ["body.tools: not in the recording, asked []", "body.tools[0]: recorded 1, not asked"],
        ),
        (
            changed(messages=[{"role": "user", "content": "hello you"}]),
            ['body.messages[0].content: recorded "hello you", asked "hello there"'],
        ),
        ({**ASKED, "stream": 0}, ["stream: recorded 0, asked false"]),
        ({**ASKED, "stream": None}, ["stream: recorded null, asked false"]),
    ],
)
def test_each_difference_is_told_by_its_path(recorded: dict[str, Any], said: list[str]) -> None:
    assert told(recorded) == said


def test_no_more_of_a_long_text_is_shown_than_where_it_begins_to_differ() -> None:
    same, ends = "x" * 500, ("ONE" + "y" * 500, "TWO" + "y" * 500)
    [said] = told({"text": same + ends[0]}, {"text": same + ends[1]})

    shown = SHOWN - 12
    assert said == (
        f'text: recorded …"{"x" * 12}ONE{"y" * (shown - 3)}"…, asked …"{"x" * 12}TWO{"y" * (shown - 3)}"…'
    )


def test_a_text_that_goes_on_differs_where_the_other_ends() -> None:
    assert told({"text": "one"}, {"text": "one more"}) == ['text: recorded "one", asked "one more"']


def test_the_nearest_is_of_the_same_operation_even_where_more_of_it_differs() -> None:
    other = {**ASKED, "operation": "embeddings"}
    same = changed(model="x", tools=[1, 2, 3], seed=1)

    found = nearest(ASKED, [("other", other), ("same", same)])

    assert found is not None
    assert found[0] == "same"


def test_of_two_that_differ_in_as_much_the_one_with_the_like_text_is_nearer() -> None:
    texts = ["", "something else", "hello to you there", "h"]
    some = [(text, changed(messages=[{"role": "user", "content": text}])) for text in texts]
    some.append(("none", changed(messages=[{"role": "user", "content": None}])))

    found = nearest(ASKED, some)

    assert found is not None
    assert found[0] == "hello to you there"


def test_nothing_is_near_where_nothing_is_recorded() -> None:
    assert nearest(ASKED, []) is None


def test_true_is_not_one() -> None:
    assert len(differences({"a": True}, {"a": 1})) == 1


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("body.messages[0].content", "body.messages[0].content"),
        ("body.a[0][12].x-y_$z", "body.a[0][12].x-y_$z"),
        ("body.input.I am Jane", "body.input.…"),
        ("body.input.jane@acme.example", "body.input.….example"),
        (f"body.{'x' * 41}", "body.…"),
        ("", "…"),
    ],
)
def test_a_place_names_what_dialects_and_programs_name(path: str, place: str) -> None:
    assert Difference(path, "recorded", "asked").place == place
