"""Patterns that nothing can match."""

from __future__ import annotations

from pathlib import Path

import pytest

from tollgate.policy import PolicyError, load


def problems(folder: Path, text: str) -> list[str]:
    (folder / "p.yaml").write_text(text)
    try:
        load([folder / "p.yaml"])
    except PolicyError as e:
        return [str(problem).removeprefix(f"{folder}/") for problem in e.problems]
    return []


RULE = "rules:\n  - name: a\n    when:\n      "


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            RULE + "operation: chats",
            'p.yaml:4: rules[0].when.operation: no operation is called "chats"; did you mean "chat"?',
        ),
        (
            RULE + "dialect: [anthropic-*, openai]",
            'p.yaml:4: rules[0].when.dialect[1]: no dialect is called "openai"; did you mean "openai-chat"?',
        ),
        (
            RULE + 'provider: "!opnai"',
            'p.yaml:4: rules[0].when.provider: no provider is called "!opnai"; did you mean "openai"?',
        ),
        (
            "identification: {groups: {platform: ann}}\n" + RULE + "group: platfrom",
            "p.yaml:5: rules[0].when.group: no group of identification.groups is called "
            '"platfrom"; did you mean "platform"?',
        ),
        (
            "cost: {budgets: [{name: b, limit: 1, when: {provider: zzz*}}]}",
            'p.yaml:1: cost.budgets[0].when.provider: no provider is called "zzz*"',
        ),
        (
            "cache: {operations: [chat, embedings]}",
            'p.yaml:1: cache.operations[1]: no operation is called "embedings"; did you mean "embeddings"?',
        ),
        (
            "route: {targets: [{target: same, operations: chats}]}",
            'p.yaml:1: route.targets[0].operations: no operation is called "chats"; did you mean "chat"?',
        ),
    ],
)
def test_a_pattern_that_nothing_matches_is_told_with_what_is_meant(
    tmp_path: Path, text: str, said: str
) -> None:
    assert problems(tmp_path, text) == [said]


def test_words_of_ones_own_in_any_case_and_globs_are_known(tmp_path: Path) -> None:
    text = (
        "hosts: [{host: vllm.test, provider: corp-vllm, dialect: openai-chat}]\n"
        "identification: {groups: {Platform: ann}}\n"
        + RULE
        + "provider: [corp-*, OpenAI]\n      group: platform\n      dialect: '!openai-*'"
    )

    assert problems(tmp_path, text) == []
