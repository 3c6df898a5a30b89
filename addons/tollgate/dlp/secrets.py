"""Keys, tokens and passwords: rules for those with a look of their own, and what is assigned to a name."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import regex

from tollgate.dlp.issued_rules import ISSUED_RULES
from tollgate.dlp.own_rules import ASSIGNMENTS, OWN_RULES, REPLACED
from tollgate.dlp.prefilter import Expression, Letters
from tollgate.dlp.secret_rules import SecretRule, chosen, compile_rule, kingfisher_rules, toml_rules
from tollgate.dlp.span import Span
from tollgate.dlp.windows import TIMEOUT, DetectionFailed, Reach, Windowed, build_windowed
from tollgate.policy import Unfit
from tollgate.policy.dlp import Secrets
from tollgate.policy.match import Matcher, names

ENTITY = "SECRET"
SCORES = {"low": 0.5, "medium": 0.7, "high": 0.95}


def build_secrets(policy: Secrets, cache: Path) -> Windowed:
    """The detector for the secrets of a policy. It raises what `secret_judges` does."""
    return build_windowed(secret_judges(policy, cache), cache, Letters.ASCII)


def secret_judges(policy: Secrets, cache: Path) -> list[SecretJudge]:
    """One judge for each rule that a policy wants. Unfit for a rule file that cannot be used; RulesMissing
    without the package that has the rules."""
    rules = [*chosen(_our_rules(cache), policy.confidence), *_their_rules(policy)]
    left_out = Matcher(policy.without, names) if policy.without else None
    judges = [SecretJudge(rule) for rule in rules]
    if policy.assignments:
        judges += [AssignmentJudge(rule) for rule in ASSIGNMENTS]
    return [judge for judge in judges if not (left_out and left_out.matches([judge.id]))]


def rule_ids(policy: Secrets, cache: Path) -> set[str]:
    """The ids of all rules, those that a policy leaves out too. It raises what `secret_judges` does."""
    return {rule.id for rule in (*_our_rules(cache), *_their_rules(policy), *ASSIGNMENTS)}


def _our_rules(cache: Path) -> list[SecretRule]:
    theirs = [rule for rule in kingfisher_rules(cache) if rule.id not in REPLACED]
    return [*OWN_RULES, *ISSUED_RULES, *theirs]


def _their_rules(policy: Secrets) -> Iterator[SecretRule]:
    """The rules of the policy's files."""
    for n, path in enumerate(policy.rules):
        try:
            yield from toml_rules(path)
        except ValueError as e:
            raise Unfit(("detection", "secrets", "rules", n), str(e)) from None


class SecretJudge:
    """One rule."""

    reach = Reach(back=4000, ahead=80, to_space=4000)

    def __init__(self, rule: SecretRule) -> None:
        self._rule = rule
        self.id = rule.id
        self.gate = Expression(rule.gate or rule.pattern)
        self._score = SCORES[rule.confidence]
        if rule.id == "private-key":
            self.reach = Reach(back=17000, ahead=80, to_space=0)
        self._regex = compile_rule(rule.pattern)
        self._allowed = [compile_rule(pattern) for pattern in rule.allowed]

    def wants(self, key: str) -> bool:
        return False

    def judge(self, text: str, start: int, end: int, key: str) -> Iterator[Span]:
        if self._rule.keywords and not _any_in(self._rule.keywords, text[start:end]):
            return
        try:
            for match in self._regex.finditer(text, start, end, concurrent=True, timeout=TIMEOUT):
                first, last = _without_quotes(text, *secret_span(match, self._rule.group))
                if self._believed(text[first:last]):
                    yield Span(first, last, ENTITY, self._score, self.id)
        except TimeoutError as e:
            raise DetectionFailed(f"the rule {self.id} took longer than {TIMEOUT:g} s") from e

    def _believed(self, secret: str) -> bool:
        rule = self._rule
        if entropy(secret) <= max(rule.entropy, _LEAST_ENTROPY) or _TEMPLATE.search(secret):
            return False
        if _any_in(rule.stopwords, secret) or any(allowed.search(secret) for allowed in self._allowed):
            return False
        return rule.lenient or not is_placeholder(secret)


class AssignmentJudge(SecretJudge):
    """What is assigned to a name such as password or token."""

    reach = Reach(back=160, ahead=1, to_space=560, words=True)

    def _believed(self, secret: str) -> bool:
        return looks_made(secret, self.id.endswith("quoted")) and super()._believed(secret)


def _any_in(words: Sequence[str], text: str) -> bool:
    lower = text.lower()
    return any(word in lower for word in words)


def secret_span(match: Any, group: int) -> tuple[int, int]:
    """Where in a rule's match the secret stands: the group that the rule names, or the one called so, or the
    first that took part, or all of it."""
    names = match.re.groupindex
    if group == 0 and names:
        group = next((names[name] for name in _SECRET_GROUPS if name in names), 0)
    elif group == 0:
        group = next((n for n in range(1, match.re.groups + 1) if match.start(n) < match.end(n)), 0)
    return match.start(group), match.end(group)


def _without_quotes(text: str, first: int, last: int) -> tuple[int, int]:
    """Some rules take the quotes for a part of the secret."""
    if last - first > 2 and text[first] in "\"'`" and text[first] == text[last - 1]:
        return first + 1, last - 1
    return first, last


_SECRET_GROUPS = ("secret", "password", "GIT_PASSWORD", "TOKEN")

# -- what a secret looks like ------------------------------------------------------------------------------

_LEAST_ENTROPY = 2.0
"""In bits per character: what has no more is no secret whatever a rule says."""
_TEMPLATE = regex.compile(r"[$#%]\{|\{\{|\$\(|^<[^<>]*>$")
_PLACEHOLDER = regex.compile(
    r"example|sample|dummy|placeholder|change[_-]?me|redacted|your[_-]|[_-]here$|fake|todo|fixme|foobar"
    r"|x{4,}|\*{3,}|\.{3,}|_{4,}|%s|^[<%{(\[]|^\$[A-Za-z_]+$"
    r"|^(?:[a-z]+-){0,3}(?:sha|aes|md)-?\d{1,3}(?:-\w{1,8}){0,2}:?$"  # names of algorithms
    r"|^user(?:name)?:pass(?:word)?$"
    r"|^(?:none|null|true|false|undefined|pass(?:word|wd)?|pwd?|token|key|string|user(?:name)?)$",
    regex.IGNORECASE,
)
_WORDS = regex.compile(r"[A-Za-z]+(?:[_\-./:+ ]+[A-Za-z]*)*")
_CODE = regex.compile(
    r"[A-Za-z_]\w*(?:(?:\.|->|::)[A-Za-z_]\w*)+\W?.*"  # settings.API_KEY, os.environ
    r"|[A-Za-z_]+(?:[_\-.:][A-Za-z]*)*\d{0,2}[.:?]?"  # password_2
    r"|[A-Za-z_]\w*=.*"  # key=value
    r"|(?:\.{0,2}/|[A-Za-z]:\\|~/|\w+://|[#@&$-]).*"  # paths, URLs, options, variables
    r"|[\w/.-]*\.(?:py|js|ts|json|pem|ya?ml|toml|txt|md|html?|crt|cer|key|png|svg|sh|go|rs)"
    r"|[\d.,:\-/+TZ]+|.*\\[wdsbn].*"
)
_KINDS = (regex.compile(r"[A-Za-z]"), regex.compile(r"\d"), regex.compile(r"[^A-Za-z\d_.\-/:]"))


def is_placeholder(secret: str) -> bool:
    """Whether this stands where a secret will be put, or could be."""
    return _PLACEHOLDER.search(secret) is not None


def looks_made(value: str, quoted: bool) -> bool:
    """Whether a value mixes letters, digits and signs as keys and passwords do. Unquoted it may be code."""
    if (_WORDS if quoted else _CODE).fullmatch(value):
        return False
    return sum(kind.search(value) is not None for kind in _KINDS) > 1


def entropy(text: str) -> float:
    """Shannon's entropy in bits per character; 0 for the empty text."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
