from __future__ import annotations

import pytest
from pydantic import ValidationError

from tollgate.policy.complaint import complain, either, homes_of, part_at, show
from tollgate.policy.parse import parse
from tollgate.policy.problem import Problem
from tollgate.policy.schema import Bodies, Host, PolicyFile, Resolve, Settings
from tollgate.policy.when import When


def problems(text: str) -> list[Problem]:
    tree = parse(text, "p.yaml")
    with pytest.raises(ValidationError) as caught:
        PolicyFile.model_validate(tree.plain())
    return [complain(error, tree) for error in caught.value.errors()]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("dlp:\n  enabled: yes", 'p.yaml:2: dlp.enabled: this has to be true or false, not "yes"'),
        ("mdoe: observe", 'p.yaml:1: mdoe: unknown key; did you mean "mode"?'),
        ("mdoe:", 'p.yaml:1: mdoe: unknown key; did you mean "mode"?'),
        ("bodies:\n  maxsize: 1", 'p.yaml:2: bodies.maxsize: unknown key; did you mean "max_size"?'),
        (
            "max_size: 1",
            "p.yaml:1: max_size: not a key of this place; it belongs under bodies or under answers",
        ),
        (
            "rules:\n  - name: a\n    set:\n      connections: {}",
            "p.yaml:4: rules[0].set.connections: not a key of this place; it belongs at the top of a file",
        ),
        (
            "answers: {zzz: 1}",
            "p.yaml:1: answers.zzz: unknown key; what can stand here is max_size or oversize",
        ),
        (
            "upstream:\n  resolve:\n    h: {address: x, adress: y}",
            'p.yaml:3: upstream.resolve.h.adress: unknown key; did you mean "address"?',
        ),
        ("mode: on", 'p.yaml:1: mode: "on" is not allowed here; it has to be enforce or observe'),
        (
            "detection:\n  patterns:\n    - {name: my-id, regex: x}",
            'p.yaml:3: detection.patterns[0].name: "my-id" is not of the form [A-Z][A-Z0-9_]*',
        ),
        (
            "detection:\n  patterns:\n    - name: ID\n      regex: (x",
            "p.yaml:4: detection.patterns[0].regex: this is no regular expression: missing ) at position 2",
        ),
        ("version: 2", "p.yaml:1: version: 2 is not allowed here; it has to be 1"),
        (
            "on_error: {dpl: open}",
            'p.yaml:1: on_error.dpl: "dpl" is not allowed here; it has to be access, limits, dlp, cache, '
            'routing, cost or trail; did you mean "dlp"?',
        ),
        ("hosts:\n  - host: x", 'p.yaml:2: hosts[0].provider: the key "provider" is missing'),
        ("timeouts:", "p.yaml:1: timeouts: nothing stands here: give it a value, or leave the key out"),
        ("rules: [null]", "p.yaml:1: rules[0]: nothing stands here: give it a value, or leave the key out"),
        ("- a", "p.yaml:1: this has to be a mapping of keys, not a list"),
        ("bodies: 3", "p.yaml:1: bodies: this has to be a mapping of keys, not 3"),
        ("on_error: [a]", "p.yaml:1: on_error: this has to be a mapping of keys, not a list"),
        ("rules: {a: 1}", "p.yaml:1: rules: this has to be a list, not a mapping"),
        (
            "rules:\n  - name: 7",
            "p.yaml:2: rules[0].name: this has to be text (put it in quotes), not 7",
        ),
        ("rules:\n  - name: ''", "p.yaml:2: rules[0].name: this may not be empty"),
        ("bodies: {max_size: 1.5}", "p.yaml:1: bodies.max_size: this has to be a whole number, not 1.5"),
        ("bodies: {max_size: -1}", "p.yaml:1: bodies.max_size: this has to be greater than or equal to 0"),
        ("trail: {flush: true}", "p.yaml:1: trail.flush: this has to be a number, not true"),
        ("trail: {path: 3}", "p.yaml:1: trail.path: this has to be a file's path, not 3"),
        (
            "trail: {flush: soon}",
            "p.yaml:1: trail.flush: a duration is a number of seconds, or has a unit: "
            "500 ms, 10 s, 5 m, 2 h, 1 d",
        ),
        (
            "rules:\n  - name: a\n    when: {user: []}",
            "p.yaml:3: rules[0].when.user: an empty list matches nothing: "
            "leave the key out, or give it a pattern",
        ),
    ],
)
def test_an_error_says_where_what_is_wrong_and_what_would_be_right(text: str, problem: str) -> None:
    assert [str(found) for found in problems(text)] == [problem]


def test_a_wrong_key_is_marked_at_the_key_and_a_wrong_value_at_the_value() -> None:
    key, value = problems("mdoe: x\nmode: enforced\n")[::-1]
    assert {(p.mark.line, p.mark.column, p.mark.width) for p in (key, value)} == {(1, 1, 4), (2, 7, 8)}


def test_a_long_value_is_cut() -> None:
    assert show("x" * 41) == f'"{"x" * 40}…"'
    assert [show(value) for value in ([1], {"a": 1}, True, 1.5, "a")] == [
        "a list",
        "a mapping",
        "true",
        "1.5",
        '"a"',
    ]


def test_choices_are_listed_as_people_do() -> None:
    assert [either(choices) for choices in (["a"], ["a", "b"], ["a", "b", "c"])] == [
        "a",
        "a or b",
        "a, b or c",
    ]


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ((), PolicyFile),
        (("bodies",), Bodies),
        (("hosts", 3), Host),
        (("rules", 0, "when"), When),
        (("rules", 0, "set"), Settings),
        (("rules", 0, "set", "bodies"), Bodies),
        (("upstream", "resolve", "port"), Resolve),
    ],
)
def test_the_part_at_a_path_is_found_through_lists_and_mappings(
    path: tuple[str | int, ...], part: type
) -> None:
    assert part_at(path) is part


def test_a_key_has_its_homes_outside_of_rules() -> None:
    assert homes_of("oversize") == [("bodies",), ("answers",)]
    assert homes_of("mode") == [(), ("cache", "semantic")]
    assert homes_of("user") == []
