from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from tollgate.policy.match import Facts
from tollgate.policy.parse import parse
from tollgate.policy.policy import (
    LONGEST,
    REMEMBERED,
    Memory,
    Policy,
    digest,
    key_of,
    leaves,
    length,
    overlay,
    write,
)
from tollgate.policy.problem import PolicyError, Unfit
from tollgate.policy.reader import validate
from tollgate.policy.schema import PolicyFile, Settings

TEXT = """\
timeouts: {idle: 90 s}
identification:
  groups:
    interns: ["*@interns.example", "!lead@*"]
    everyone: "*"
rules:
  - name: interns
    when: {group: interns}
    set:
      mode: observe
      on_error: {cache: open}
      bodies: {max_size: 1 MB}
  - name: research
    when: {headers: {x-team: research}}
    set:
      bodies:
        max_size: 256 MB
        oversize: pass
  - name: nobody
    when: {model: none}
    set: {mode: enforce}
"""


def policy(text: str = TEXT) -> Policy:
    tree = parse(text, "p.yaml")
    return Policy(validate(tree), tree, (Path("p.yaml"),))


FILE = policy().file
INTERN = Facts(user="ann@interns.example", groups=("interns",))
RESEARCH = CIMultiDict({"X-Team": "research"})


def test_no_rules_leave_the_settings_of_the_file() -> None:
    assert Policy().settings_for(INTERN) == Settings()
    found = policy("mode: observe").settings_for(INTERN)
    assert found == Settings(mode="observe")
    assert type(found) is Settings


def test_a_rule_that_matches_overrides_only_what_it_names() -> None:
    found = policy().settings_for(INTERN)
    assert (found.mode, found.bodies.max_size, found.bodies.oversize) == ("observe", 1 << 20, "refuse")
    assert (found.on_error, found.timeouts.idle) == ({"cache": "open"}, 90.0)


def test_a_later_rule_overrides_an_earlier_one() -> None:
    found = policy().settings_for(Facts(groups=("interns",), headers=RESEARCH))
    assert (found.mode, found.bodies.max_size, found.bodies.oversize) == ("observe", 256 << 20, "pass")


def test_a_rule_can_name_a_default_to_go_back_to_it() -> None:
    text = "mode: observe\nrules:\n  - name: a\n    set: {mode: enforce}\n"
    assert policy(text).settings_for(Facts()).mode == "enforce"


def test_the_same_rules_give_the_same_object() -> None:
    p = policy()
    one, two = Facts(user="a", groups=("interns",)), Facts(user="b", groups=("interns", "x"))
    assert p.settings_for(one) is p.settings_for(one) is p.settings_for(two)
    assert p.settings_for(Facts(user="c")) is p.base


def test_only_the_facts_that_rules_look_at_tell_calls_apart() -> None:
    key = policy()._key
    assert key(Facts(user="a", client="1", headers=RESEARCH)) == key(
        Facts(user="b", client="2", headers=RESEARCH)
    )
    assert key(Facts(model="a")) != key(Facts(model="b"))
    assert key(Facts()) != key(Facts(headers=RESEARCH))


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            Facts,
            groups=st.sampled_from([(), ("interns",), ("x", "interns")]),
            model=st.sampled_from(["", "none", "NONE"]),
            headers=st.sampled_from(
                [CIMultiDict(), RESEARCH, CIMultiDict([("x-team", "a"), ("x-team", "research")])]
            ),
        ),
        max_size=8,
    )
)
def test_what_is_remembered_is_what_a_fresh_policy_says(calls: list[Facts]) -> None:
    used = Policy(FILE)
    assert [used.settings_for(facts) for facts in calls] == [
        Policy(FILE).settings_for(facts) for facts in calls
    ]


def test_memory_is_bounded_in_number_and_in_size() -> None:
    p = policy("rules:\n  - name: a\n    when: {model: x}\n    set: {mode: observe}\n")
    for n in range(REMEMBERED + 10):
        p.settings_for(Facts(model=str(n)))
        p.groups_of(str(n))
    assert (len(p._by_key), len(p._by_user)) == (REMEMBERED, REMEMBERED)
    p = policy("rules:\n  - name: a\n    when: {model: x}\n")
    p.settings_for(Facts(model="x" * (LONGEST + 1)))
    p.groups_of("x" * (LONGEST + 1))
    assert (len(p._by_key), len(p._by_user)) == (0, 0)


def test_a_full_memory_forgets_its_oldest() -> None:
    memory: Memory[int] = Memory()
    for n in range(REMEMBERED + 1):
        memory.keep(n, n)
    assert 0 not in memory
    assert memory[1] == 1


def test_a_user_is_in_the_groups_whose_patterns_match() -> None:
    p = policy()
    users = ("ann@INTERNS.example", "lead@interns.example", "bob")
    assert [p.groups_of(user) for user in users] == [("interns", "everyone"), ("everyone",), ("everyone",)]
    assert p.groups_of("bob") == ("everyone",)


def test_every_rule_says_why_it_does_not_govern_a_call() -> None:
    judged = [(rule.name, missed) for rule, missed in policy().judge(INTERN)]
    assert judged == [("interns", ""), ("research", "headers.x-team"), ("nobody", "model")]


def test_an_explanation_names_who_set_each_value() -> None:
    rows = {
        row.key: (row.value, row.source)
        for row in policy().explain(Facts(groups=("interns",), headers=RESEARCH))
    }
    assert rows["mode"] == ("observe", 'rule "interns" (p.yaml:10)')
    assert rows["bodies.max_size"] == ("256 MB", 'rule "research" (p.yaml:17)')
    assert rows["bodies.oversize"] == ("pass", 'rule "research" (p.yaml:18)')
    assert rows["bodies.undecodable"] == ("refuse", "default")
    assert rows["on_error.cache"] == ("open", 'rule "interns" (p.yaml:11)')
    assert rows["timeouts.idle"] == ("90 s", "p.yaml:1")


def test_an_explanation_has_every_setting() -> None:
    assert [row.key for row in Policy().explain(Facts())] == [
        ".".join(path) for path, _ in leaves(Settings())
    ]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("", "mode: enforce", True),
        ("bodies: {max_size: 1 MB}", "bodies:\n  max_size: 1048576 # bytes", True),
        ("mode: observe", "mode: enforce", False),
        ("hosts: [{host: h, provider: x}]", "", False),
        ("rules: [{name: a, set: {mode: enforce}}]", "rules: [{name: a}]", False),
        ("rules: [{name: a, set: {mode: enforce}}]", "rules: [{name: a, set: {mode: observe}}]", False),
        ("rules: [{name: a}, {name: b}]", "rules: [{name: b}, {name: a}]", False),
        ("on_error: {dlp: open, cost: open}", "on_error: {cost: open, dlp: open}", True),
    ],
)
def test_a_digest_is_the_name_of_what_a_policy_says(one: str, other: str, same: bool) -> None:
    assert (policy(one).digest == policy(other).digest) is same
    assert len(digest(PolicyFile())) == 12


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("rules", 0, "set", "on_error", "cache"), 11),
        (("identification", "groups", "interns", 0), 4),
        (("timeouts", "idle"), 1),
        (("rules", 1, "set", "dlp"), 15),
    ],
)
def test_what_a_room_cannot_use_is_told_with_its_place(path: tuple[str | int, ...], line: int) -> None:
    with pytest.raises(PolicyError, match=rf"^p\.yaml:{line}: .*: no such thing$"), policy().placing():
        raise Unfit(path, "no such thing")


def test_mappings_merge_and_lists_are_replaced() -> None:
    base = PolicyFile.model_validate(
        {
            "upstream": {"resolve": {"a": {"address": "1", "port": 1}, "b": {"address": "2"}}},
            "identification": {"session_headers": ["a", "b"]},
        }
    )
    over = PolicyFile.model_validate(
        {
            "upstream": {"resolve": {"a": {"address": "3"}}},
            "identification": {"session_headers": ["c"]},
        }
    )
    merged = overlay(base, over)
    assert merged.upstream.resolve["a"].model_dump() == {"address": "3", "port": 1, "ca": None}
    assert set(merged.upstream.resolve) == {"a", "b"}
    assert merged.identification.session_headers == ["c"]


def test_a_call_is_told_apart_by_nothing_where_no_rule_looks() -> None:
    assert key_of([])(INTERN) == ()
    assert length(("ab", ("c", ("de",)))) == 5


@pytest.mark.parametrize(
    ("value", "text"), [("a", "a"), (None, "null"), (True, "true"), ([1, "b"], '[1,"b"]')]
)
def test_a_value_is_written_as_a_policy_writes_it(value: Any, text: str) -> None:
    assert write(value) == text
