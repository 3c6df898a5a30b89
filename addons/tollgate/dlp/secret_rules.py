"""Rules for secrets: those of the package kingfisher-bin, and files in the format of gitleaks."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import regex
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from tollgate.dlp.prefilter import write_whole
from tollgate.policy.problem import write_key

type Confidence = Literal["low", "medium", "high"]

LEVELS: Sequence[Confidence] = ("low", "medium", "high")
_PACKAGE = "kingfisher-bin"
_SECONDS = 60.0
_THEIR_END = r"""(?:\\?['"\x60]|[\s;]|\\[nr]|$)"""
"""What most of kingfisher's rules want behind a secret: no comma, no tag, no bracket, no full stop."""
_END = r"""(?:\\{0,7}['"\x60]|[^\w.+/=%~\\-]|\.(?![A-Za-z0-9])|\\[nrtu]|$)"""
"""In its place: whatever goes on with no secret, as in XML, CSV, Markdown and plain sentences."""


@dataclass(frozen=True, slots=True)
class SecretRule:
    """How one kind of secret looks."""

    id: str
    pattern: str
    """In the syntax of `regex`; letters, digits and blanks are ASCII."""
    confidence: Confidence = "medium"
    group: int = 0
    """Which group of a match is the secret; 0 for the one that `secret_span` finds."""
    entropy: float = 0.0
    """Secrets with less, in bits per character, are none."""
    keywords: tuple[str, ...] = ()
    """In lower case. One of them has to stand near, if there are any."""
    allowed: tuple[str, ...] = ()
    """Patterns: a secret in which one is found is none."""
    stopwords: tuple[str, ...] = ()
    """In lower case: a secret that contains one is none."""
    gate: str = ""
    """A pattern that matches at the beginning of all secrets, sooner than `pattern`; empty for none."""
    lenient: bool = False
    """Whether what looks like a placeholder is believed to be a secret all the same."""


class RulesMissing(ValueError):
    """The rules cannot be had; the message says what helps."""


# -- kingfisher-bin ----------------------------------------------------------------------------------------


def kingfisher_rules(cache: Path) -> list[SecretRule]:
    """The rules of the installed kingfisher-bin, asked for once in each version. RulesMissing without it.

    Its program is only told to list its rules: it never scans, nor validates, which needs the network.
    """
    try:
        file = cache / f"kingfisher-{version(_PACKAGE)}.json"
    except PackageNotFoundError as e:
        raise RulesMissing(f"the rules for secrets are missing: install the package {_PACKAGE}") from e
    if (rules := _read(file)) is None:
        write_whole(file, listed := _list())
        rules = _parse(listed)
    return rules


def _read(file: Path) -> list[SecretRule] | None:
    try:
        return _parse(file.read_bytes())
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _list() -> bytes:
    command = [import_module("kingfisher").get_binary_path(), "rules", "list"]
    options = ["--format", "json", "--no-update-check", "--quiet"]
    try:
        done = subprocess.run([*command, *options], capture_output=True, check=True, timeout=_SECONDS)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as e:
        raise RulesMissing(f"{_PACKAGE} cannot list its rules: {e}") from e
    return done.stdout


def _parse(listed: bytes) -> list[SecretRule]:
    """Those that find secrets. The invisible ones find what belongs to a secret: hosts, account ids."""
    return [
        SecretRule(row["id"], _with_end(row["pattern"]), row["confidence"], lenient=_is_distinct(row))
        for row in json.loads(listed)
        if row["visible"]
    ]


def _with_end(pattern: str) -> str:
    begin = pattern.removesuffix(_THEIR_END)
    return pattern if begin == pattern else begin + _END


def _is_distinct(row: Mapping[str, Any]) -> bool:
    """Whether what a rule finds looks like nothing else. Passwords in addresses are often placeholders."""
    return row["confidence"] == "high" and not regex.search(r"connection|ur[il]\b|curl", row["id"])


# -- TOML --------------------------------------------------------------------------------------------------


class _Shape(BaseModel):
    """A part of such a file, as far as it is read."""

    model_config = ConfigDict(strict=True, frozen=True, alias_generator=to_camel)


class _Allowlist(_Shape):
    regex_target: str = "secret"
    regexes: list[str] = []
    stopwords: list[str] = []


class _Allowing(_Shape):
    """What takes something for no secret: a rule, or a file for all its rules."""

    allowlists: list[_Allowlist] = []
    allowlist: _Allowlist = _Allowlist()

    @property
    def allowed(self) -> list[str]:
        about_secrets = (each for each in self._all if each.regex_target == "secret")
        return [pattern for each in about_secrets for pattern in each.regexes]

    @property
    def stopwords(self) -> list[str]:
        return [word.lower() for each in self._all for word in each.stopwords]

    @property
    def _all(self) -> list[_Allowlist]:
        return [*self.allowlists, self.allowlist]


class _Row(_Allowing):
    id: str
    regex: str = ""
    secret_group: int = 0
    entropy: float = 0.0
    keywords: list[str] = []
    skip_report: bool = False


class _RuleFile(_Allowing):
    rules: list[_Row]


def toml_rules(path: Path) -> list[SecretRule]:
    """The rules of a file. Rules for file names only, for commits, and such as are not reported are left out.

    Betterleaks writes them so too. https://github.com/gitleaks/gitleaks#configuration
    ValueError where the file cannot be used.
    """
    try:
        file = _RuleFile.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as e:
        raise ValueError(f"{path}: this rule file cannot be read: {e.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise ValueError(f"{path}: this rule file cannot be read: {e}") from None
    except ValidationError as e:
        wrong = e.errors()[0]
        raise ValueError(f"{path}: {write_key(wrong['loc'])}: {wrong['msg']}") from None
    return [_toml_rule(row, file, path) for row in file.rules if row.regex and not row.skip_report]


def _toml_rule(row: _Row, file: _RuleFile, path: Path) -> SecretRule:
    rule = SecretRule(
        id=row.id,
        pattern=row.regex,
        confidence="high",
        group=row.secret_group,
        entropy=row.entropy,
        keywords=tuple(word.lower() for word in row.keywords),
        allowed=(*row.allowed, *file.allowed),
        stopwords=(*row.stopwords, *file.stopwords),
        lenient=True,
    )
    _check(rule, path)
    return rule


def _check(rule: SecretRule, path: Path) -> None:
    try:
        groups = [compile_rule(pattern).groups for pattern in (rule.pattern, *rule.allowed)]
    except regex.error as e:
        raise ValueError(f"{path}: rule {rule.id}: a regular expression is not valid: {e}") from None
    if rule.group > groups[0]:
        raise ValueError(f"{path}: rule {rule.id}: there is no group {rule.group} in its regular expression")


# -- both --------------------------------------------------------------------------------------------------


@cache
def compile_rule(pattern: str) -> Any:
    """A pattern of Go or Rust, where flags hold from where they stand and classes are ASCII.

    Kept: all rules take a third of a second, and each change of a policy builds them again.
    """
    return regex.compile(pattern, regex.VERSION1 | regex.ASCII)


def chosen(rules: Iterable[SecretRule], confidence: Confidence) -> Iterator[SecretRule]:
    """Those that claim at least this confidence."""
    least = LEVELS.index(confidence)
    return (rule for rule in rules if LEVELS.index(rule.confidence) >= least)
