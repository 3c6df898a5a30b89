from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollgate.policy.parse import MAX_DEPTH, parse
from tollgate.policy.problem import PolicyError


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse(text, "p.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("10", 10),
        ("010", 10),
        ("-0x10", -16),
        ("0o17", 15),
        ("1_000", 1000),
        ("2.5", 2.5),
        ("-.inf", float("-inf")),
        ("12:30", "12:30"),
        ("2026-11-22", "2026-11-22"),
        ("'10'", "10"),
        ("${HOME}", "${HOME}"),
        ("10 MB  # a comment", "10 MB"),
        ("|\n  two\n  lines\n", "two\nlines\n"),
    ],
)
def test_plain_values_are_those_of_yaml_1_2_and_nothing_is_interpolated(text: str, value: object) -> None:
    assert parse(f"a: {text}", "p.yaml").plain() == {"a": value}


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n"])
def test_nothing_is_an_empty_mapping_or_nothing(text: str) -> None:
    assert parse(text, "p.yaml").plain() in ({}, None)


def test_every_key_and_value_knows_its_place() -> None:
    child = parse("bodies:\n  max_size: 32 MB\n", "p.yaml").find(("bodies", "max_size"))
    assert child is not None
    assert child.key is not None
    assert (child.key.line, child.key.column, child.key.width) == (2, 3, 8)
    assert (child.mark.line, child.mark.column, child.mark.width) == (2, 13, 5)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3", "p.yaml:3: a: the same key stands in line 1 already"),
        ("x: {a: 1, a: 1}", "p.yaml:1: x.a: the same key stands in line 1 already"),
        ("1: a", "p.yaml:1: a key has to be text; put it in quotes"),
        ("x: {true: a}", "p.yaml:1: x: a key has to be text; put it in quotes"),
        ("? [a, b]\n: 1", "p.yaml:1: a key has to be text"),
        ("a: {<<: {b: 1}}", "p.yaml:1: a: merge keys (<<) are not read: write the keys out"),
        ("a: !!set {b}", "p.yaml:1: a: the tag set has no meaning in a policy"),
        ("a: !!omap [b: 1]", "p.yaml:1: a: the tag omap has no meaning in a policy"),
        ("a: !!binary aGk=", "p.yaml:1: a: the tag binary has no meaning in a policy"),
        (
            "a: !!python/object:os.system x",
            "p.yaml:1: a: the tag python/object:os.system has no meaning in a policy",
        ),
        ("a: !!int many", "p.yaml:1: a: this is no int"),
        ("%YAML 1.1\n---\na: yes", "p.yaml:3: a: this is no bool"),
    ],
)
def test_what_has_no_clear_meaning_is_an_error(text: str, problem: str) -> None:
    assert problems(text) == [problem]


def test_a_pattern_that_lost_its_quotes_is_no_tag() -> None:
    (problem,) = problems("user: !bob")
    assert problem.endswith('a text that begins with "!" needs quotes: "!bob"')


def test_all_that_has_no_clear_meaning_is_told_at_once() -> None:
    assert len(problems("a: !x 1\nb: !y 2\na: 3\n4: 5\n")) == 4


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: b: c", "p.yaml:1: not valid YAML: mapping values are not allowed here"),
        ("a: [1, 2", "p.yaml:1: not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: 1\n---\nb: 2", "p.yaml:2: not valid YAML: but found another document"),
        ("ok: 1\na: \x01", "p.yaml:2: the character U+0001 may not stand in YAML"),
    ],
)
def test_what_is_no_yaml_says_where(text: str, problem: str) -> None:
    assert problems(text) == [problem]


@pytest.mark.parametrize("text", ["host: *.corp.example", "x: {user: !bob}", "a: @b", "a: %b", "a: `b`"])
def test_a_text_that_only_lacks_quotes_gets_a_hint(text: str) -> None:
    (problem,) = problems(text)
    assert problem.endswith("a text that begins with one of * & ! @ % ` needs quotes")


def test_an_alias_stands_for_what_its_anchor_has() -> None:
    assert parse("a: &x [1, 2]\nb: *x\nc: &x 3\nd: *x", "p.yaml").plain() == {
        "a": [1, 2],
        "b": [1, 2],
        "c": 3,
        "d": 3,
    }


def test_a_few_aliases_cannot_stand_for_billions_of_values() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    (problem,) = problems("\n".join(lines))
    assert problem.endswith("with its aliases followed, this is larger than a policy can be")


def test_an_alias_inside_its_own_anchor_is_an_error() -> None:
    (problem,) = problems("a: &a\n  b: *a\n")
    assert problem.endswith("with its aliases followed, this is larger than a policy can be")


def test_deep_nesting_is_an_error_and_no_recursion_error() -> None:
    assert problems("[" * 10_000) == [f"p.yaml:1: nested more than {MAX_DEPTH} deep"]


@settings(deadline=None)
@given(st.text(st.sampled_from("ab:-[]{}&*!#|>'\"\\ \n\t,?~1%@`<.\x00\ud7ff"), max_size=40))
def test_any_text_is_a_tree_or_a_policy_error(text: str) -> None:
    with suppress(PolicyError):
        parse(text, "p.yaml").plain()
