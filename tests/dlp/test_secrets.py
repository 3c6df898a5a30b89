"""Secrets are found where they stand, and placeholders and code are left alone."""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.detection import compiled
from tollgate.dlp.secret_rules import SecretRule
from tollgate.dlp.secrets import SecretJudge, build_secrets, entropy, is_placeholder, looks_made
from tollgate.dlp.span import Span
from tollgate.dlp.windows import DetectionFailed, Windowed
from tollgate.policy.dlp import Secrets

RANDOM = random.Random(7)


def made(length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    """Something that looks like a key, and is none."""
    return "".join(RANDOM.choice(alphabet) for _ in range(length))


KEY = made(40)
HEX = made(32, string.hexdigits.lower()[:16])
GITHUB = "ghp_" + made(36)
SENDGRID = f"SG.{made(22)}.{made(43)}"
TELEGRAM = f"4839574812:AA{made(33)}"
BODY = "\n".join(made(64) for _ in range(20))
PRIVATE_KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n-----END RSA PRIVATE KEY-----"


@pytest.fixture(scope="module")
def detector() -> Windowed:
    return build_secrets(Secrets(), compiled())


def found(detector: Windowed, text: str) -> set[str]:
    return {text[span.start : span.end] for span in detector.scan(text)}


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"token {GITHUB} is old", GITHUB),
        (f"密钥{GITHUB}。", GITHUB),
        (f"key = '{SENDGRID}'", SENDGRID),
        (f"bot {TELEGRAM}", TELEGRAM),
        (f"cat key.pem\n{PRIVATE_KEY}\n$", PRIVATE_KEY),
        (f'{{"key": "{PRIVATE_KEY}"}}'.replace("\n", "\\n"), PRIVATE_KEY.replace("\n", "\\n")),
        (f"-----BEGIN PRIVATE KEY-----\n{BODY}", f"-----BEGIN PRIVATE KEY-----\n{BODY}"),
        ("postgres://app:Vk3-xw9Q@db.acme.com:5432/x", "Vk3-xw9Q"),
        ("Server=db;User=sa;Password=Vk3!xw9Q;", "Vk3!xw9Q"),
        (f"AccountName=a;AccountKey={KEY}==;", f"{KEY}=="),
        (f"Authorization: Bearer {KEY}", KEY),
        ("curl -s -u admin:Vk3xw9Q https://acme.com", "Vk3xw9Q"),
        (f"root:$6$rounds=5000${made(16)}${made(86)}:19000", None),
        ("password = 'super$ecret1'", "super$ecret1"),
        ("if user == 'jo' and password == \"team10\":", "team10"),
        ("DB_PASSWORD=Vk3xw9Q!", "Vk3xw9Q!"),
        ('{"AdminPassword": "Vk3-xw9Q"}', "Vk3-xw9Q"),
        ('{\\"password\\": \\"Vk3-xw9Q\\"}', "Vk3-xw9Q"),
        (f"export ACME_API_KEY={KEY}", KEY),
        (f'acme_token: "{HEX}"', HEX),
        (f"my api key is {KEY}", KEY),
        ("the password is Vk3xw9Q!", "Vk3xw9Q!"),
    ],
)
def test_secrets_are_found(detector: Windowed, text: str, secret: str | None) -> None:
    assert any(secret is None or secret in value for value in found(detector, text))


@pytest.mark.parametrize(
    "text",
    [
        "password = os.environ['DB_PASSWORD']",
        "password = settings.DB_PASSWORD",
        'password = "password"',
        'password: "changeme"',
        "token = get_token(request.headers)",
        "api_key=YOUR_API_KEY_HERE",
        "api_key = '<your api key>'",
        "DB_PASSWORD=${DB_PASSWORD}",
        "postgres://user:password@localhost/x",
        "postgres://user:${PASSWORD}@localhost/x",
        "ghp_" + "x" * 36,
        "secret_key = config.get('secret_key', default)",
        "def test_password_reset_token_generator(self):",
        "the password is required",
        "curl -u user:password https://x",
        "tokens: 123456",
        "max_tokens=4096, token_count=81929",
        "key=/etc/ssl/private/key.pem",
        "private key is unencrypted.",
        "-----BEGIN PUBLIC KEY-----\n" + BODY,
    ],
)
def test_placeholders_and_code_are_none(detector: Windowed, text: str) -> None:
    assert found(detector, text) == set()


MACHINES: dict[str, Callable[[], str]] = {
    "uuid": lambda: str(uuid.UUID(int=RANDOM.getrandbits(128), version=4)),
    "hash": lambda: f"{RANDOM.getrandbits(256):064x}",
    "commit": lambda: f"commit {RANDOM.getrandbits(160):040x}",
    "float": lambda: repr(RANDOM.random()),
    "epoch": lambda: str(RANDOM.randrange(15 * 10**8, 18 * 10**8)),
    "base64": lambda: made(44, string.ascii_letters + string.digits + "+/"),
    "call": lambda: "call_" + made(24),
    "tool use": lambda: "toolu_01" + made(22),
    "place": lambda: f"src/a{RANDOM.randrange(99)}.py:{RANDOM.randrange(2000)}:{RANDOM.randrange(80)}",
}


@pytest.mark.parametrize("machine", MACHINES)
def test_machines_make_no_secrets(detector: Windowed, machine: str) -> None:
    assert [text for text in (MACHINES[machine]() for _ in range(200)) if detector.scan(text)] == []


def test_a_policy_leaves_rules_out() -> None:
    text = f"{GITHUB} password='Vk3-xw9Q!'"
    assert found(build_secrets(Secrets(assignments=False), compiled()), text) == {GITHUB}
    assert found(build_secrets(Secrets(without=["*github*"]), compiled()), text) == {"Vk3-xw9Q!"}


def test_a_policy_asks_for_confidence() -> None:
    text = f"beamer = b_{made(44, string.ascii_lowercase)}"  # a rule that claims medium confidence
    assert {span.rule for span in build_secrets(Secrets(assignments=False), compiled()).scan(text)}
    assert not build_secrets(Secrets(assignments=False, confidence="high"), compiled()).scan(text)


def test_a_policy_brings_rules(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text("[[rules]]\nid = 'acme'\nregex = 'acme-([a-z0-9]{8})'\nkeywords = ['acme']")
    text = f"acme-{made(8, 'abcdefgh234567')}"
    (span,) = build_secrets(Secrets(rules=[file], assignments=False), compiled()).scan(text)
    assert span == Span(5, 13, "SECRET", 0.95, "acme")


RULE = SecretRule("acme", r"acme-(\w+)", "high", lenient=True)


@pytest.mark.parametrize(
    ("rule", "text", "secrets"),
    [
        (RULE, "acme-abc12345", ["abc12345"]),
        (RULE, "acme-aaaabbbb", []),
        (SecretRule("a", r"(?P<user>\w+):(?P<password>\w+)", lenient=True), "bob:abc12345", ["abc12345"]),
        (SecretRule("a", r"(?P<x>\w)\w+", lenient=True), "abc12345", ["abc12345"]),
        (SecretRule("a", r"(x)?\w+", lenient=True), "abc12345", ["abc12345"]),
        (SecretRule("a", r"(\w+)-(\w+)", group=2, lenient=True), "ab-c12345", ["c12345"]),
        (
            SecretRule("a", r"\w+", entropy=3.5, lenient=True),
            "abc12345 abcdefgh12345678",
            ["abcdefgh12345678"],
        ),
        (SecretRule("a", r"\w+", keywords=("acme",), lenient=True), "abc12345", []),
        (SecretRule("a", r"\w+", keywords=("acme",), lenient=True), "Acme:", []),
        (SecretRule("a", r"\w{8}", allowed=("^abc",), lenient=True), "abc12345 xbc12345", ["xbc12345"]),
        (SecretRule("a", r"\w{8}", stopwords=("bc1",), lenient=True), "aBC12345 xyz12345", ["xyz12345"]),
        (SecretRule("a", r"\w+"), "example12345", []),
    ],
)
def test_what_a_rule_can_say(rule: SecretRule, text: str, secrets: list[str]) -> None:
    judge = SecretJudge(rule)
    assert [text[span.start : span.end] for span in judge.judge(text, 0, len(text), "")] == secrets
    assert not judge.wants("password")


def test_a_rule_that_takes_too_long_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tollgate.dlp.secrets.TIMEOUT", 0.01)
    judge = SecretJudge(SecretRule("slow", r"((a{1,5}){1,5}){1,5}((a{1,5}){1,5}){1,5}[bc]"))
    with pytest.raises(DetectionFailed, match="the rule slow took longer"):
        list(judge.judge("a" * 60, 0, 60, ""))


@pytest.mark.parametrize(("text", "bits"), [("", 0), ("aaaa", 0), ("abab", 1), ("abcd", 2)])
def test_entropy(text: str, bits: float) -> None:
    assert entropy(text) == bits


@pytest.mark.parametrize(
    "value",
    [
        "xxxxxxxx",
        "<token>",
        "your-key",
        "%s",
        "password",
        "$TOKEN",
        "none",
        "a....",
        "scram-sha-256",
        "user:password",
    ],
)
def test_placeholders(value: str) -> None:
    assert is_placeholder(value)
    assert not is_placeholder(KEY)


def test_a_word_in_quotes_is_no_secret_and_code_without_is_none() -> None:
    assert not looks_made("reset_token", quoted=True)
    assert looks_made("hunter22", quoted=True)
    assert not looks_made("hunter22", quoted=False)
    assert looks_made("hunt3r2", quoted=False)


# -- the same as without the prefilter ---------------------------------------------------------------------

PIECES = [
    KEY,
    HEX,
    GITHUB,
    SENDGRID,
    PRIVATE_KEY,
    "password",
    "token",
    "=",
    ": ",
    '"',
    "'",
    "Vk3-xw9Q",
    "Bearer ",
]
PIECES += [
    "postgres://a:",
    "@db.acme.com",
    "\n",
    " ",
    "密钥",
    "é",
    "acme_api_key",
    "the password is ",
    "x" * 200,
]


@pytest.fixture(scope="module")
def unfiltered() -> Callable[[str], set[Span]]:
    """What the same judges find in whole texts."""
    judges = build_secrets(Secrets(), compiled())._judges
    return lambda text: {span for judge in judges for span in judge.judge(text, 0, len(text), "")}


@settings(deadline=None)  # patterns are compiled when they are first needed
@given(st.lists(st.sampled_from(PIECES), max_size=20))
def test_the_prefilter_changes_no_finding(
    detector: Windowed, unfiltered: Callable[[str], set[Span]], pieces: list[str]
) -> None:
    text = "".join(pieces)
    assert set(detector.scan(text)) == unfiltered(text)
