"""Keys, tokens and passwords: rules for those with a look of their own, and what is assigned to a name."""

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
from tollgate.dlp.windows import TIMEOUT, DetectionFailed, Reach, Windowed, build_windowed
from tollgate.policy.dlp import Secrets
from tollgate.policy.match import Matcher, names

ENTITY = "SECRET"
SCORES = {"low": 0.5, "medium": 0.7, "high": 0.95}

_KEY_BLOCK = (
    r"-----BEGIN[ A-Z0-9_-]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[\s\S]{0,16000}?-----END[ A-Z0-9_-]{0,40}PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\s\\]{40,16000})"
)
_SCHEME = r"(?i)\b[a-z][a-z0-9+.-]{1,24}://"

OWN_RULES = (
    SecretRule("private-key", _KEY_BLOCK, "high", lenient=True),
    SecretRule(
        "connection-string", rf"{_SCHEME}[^\s:/@\"'`<>]{{0,128}}:([^\s/@\"'`<>]{{3,256}})@[\w\[]", "high"
    ),
    SecretRule("connection-password", r"(?i)[;\"'](?:password|pwd)\s?=\s?([^\s;\"'`]{4,128})[;\"']", "high"),
    SecretRule(
        "shared-key",
        r"(?i)\b(?:Account|SharedAccess|Preshared|Private)Key\s?=\s?([A-Za-z0-9+/]{32,88}={0,2})",
        "high",
    ),
    SecretRule(
        "authorization",
        r"(?i)\b(?:bearer|basic|token)[ ]+([A-Za-z0-9._~+/-]{12,2000}={0,2})",
        "high",
        entropy=3.2,
    ),
    SecretRule(
        "user-password",
        r"(?i)\bcurl\b.{0,200}?\s(?:-u|--user)[ =]?[\"']?[^\s:\"']{1,64}:([^\s\"'@]{4,128})",
        "high",
    ),
    SecretRule(
        "password-hash",
        r"(\$(?:2[abxy]?|5|6|7|y|gy|argon2(?:id?|d)|scrypt|pbkdf2[\w-]*)\$[\w./$=,+-]{20,300})",
        "high",
    ),
)
"""Such as belong to no vendor. Vendors' own shapes are kingfisher's, and these."""

_REPLACED = frozenset({"betterleaks.private-key"})  # ours also finds a key whose end was cut off

VENDOR_RULES = (
    # https://core.telegram.org/bots/api#authorizing-your-bot
    SecretRule("telegram-bot-token", r"(?<!\d)(\d{8,10}:AA[\w-]{33})(?![\w-])", "high"),
    # https://developer.hashicorp.com/vault/docs/concepts/tokens
    SecretRule("vault-token", r"\b([sbr]\.(?=[A-Za-z]{0,25}\d)[A-Za-z0-9]{24,26})\b", "medium", entropy=3.5),
    # https://docs.doppler.com/reference/auth-token-formats
    SecretRule(
        "doppler-token",
        r"\b(dp\.(?:ct|pt|st|sa|scim|audit)\.(?:[a-z0-9\-_]{2,35}\.)?[A-Za-z0-9]{40,44})\b",
        "high",
    ),
    # https://developer.squareup.com/docs/build-basics/access-tokens
    SecretRule("square-secret", r"\b(sq0(?:atp|csp|idp)-[\w-]{22,43})(?![\w-])", "high"),
    # https://www.dropbox.com/developers/documentation/http/documentation
    SecretRule("dropbox-token", r"\b(sl\.(?:u\.)?[\w-]{100,1300})(?![\w-])", "high"),
    # https://github.com/FiloSottile/age#recipients-and-identities
    SecretRule("age-secret-key", r"\b(AGE-SECRET-KEY-1[0-9A-Z]{58})\b", "high"),
    # https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/
    SecretRule(
        "new-relic-key", r"\b(NRAK-[A-Z0-9]{27}|NRJS-[a-f0-9]{19}|NRI[IQ]-[\w-]{32})(?![\w-])", "high"
    ),
    # https://io.adafruit.com/api/docs/#authentication
    SecretRule("adafruit-key", r"\b(aio_[A-Za-z0-9]{28})\b", "high"),
    # https://api.slack.com/authentication/rotation
    SecretRule("slack-token", r"\b(xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{20,400})", "high"),
    # incoming webhooks: who knows the address may post
    SecretRule(
        "webhook",
        r"(https://(?:hooks\.zapier\.com/hooks/catch/[\w/]{8,80}|hooks\.slack\.com/(?:services|workflows)/[\w/]{20,120}"
        r"|[\w-]{1,60}\.webhook\.office\.com/webhook\S{20,300}|outlook\.office\.com/webhook/\S{40,300}"
        r"|(?:\w{1,20}\.)?discord(?:app)?\.com/api/webhooks/\d{15,22}/[\w-]{30,120}))",
        "high",
    ),
)

_WORD = r"(?i)(?:passw(?:or)?[dt]|passphrase|passcode|(?<![A-Za-z])pass|pwd)"
_KEY = (
    r"(?i)(?:secret|token|credential|cookie|session[_.-]?id"
    r"|(?:api|app|access|account|auth|consumer|deploy|encrypt(?:ion)?|license|master|private|provision|service|shared"
    r"|sign(?:ing)?|storage|user|write|read|admin|client|device)[_.-]?(?:key|pass|secret)|[a-z]{3,16}[_-]key)"
)
_NEXT = r"[\w.\-]{0,24}[\"'`\]\\]{0,3}\s{0,8}(?:=>|:=|!=|={1,3}|:(?:[ ]?str(?:ing)?[ ]?=)?)\s{0,8}"
_QUOTED = r"(?:[\"'`]|\\\")([^\s\"'`]{%s,512}?)(?:[\"'`]|\\\")"
_PLAIN = r"([A-Za-z0-9$!@+/_][^\s\"'`<>(){}\[\],;]{%s,512})(?=[\s\"'`,;]|\\n|$)"
_SAID = r"(?:api |access |secret )?(?:password|passphrase|passcode|secret|token|key)[ ](?:is|was)?[ ]?[\"'`]?"

ASSIGNMENTS = (
    SecretRule(
        "password-quoted", _WORD + r"\w{0,24}[\"'`\]]{0,2}[ \t]{0,8},?[ \t]?" + _QUOTED % 6, entropy=2.2
    ),
    SecretRule("password-quoted", _WORD + _NEXT + _QUOTED % 6, entropy=2.2),
    SecretRule("password", _WORD + _NEXT + _PLAIN % 6, entropy=2.5),
    SecretRule("token-quoted", _KEY + _NEXT + _QUOTED % 12, entropy=3.0),
    SecretRule("token", _KEY + _NEXT + _PLAIN % 15, entropy=3.0),
    SecretRule("said", rf"(?i)\b{_SAID}" + _PLAIN % 7, entropy=2.8),
)
"""What is assigned to a name is a secret only if it looks like one: see `looks_made`."""


def build_secrets(policy: Secrets, cache: Path) -> Windowed:
    """The rules that a policy wants. ValueError for a rule file that cannot be used; RulesMissing without the
    package that has the rules."""
    theirs = [rule for rule in kingfisher_rules(cache) if rule.id not in _REPLACED]
    rules = [*chosen([*OWN_RULES, *VENDOR_RULES, *theirs], policy.confidence)]
    rules += [rule for path in policy.rules for rule in toml_rules(path)]
    left_out = Matcher(policy.without, names) if policy.without else None
    judges = [SecretJudge(rule) for rule in rules]
    if policy.assignments:
        judges += [AssignmentJudge(rule) for rule in ASSIGNMENTS]
    wanted = [judge for judge in judges if not (left_out and left_out.matches([judge.id]))]
    return build_windowed(wanted, cache, Letters.ASCII)


class SecretJudge:
    """One rule."""

    reach = Reach(back=4000, ahead=80, to_space=4000)

    def __init__(self, rule: SecretRule) -> None:
        self._rule = rule
        self.id = rule.id
        self.gate = Expression(rule.pattern)
        self._score = SCORES[rule.confidence]
        if rule.id == "private-key":
            self.reach = Reach(back=17000, ahead=80, to_space=0)

    @cached_property
    def _regex(self) -> Any:
        """Compiled when it is first needed: there are hundreds, and few ever match."""
        return compile_rule(self._rule.pattern)

    @cached_property
    def _allowed(self) -> list[Any]:
        return [compile_rule(pattern) for pattern in self._rule.allowed]

    def wants(self, key: str) -> bool:
        return False

    def judge(self, text: str, start: int, end: int, key: str) -> Iterator[Span]:
        if self._rule.keywords and not _any_in(self._rule.keywords, text[start:end]):
            return
        try:
            for match in self._regex.finditer(text, start, end, timeout=TIMEOUT):
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

    reach = Reach(back=200, ahead=40, to_space=600)

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


_SECRET_GROUPS = ("secret", "password", "GIT_PASS", "TOKEN")

# -- what a secret looks like ------------------------------------------------------------------------------

_LEAST_ENTROPY = 2.0
"""In bits per character: what has no more is no secret whatever a rule says."""
_TEMPLATE = regex.compile(r"[$#%]\{|\{\{|\$\(|^<[^<>]*>$")
_PLACEHOLDER = regex.compile(
    r"example|sample|dummy|placeholder|change[_-]?me|redacted|your[_-]|[_-]here$|fake|todo|fixme|foobar"
    r"|x{4,}|\*{3,}|\.{3,}|_{4,}|%s|^[<%{(\[]|^\$[A-Za-z_]+$"
    r"|^(?:none|null|true|false|undefined|pass(?:word|wd)?|pwd?|token|key|string|user(?:name)?)$",
    regex.IGNORECASE,
)
_WORDS = regex.compile(r"[A-Za-z]+(?:[_\-./:+ ]+[A-Za-z]*)*")
_CODE = regex.compile(
    r"[A-Za-z_]\w*(?:(?:\.|->|::)[A-Za-z_]\w*)+\W?.*"  # settings.API_KEY, os.environ
    r"|[A-Za-z_]+(?:[_\-.:][A-Za-z]*)*\d{0,2}[.:]?"  # password_2
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
