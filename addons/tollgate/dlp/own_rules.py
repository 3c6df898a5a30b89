"""Rules for secrets beside kingfisher's."""

from __future__ import annotations

from tollgate.dlp.secret_rules import SecretRule

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
"""Secrets of no vendor."""

REPLACED = frozenset({"betterleaks.private-key"})
"""Kingfisher's rules in whose place one of these stands: ours finds a key whose end was cut off, too."""

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

"""Secrets of vendors that kingfisher does not know, or not in every shape."""

_WORD = r"(?i)(?:passw(?:or)?[dt]|passphrase|passcode|(?<![A-Za-z])pass|pwd)"
_KEY = (  # what stands before "key" is looked at only there: forwards, every word might begin it
    r"(?i)(?:secret|token|credential|cookie"
    r"|(?=key|pass)(?<=(?:api|app|access|account|auth|consumer|deploy|encrypt(?:ion)?|license|master|private|provision|service"
    r"|shared|sign(?:ing)?|storage|user|write|read|admin|client|device)[_.-]?)(?:key|pass)|(?=key)(?<=[a-z]{3}[_-])key)"
)
_NEXT = r"[\w.\-]{0,24}[\"'`\]\\]{0,3}\s{0,8}(?:=>|:=|!=|={1,3}|:(?:[ ]?str(?:ing)?[ ]?=)?)\s{0,8}"
_QUOTE = r"(?:[\"'`]|\\\")"
_IN_QUOTES = r"[^\s\"'`]"
_FIRST, _NEXT_ONES = r"[A-Za-z0-9$!@+/_]", r"[^\s\"'`<>(){}\[\],;]"
_SAID = r"(?:api |access |secret )?(?:password|passphrase|passcode|secret|token|key)[ ](?:is|was)?[ ]?[\"'`]?"


def _quoted(name: str, before: str, least: int, entropy: float) -> SecretRule:
    """A value of at least so many characters in quotes, behind a name and what assigns to it."""
    start = f"{before}{_QUOTE}"
    pattern = f"{start}({_IN_QUOTES}{{{least},512}}?){_QUOTE}"
    return SecretRule(name, pattern, entropy=entropy, gate=f"{start}{_IN_QUOTES}{{{least}}}")


def _plain(name: str, before: str, least: int, entropy: float) -> SecretRule:
    """The same without quotes: one character, and at least so many others."""
    pattern = rf"{before}({_FIRST}{_NEXT_ONES}{{{least},512}})(?=[\s\"'`,;]|\\n|$)"
    return SecretRule(name, pattern, entropy=entropy, gate=f"{before}{_FIRST}{_NEXT_ONES}{{{least}}}")


ASSIGNMENTS = (
    _quoted("password-quoted", _WORD + r"\w{0,24}[\"'`\]]{0,2}[ \t]{0,8},?[ \t]?", 6, 2.2),
    _quoted("password-quoted", _WORD + _NEXT, 6, 2.2),
    _plain("password", _WORD + _NEXT, 6, 2.5),
    _quoted("token-quoted", _KEY + _NEXT, 12, 3.0),
    _plain("token", _KEY + _NEXT, 15, 3.0),
    _plain("said", rf"(?i)\b{_SAID}", 7, 2.8),
)
"""What is assigned to a name is a secret only if it looks like one: see `secrets.looks_made`."""
