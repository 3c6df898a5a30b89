from __future__ import annotations

from typing import Any

import pytest

from tollgate.calls import Usage
from tollgate.dialects.counts import Counts, tally

COUNTS = Counts(
    within=("answer", ""),
    at=("usage", "late.usage"),
    fields={
        "input": ("in", "prompt"),
        "cache_read": ("cached",),
        "output": ("out",),
        "reasoning": ("thought",),
    },
    parts=(("cache_read", "input"), ("reasoning", "output")),
    total="total",
    words={"tier": ("tier",)},
)
UPDATES = Counts(
    fields={"cache_write": ("writes",), "cache_write_long": ("hour",), "output": ("out",)},
    parts=(("cache_write_long", "cache_write"),),
    updates=True,
)


@pytest.mark.parametrize(
    ("document", "usage"),
    [
        ({"usage": {"in": 10, "out": 5}}, Usage(input=10, output=5)),
        ({"usage": {"prompt": 10}}, Usage(input=10)),
        ({"answer": {"late": {"usage": {"in": 1}}}}, Usage(input=1)),
        (
            {"usage": {"in": 10, "cached": 4, "out": 5, "thought": 2}},
            Usage(input=6, cache_read=4, output=3, reasoning=2),
        ),
        ({"usage": {"in": 1}, "tier": "flex"}, Usage(input=1, tier="flex")),
    ],
)
def test_a_whole_is_left_without_its_parts(document: Any, usage: Usage) -> None:
    assert COUNTS.read(document, None) == usage


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "text",
        {},
        {"usage": None},
        {"usage": []},
        {"usage": {}},
        {"usage": {"in": "10"}},
        {"tier": "flex"},
    ],
)
def test_what_says_nothing_changes_nothing(document: Any) -> None:
    so_far = Usage(input=3)

    assert COUNTS.read(document, None) is None
    assert COUNTS.read(document, so_far) is so_far


def test_no_part_is_more_than_its_whole() -> None:
    """OpenRouter has been seen to report 11 reasoning tokens in an output of 10."""
    assert COUNTS.read({"usage": {"in": 43, "out": 10, "thought": 11}}, None) == Usage(input=43, reasoning=10)


@pytest.mark.parametrize(
    ("said", "output", "reasoning"),
    [
        ({"in": 10, "out": 5, "thought": 2, "total": 15}, 3, 2),
        ({"in": 10, "out": 3, "thought": 2, "total": 15}, 3, 2),
        ({"in": 10, "out": 3, "total": 15}, 5, 0),
        ({"in": 10, "out": 5, "total": 12}, 5, 0),
        ({"in": 10, "out": 5, "total": None}, 5, 0),
    ],
)
def test_output_that_only_the_sum_has_is_counted(said: Any, output: int, reasoning: int) -> None:
    assert COUNTS.read({"usage": said}, None) == Usage(input=10, output=output, reasoning=reasoning)


def test_a_sum_alone_is_no_output() -> None:
    assert COUNTS.read({"usage": {"in": 4, "total": 9}}, None) == Usage(input=4)


def test_a_later_count_takes_the_place_of_an_earlier_one() -> None:
    first = COUNTS.read({"usage": {"in": 10, "cached": 4, "out": 1}, "tier": "flex"}, None)

    assert COUNTS.read({"usage": {"in": 12, "out": 7}}, first) == Usage(input=12, output=7, tier="flex")


def test_an_update_keeps_what_it_does_not_say() -> None:
    first = UPDATES.read({"usage": {"writes": 100, "hour": 60, "out": 1}}, None)

    assert first == Usage(cache_write=40, cache_write_long=60, output=1)
    assert UPDATES.read({"usage": {"out": 9}}, first) == Usage(cache_write=40, cache_write_long=60, output=9)
    assert UPDATES.read({"usage": {"writes": 110}}, first) == Usage(
        cache_write=50, cache_write_long=60, output=1
    )


def test_an_earlier_usage_is_not_changed() -> None:
    first = Usage(output=1)
    UPDATES.read({"usage": {"out": 9}}, first)

    assert first == Usage(output=1)


def test_what_no_path_can_say_is_read_by_a_function() -> None:
    counts = Counts(
        fields={"input": ("in",)}, beside=lambda answer, said, found: {"input": found["input"] + said["more"]}
    )

    assert counts.read({"usage": {"in": 1, "more": 2}}, None) == Usage(input=3)


@pytest.mark.parametrize(
    ("counted", "suffix", "tallied"),
    [
        (
            {"web_search_requests": 2, "tool_calls": 1, "web_fetch_requests": 0},
            "_requests",
            {"web_search": 2},
        ),
        ({"search": 1.0, "other": None, "more": "3"}, "", {"search": 1}),
        ({"search": 1e300}, "", {}),
        (None, "", {}),
        ([1], "", {}),
    ],
)
def test_tools_are_tallied_by_name(counted: Any, suffix: str, tallied: dict[str, int]) -> None:
    assert tally(counted, suffix) == tallied
