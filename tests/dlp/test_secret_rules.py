"""Rules of kingfisher-bin, and of files."""

from __future__ import annotations

import json
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from support.detection import compiled
from tollgate.dlp import secret_rules as module
from tollgate.dlp.secret_rules import (
    RulesMissing,
    SecretRule,
    chosen,
    compile_rule,
    kingfisher_rules,
    toml_rules,
)


def test_kingfishers_rules_are_many_and_compile() -> None:
    rules = kingfisher_rules(compiled())
    assert len(rules) > 300
    assert len({rule.id for rule in rules}) == len(rules)
    for rule in rules:
        compile_rule(rule.pattern)


@pytest.mark.parametrize(
    "behind", ["", ",", "</key>", ": expired", ") and", ". So", "@acme.com", "|", '\\\\"', "。"]
)
def test_their_secrets_end_whatever_follows(behind: str) -> None:
    (rule,) = (rule for rule in kingfisher_rules(compiled()) if rule.id == "betterleaks.groq-api-key")
    secret = "gsk_" + "a1B2" * 13
    match = compile_rule(rule.pattern).search(f"see {secret}{behind}")
    assert match
    assert match[1] == secret


@pytest.mark.parametrize("behind", ["a", "-x", "/x", ".x"])
def test_their_secrets_are_no_parts_of_words(behind: str) -> None:
    (rule,) = (rule for rule in kingfisher_rules(compiled()) if rule.id == "betterleaks.groq-api-key")
    assert not compile_rule(rule.pattern).search(f"see gsk_{'a1B2' * 13}{behind}")


def test_kingfisher_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = kingfisher_rules(tmp_path)
    (file,) = tmp_path.iterdir()
    assert version("kingfisher-bin") in file.name
    monkeypatch.setattr(subprocess, "run", None)
    assert kingfisher_rules(tmp_path) == asked


def test_a_broken_file_in_the_cache_is_made_anew(tmp_path: Path) -> None:
    asked = kingfisher_rules(tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_text("[{}]")
    assert kingfisher_rules(tmp_path) == asked
    assert len(json.loads(file.read_text())) > len(asked), "those that find no secrets are left out later"


def test_without_the_package_there_are_no_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PACKAGE", "kingfisher-that-is-not-installed")
    with pytest.raises(RulesMissing, match="install the package"):
        kingfisher_rules(tmp_path)


@pytest.mark.parametrize("error", [OSError("no such file"), subprocess.TimeoutExpired("kingfisher", 60)])
def test_a_program_that_does_not_run_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(RulesMissing, match="cannot list its rules"):
        kingfisher_rules(tmp_path)


RULES = """
[[allowlists]]
regexes = ["^acme-public"]

[[rules]]
id = "acme-key"
regex = '''acme-(\\w+)-([a-z0-9]{8})\\z'''
secretGroup = 2
entropy = 2.5
keywords = ["ACME"]
[rules.allowlist]
stopwords = ["Sample"]
[[rules.allowlists]]
regexTarget = "line"
regexes = ["about lines"]
[[rules.allowlists]]
regexes = ["^dev"]

[[rules]]
id = "a-file-name"
path = "id_rsa"

[[rules]]
id = "hidden"
regex = "x"
skipReport = true
"""


def test_rules_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(RULES)
    assert toml_rules(file) == [
        SecretRule(
            "acme-key",
            r"acme-(\w+)-([a-z0-9]{8})\z",
            "high",
            group=2,
            entropy=2.5,
            keywords=("acme",),
            allowed=("^dev", "^acme-public"),
            stopwords=("sample",),
            lenient=True,
        )
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[[rules", "cannot be read"),
        ("[[rules]]\nregex = 'x'", r"rules\[0\].id: Field required"),
        ("[[rule]]\nid = 'a'", "rules: Field required"),
        ("rules = 5", "rules: Input should be a valid list"),
        ("[[rules]]\nid = 'a'\nregex = 5", r"rules\[0\].regex: Input should be a valid string"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\nentropy = 'high'", r"rules\[0\].entropy: Input should be a"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\nsecretGroup = '1'", r"rules\[0\].secretGroup: Input should"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\nallowlists = ['x']", r"rules\[0\].allowlists\[0\]: Input"),
        ("[[rules]]\nid = 'a'\nregex = '('", "rule a: a regular expression is not valid"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\nallowlist = {regexes = ['(']}", "rule a: a regular expression"),
        ("[[rules]]\nid = 'a'\nregex = '(x)'\nsecretGroup = 2", "rule a: there is no group 2"),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        toml_rules(file)
    assert str(file) in str(error.value)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        toml_rules(tmp_path / "missing.toml")


def test_rules_are_chosen_by_what_they_claim() -> None:
    rules = [SecretRule("a", "x", "low"), SecretRule("b", "x", "medium"), SecretRule("c", "x", "high")]
    assert [rule.id for rule in chosen(rules, "low")] == ["a", "b", "c"]
    assert [rule.id for rule in chosen(rules, "medium")] == ["b", "c"]
    assert [rule.id for rule in chosen(rules, "high")] == ["c"]


def test_flags_hold_from_where_they_stand_and_classes_are_ascii() -> None:
    rule = compile_rule(r"\bkey-(?i)[a-z]{2}[[:digit:]]")
    assert rule.search("密key-AB1")
    assert not rule.search("KEY-ab1")
    assert not rule.search("key-ab١")
