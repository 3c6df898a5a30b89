from __future__ import annotations

import re
from pathlib import Path

import pytest

from tollgate.policy.parse import parse
from tollgate.policy.problem import PolicyError
from tollgate.policy.reader import MAX_SIZE, as_part, load
from tollgate.policy.schema import PolicyFile, Timeouts

SHIPPED = Path(__file__).parents[2] / "policies"


def write(folder: Path, *texts: str) -> list[Path]:
    paths = [folder / f"{n}.yaml" for n in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, "utf-8")
    return paths


def problems(*paths: Path) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load(paths)
    return [str(problem).removeprefix(f"{paths[0].parent}/") for problem in caught.value.problems]


def test_no_file_and_an_empty_file_are_the_defaults(tmp_path: Path) -> None:
    assert load([]).file == load(write(tmp_path, "")).file == PolicyFile()


def test_later_files_go_over_earlier_ones(tmp_path: Path) -> None:
    paths = write(
        tmp_path,
        "mode: observe\nbodies: {max_size: 1 MB, oversize: pass}\nrules: [{name: a}]",
        "bodies: {max_size: 2 MB}\nrules: [{name: b}]\nhosts: [{host: h.example, provider: x}]",
        "mode: enforce\nhosts: [{host: i.example, provider: y}]",
    )
    policy = load(paths)
    assert (policy.file.mode, policy.file.bodies.max_size, policy.file.bodies.oversize) == (
        "enforce",
        2 << 20,
        "pass",
    )
    assert [rule.name for rule in policy.file.rules] == ["a", "b"]
    assert [host.host for host in policy.file.hosts] == ["h.example", "i.example"]
    assert policy.paths == tuple(paths)


def test_every_problem_of_every_file_has_its_file_and_line(tmp_path: Path) -> None:
    paths = write(tmp_path, "mdoe: x\nrules:\n  - name: a\n", "rules:\n  - name: b\n    set: {mode: off}\n")
    assert problems(*paths) == [
        '0.yaml:1: mdoe: unknown key; did you mean "mode"?',
        '1.yaml:3: rules[1].set.mode: "off" is not allowed here; it has to be enforce or observe',
    ]


def test_two_rules_cannot_have_one_name(tmp_path: Path) -> None:
    paths = write(tmp_path, "rules:\n  - name: a\n", "rules:\n  - name: b\n  - name: a\n  - name: a\n")
    assert problems(*paths) == [
        f'1.yaml:3: rules[2].name: the rule at {paths[0]}:2 is called "a" too',
        f'1.yaml:4: rules[3].name: the rule at {paths[0]}:2 is called "a" too',
    ]


def test_a_host_that_no_provider_can_have_is_an_error(tmp_path: Path) -> None:
    paths = write(
        tmp_path,
        "hosts:\n  - {host: ok.example, provider: corp}\n  - {host: 'https://x', provider: corp}\n"
        "  - {host: y.example, provider: corp, dialect: openai-chatt}\n",
    )
    first, second = problems(*paths)
    assert first.startswith("0.yaml:3: hosts[1]: 'https://x' is no host name")
    assert second.startswith("0.yaml:4: hosts[2]: 'openai-chatt' is none of")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert problems(tmp_path / "no.yaml") == ["no.yaml: cannot be read: No such file or directory"]


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"mode: \xff\xfe")
    assert problems(tmp_path / "a.yaml") == ["a.yaml: is no UTF-8 text: byte 6 is 0xff"]


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfmode: observe")
    assert load([tmp_path / "a.yaml"]).file.mode == "observe"


def test_a_file_can_have_a_megabyte_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("#" * MAX_SIZE)
    assert load([path]).file == PolicyFile()
    path.write_text("#" * (MAX_SIZE + 1))
    assert problems(path) == ["a.yaml: is larger than 1 MB, and so no policy"]


def test_the_shipped_defaults_are_those_of_the_schema_and_name_every_key() -> None:
    file = load([SHIPPED / "default.yaml"]).file
    assert file == PolicyFile()
    assert file.model_dump(exclude_unset=True) == PolicyFile().model_dump()


def test_the_shipped_observe_refuses_nothing() -> None:
    policy = load([SHIPPED / "observe.yaml"])
    assert policy.file.mode == "observe"
    rest = policy.file.model_copy(update={"mode": None, "connections": None})
    assert "refuse" not in rest.model_dump_json()


@pytest.mark.parametrize("before", [[], ["default.yaml"], ["observe.yaml"]])
def test_the_shipped_strict_leaves_nothing_open_whatever_comes_before(before: list[str]) -> None:
    """All its choices are the same alone and after another file."""
    file = load([SHIPPED / name for name in [*before, "strict.yaml"]]).file
    text = file.model_dump_json()
    assert not any(f'"{word}"' in text for word in ("pass", "tunnel", "open", "inspect", "count", "observe"))


@pytest.mark.parametrize("name", ["default.yaml", "observe.yaml", "strict.yaml"])
def test_the_shipped_files_name_their_schema_and_their_examples_are_valid(name: str, tmp_path: Path) -> None:
    """With the # of its examples taken away, and the empty lists and mappings above them, a file loads."""
    head, version, text = (SHIPPED / name).read_text("utf-8").partition("version: 1\n")
    assert head.startswith("# yaml-language-server: $schema=policy.schema.json\n")
    opened = re.sub(r"(?:\[\]|\{\})(?=[^\n]*\n\s*#  )", "", text)
    lines = [
        line.replace("#", " ", 1) if line.lstrip().startswith("#  ") else line for line in opened.splitlines()
    ]
    policy = load(write(tmp_path, version + "\n".join(lines)))
    assert policy.file.rules


def test_a_table_of_another_kind_is_read_as_strictly() -> None:
    assert as_part(parse("idle: 3 s", "t.yaml"), Timeouts).idle == 3.0

    with pytest.raises(PolicyError, match=r't\.yaml:1: idel: unknown key; did you mean "idle"\?'):
        as_part(parse("idel: 3 s", "t.yaml"), Timeouts)
