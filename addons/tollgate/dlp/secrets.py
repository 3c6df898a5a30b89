"""Keys, tokens and passwords: rules for those that have a look of their own, and what is assigned to a name."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import regex

from tollgate.dlp.prefilter import Expression, Letters
from tollgate.dlp.secret_rules import SecretRule, chosen, compile_rule, kingfisher_rules, toml_rules
from tollgate.dlp.span import Span
from tollgate.dlp.windows import TIMEOUT, DetectionFailed, Judge, Reach, Windowed, build_windowed
from tollgate.policy.dlp import Secrets
from tollgate.policy.match import Matcher, names

ENTITY = "SECRET"
SCORES = {"low": 0.5, "medium": 0.7, "high": 0.95}

_KEY_BLOCK = (
    r"-----BEGIN[ A-Z0-9_-]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[\s\S]{0,16000}?-----END[ A-Z0-9_-]{0,40}PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\s\\]{40,16000})"
)
_SCHEME = r"(?i)\b[a-z][a-z0-9+.-]{1,24}://"
_NAME = (
    r"(?i)(?:pass(?:wor[dt]|wd|phrase|code)?|passwd|pwd|secret|token|api[_.-]?key|apikey|access[_.-]?key"
    r"|account[_.-]?key|auth(?:entication|orization)?[_.-]?(?:key|token)?|private[_.-]?key|signing[_.-]?key"
    r"|encryption[_.-]?key|client[_.-]?secret|credentials?|license[_.-]?key|service[_.-]?key|cookie|salt|_key|-key|\bkey)"
)
_IS = r"[\w.\-]{0,24}[\"'`\]]{0,2}[ \t]{0,8}(?:=>|:=|={1,3}|:(?:[ ]?str(?:ing)?[ ]?=)?|,|[ ]is[ ])[ \t]{0,8}"
_VALUE = r"[^\s\"'`<>(){}\[\],;]"

OWN_RULES = (
    SecretRule("private-key", _KEY_BLOCK, "high", lenient=True),
    SecretRule("connection-string", rf"{_SCHEME}[^\s:/@\"'`<>]{{0,128}}:([^\s/@\"'`<>]{{3,256}})@[\w\[]", "high"),
    SecretRule("connection-password", r"(?i)[;\"'](?:password|pwd)\s?=\s?([^\s;\"'`]{4,128})[;\"']", "high"),
    SecretRule("shared-key", r"(?i)\b(?:Account|SharedAccess)Key=([A-Za-z0-9+/]{32,88}={0,2})", "high"),
    SecretRule("bearer", r"(?i)\b(?:bearer|basic|token)[ ]+([A-Za-z0-9._~+/-]{20,2000}={0,2})", "high", entropy=3.4),
    SecretRule("user-password", r"(?i)\bcurl\b.{0,200}?\s(?:-u|--user)[ =]?[\"']?[^\s:\"']{1,64}:([^\s\"'@]{4,128})", "high"),
)
ASSIGNMENTS = (
    SecretRule("assignment-quoted", rf"{_NAME}{_IS}[\"'`]([^\s\"'`]{{6,512}})[\"'`]"),
    SecretRule("assignment", rf"{_NAME}{_IS}({_VALUE}{{8,512}})(?:[\s\"'`,;]|$)"),
)
"""What is assigned to a name is a secret only if it looks like one."""


def build_secrets(policy: Secrets, cache: Path) -> Windowed:
    """The rules that a policy wants. ValueError for a rule file that cannot be used; RulesMissing without the
    package that has the rules."""
    rules = [*chosen([*OWN_RULES, *kingfisher_rules(cache)], policy.confidence)]
    rules += [rule for path in policy.rules for rule in toml_rules(path)]
    left_out = Matcher(policy.without, names) if policy.without else None
    judges: list[Judge] = [SecretJudge(rule) for rule in rules]
    if policy.assignments:
        judges += [AssignmentJudge(rule) for rule in ASSIGNMENTS]
    if left_out:
        judges = [judge for judge in judges if not left_out.matches([judge.id])]
    return build_windowed(judges, cache, Letters.ASCII)
