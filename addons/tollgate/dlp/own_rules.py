"""Rules for secrets beside kingfisher's."""

from __future__ import annotations

from tollgate.dlp.secret_rules import SecretRule

_KEY_BLOCK = (
    r"-----BEGIN[ A-Z0-9_-]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[\s\S]{0,16000}?-----END[ A-Z0-9_-]{0,40}PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\s\\]{40,16000})"
)
_A_WORD = r"^[A-Za-z]?[a-z]+(?:-[A-Z]?[a-z]+)*[.,]?$"
"""What follows "token" in prose."""
_NO_VALUE = r"^[\d.:]+$|[/\\]|^\w+=|^[a-z-]+$|\.\w{2,5}$"
"""What follows an option -p that means a port, a path, a project or a file."""
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
        allowed=(_A_WORD,),
    ),
    # schemes that nobody registered are as usual: ApiKey, SSWS, GenieKey, Bot, or none at all
    SecretRule(
        "authorization-header",
        r"(?i)\bauthorization[\"']?\s?[:=,]\s?[\"']?"
        r"(?:[a-z][\w-]{1,23}[ :=]{1,2})?(?:token=)?[\"']?([\w.~+/-]{16,2000}={0,2})",
        "high",
        entropy=3.2,
        allowed=(_A_WORD,),
    ),
    SecretRule(
        "session-cookie",
        r"(?i)\bcookie[\"']?\s?:\s?[\"']?(?:[^\s;=\"']{1,64}=[^\s;\"']{0,256};\s?){0,8}"
        r"[\w.-]{0,40}(?:sess|sid|auth|token|jwt|login|remember)[\w.-]{0,40}=([^\s;\"']{16,2000})",
        "high",
        entropy=3.2,
    ),
    SecretRule(
        "signed-url",
        r"(?i)[?&;](?:sig|signature|x-amz-signature|x-goog-signature|x-amz-security-token)=([\w%/+~.-]{32,2000}={0,2})",
        "high",
        entropy=3.2,
    ),
    SecretRule(
        "user-password",
        r"(?i)\bcurl\b.{0,200}?\s(?:-u|--user)[ =]?[\"']?[^\s:\"']{1,64}:([^\s\"'@]{4,128})",
        "high",
    ),
    SecretRule(
        "credential-pair",
        r"(?i)(?:basic_?auth|networkcredential|\bcredentials?|\bauth\s?=|\blog_?in)\s?\({1,2}\s?[\"'][^\s\"']{1,64}[\"']\s?,\s?"
        r"(?:\w{2,12}\s?=\s?)?[\"']([^\s\"']{6,128})[\"']",
        "medium",
        entropy=2.2,
    ),
    SecretRule(  # https://dev.mysql.com/doc/refman/8.4/en/create-user.html and other databases
        "sql-password",
        r"(?i)\b(?:identified\s+(?:with\s+\S{1,40}\s+)?(?:by|as)(?:\s+password)?|password\s?\()"
        r"\s{0,4}[\"']([^\s\"']{4,128})[\"']",
        "high",
    ),
    SecretRule(
        "command-password",
        r"\b(?i:sshpass|(?:docker|podman|az|oc|helm)\s[^\n|;&]{0,40}?\blogin|mysql\w{0,8}|mariadb\w{0,8}"
        r"|redis-cli|mosquitto_\w{3}|unzip|zip|7z[ar]?|htpasswd|net\s+use|smbclient|lftp|ldap\w{3,8}|mongo\w{0,8}|ssh-keygen)"
        r"\s[^\n|;&]{0,160}?"
        r"(?:(?<=\s)-(?:p|P|a|w|N|pw)[ =]?[\"']?|\s-b\s+\S+\s+\S+\s+[\"']?|\\\S+\s+)"
        r"([^\s\"'|;&-][^\s\"'|;&]{5,127})(?=[\s\"'|;&]|$)",
        "medium",
        entropy=2.5,
        allowed=(_NO_VALUE,),
    ),
    SecretRule(
        "piped-password",
        r"(?i)\becho\s+(?:-n\s+)?[\"']?([^\s\"'|]{6,128})[\"']?\s{0,4}\|\s{0,4}(?:sudo |passwd|docker login)",
        "medium",
    ),
    SecretRule(
        "aws-secret-beside-id",
        r"\b(?:AKIA|ASIA)[A-Z2-7]{16}(?:[\"'\s,;:|]|\\n){1,12}(?i:[a-z_ ]{0,24}[\"':= ]{1,6})?"
        r"([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
        "high",
        entropy=4.0,
    ),
    SecretRule(  # base64 of "-----BEGIN", but neither of a certificate nor of what is public
        "private-key-base64",
        r"\b(LS0tLS1CRUdJTi(?!BDRVJU|BQVUJM|BYNTA5|BUUlVT)[A-Za-z0-9+/]{60,16000}={0,2})",
        "high",
    ),
    SecretRule(
        "jwk",
        r"\"kty\"\s?:\s?\"[A-Za-z]{2,4}\"[^{}]{0,2000}?\"(?:d|k)\"\s?:\s?\"([\w-]{20,2000})\"",
        "high",
        entropy=4.0,
    ),
    SecretRule(  # user and password, as Docker and npm keep them
        "registry-auth",
        r"[\"'_]auth[\"']?\s{0,3}[:=]\s{0,3}[\"']?([A-Za-z0-9+/]{16,400}={0,2})(?![A-Za-z0-9+/])",
        "high",
        entropy=3.0,
        allowed=(r"^[A-Za-z]+$",),
    ),
    SecretRule("windows-hash", r":\d{3,10}:([0-9a-fA-F]{32}:[0-9a-fA-F]{32}):::", "high"),
    SecretRule(
        "device-password", r"(?i)\b(?:password|secret|md5) [5-9] ([\w$./]{8,120})", "high", entropy=2.5
    ),
    SecretRule(
        "secure-string", r"(?i)\bConvertTo-SecureString\s+(?:-String\s+)?[\"']([^\s\"'$]{4,128})[\"']", "high"
    ),
    SecretRule("putty-key", r"Private-Lines: \d+((?:\s+[A-Za-z0-9+/=]{20,64}){1,80})", "high"),
    SecretRule(
        "static-key",
        r"(-{4,5} ?BEGIN (?:OpenVPN Static key V1|SSH2 ENCRYPTED PRIVATE KEY) ?-{4,5}"
        r"[A-Za-z0-9+/=\s\\]{40,4000})",
        "high",
    ),
    SecretRule(
        "ansible-vault",
        r"(\$ANSIBLE_VAULT;[\d.]{3};[A-Z0-9]{3,8}(?:;\S{1,40})?(?:\s+[0-9a-f]{2,80}){1,200})",
        "high",
    ),
    SecretRule(
        "mnemonic",
        r"(?i)\b(?:mnemonic|(?:seed|recovery|backup|wallet|secret)[ _](?:phrase|words))"
        r"[\"']?\s{0,4}(?:is)?[:=]?\s{0,4}[\"'\[]{0,2}"
        r"((?-i:(?:[a-z]{3,8}[\"']?[ ,]{1,2}[\"']?){11,23}[a-z]{3,8}))\b",
        "medium",
    ),
    SecretRule(
        "password-hash",
        r"((?:\$(?:2[abxy]?|1|apr1|5|6|7|y|gy|argon2(?:id?|d)|scrypt|pbkdf2[\w-]*)|pbkdf2_sha(?:1|256|512))"
        r"\$[\w./$=,+-]{20,300})",
        "high",
    ),
)
"""Secrets of no vendor."""

REPLACED = frozenset({"betterleaks.private-key"})
"""Kingfisher's rules in whose place one of these stands: ours finds a key whose end was cut off, too."""

_WORD = (
    r"(?i)(?:passw(?:or)?[dt]|passphrase|passcode|(?<![A-Za-z])(?:pass|pw|psk)(?![A-Za-z])|pwd|kennwort|wachtwoord"
    r"|mot de passe|contrase(?:ñ|n)a|senha|hasło|parola)"
)
_FOREIGN = "(?i)(?:пароль|密码|密碼|パスワード|비밀번호)"
"""Apart from the others: to the prefilter, all these letters look the same."""
_KEY = (  # what stands before "key" is looked at only there: forwards, every word might begin it
    r"(?i)(?:secret|token|credential|cookie"
    r"|(?=key|pass)(?<=(?:api|app|access|account|auth|consumer|deploy|encrypt(?:ion)?|license|master|private|provision"
    r"|service|shared|sign(?:ing)?|storage|user|write|read|admin|client|device)[ _.-]?)(?:key|pass)"
    r"|(?=key)(?<=[a-z]{3}[_-])(?<!public[_-])key)"
)
_ASSIGNS = r"[\"'`\]\\]{0,3}\s{0,8}(?:=>|:=|!=|={1,3}|[:](?:[ ]?&?(?:'static )?str(?:ing)?[ ]?=)?)\s{0,8}"
_VALUE = (  # the name and the value have names of their own, as in lists of variables, plists and forms
    r"[\"'`]?(?:</key>)?[\s,{]{0,16}[\"'<\-]{0,2}(?:value|default|string|content|val|body)"
    r"[\"'>]?\s{0,3}[:=>]?\s{0,3}[\"'`]?"
)
_NEXT = rf"[\w.\-]{{0,24}}{_ASSIGNS}"
_PAIR = rf"[\w.\-]{{0,24}}{_VALUE}"
_IN_TEXT = r"[\w.\-]{0,24}(?:>\s{0,8}|`?[ ]{1,4}\|[ ]{1,4}`?)"
"""What stands before the text of an element of XML, and of a cell in a table of Markdown."""
_QUOTE = r"(?:[\"'`]|\\\")"
_IN_QUOTES = r"[^\s\"'`]"
_FIRST, _NEXT_ONES = r"[A-Za-z0-9$!@+/_]", r"[^\s\"'`<>(){}\[\],;]"
_BEHIND = r"(?:[\s\"'`,;<)}]|\\n|$)"
"""Stands behind a value. What stops short of it is code, as in `token = self.session.refresh()`."""
_LONGER = f"{_NEXT_ONES}{{24}}"
_SAID = (
    r"(?:(?:api |access |secret )?(?:password|passphrase|passcode|secret|token|key)[ ](?:is|was)?"
    r"|p(?:ass|wd?)[ ](?:is|was))[ ]?[\"'`]?"
)
_UPPER = "(?:PASSWORD|PASSWD|_PASS|_PWD|SECRET|TOKEN|_KEY)"
"""In names of variables that a blank stands behind, as in Dockerfiles, in C and in shells of Windows."""


def _quoted(name: str, before: str, least: int, entropy: float) -> SecretRule:
    """A value of at least so many characters in quotes, behind a name and what assigns to it."""
    start = f"{before}{_QUOTE}"
    pattern = f"{start}({_IN_QUOTES}{{{least},512}}?){_QUOTE}"
    return SecretRule(name, pattern, entropy=entropy, gate=f"{start}{_IN_QUOTES}{{{least}}}")


def _plain(name: str, before: str, least: int, entropy: float) -> SecretRule:
    """The same without quotes: one character, and at least so many others."""
    pattern = f"{before}({_FIRST}{_NEXT_ONES}{{{least},512}})(?={_BEHIND})"
    begin = f"{before}{_FIRST}{_NEXT_ONES}{{{least}}}"
    return SecretRule(name, pattern, entropy=entropy, gate=f"{begin}(?:{_LONGER}|{_NEXT_ONES}*{_BEHIND})")


ASSIGNMENTS = (
    _quoted("password-quoted", _WORD + r"\w{0,24}[\"'`\]]{0,2}[ \t]{0,8},?[ \t]?", 6, 2.2),
    _quoted("password-quoted", _WORD + _NEXT, 6, 2.2),
    _plain("password", _WORD + _NEXT, 6, 2.5),
    _quoted("token-quoted", _KEY + _NEXT, 12, 3.0),
    _quoted("token-quoted", _KEY + r"[\w-]{0,24}(?:[ \t]{1,8}|[\"'`][ ]?,[ ]?)", 16, 3.3),
    _plain("token", _KEY + _NEXT, 15, 3.0),
    _plain("password-pair", r"(?i)(?:passw(?:or)?[dt]|passphrase|passcode|_pass|pwd)" + _PAIR, 6, 2.5),
    _plain("password", _FOREIGN + r"(?:[ ]?[:=]|：)[ ]?[\"']?", 6, 2.5),
    _plain("token-pair", _KEY + _PAIR, 15, 3.0),
    _plain("password-in-text", _WORD + _IN_TEXT, 6, 2.5),
    _plain("token-in-text", _KEY + _IN_TEXT, 15, 3.0),
    _plain("password-option", rf"--[\w-]{{0,24}}{_WORD}[\w-]{{0,24}}[ ][\"']?", 6, 2.5),
    _plain(
        "token-option",
        rf"--(?!(?:recv|send|search|list|export|local|default)-)[\w-]{{0,24}}{_KEY}[\w-]{{0,24}}[ ][\"']?",
        15,
        3.0,
    ),
    _plain(
        "password-variable", rf"\b[A-Z][A-Z0-9_]{{0,40}}{_UPPER}[A-Z0-9_]{{0,16}}[ \t]{{1,8}}[\"']?", 8, 2.8
    ),
    _plain("said", rf"(?i)\b{_SAID}", 7, 2.8),
)
"""What is assigned to a name is a secret only if it looks like one: see `secrets.looks_made`."""
