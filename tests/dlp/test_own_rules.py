"""Each rule of ours finds what it is for."""

from __future__ import annotations

import random
import string

import pytest

from support.detection import compiled
from tollgate.dlp.own_rules import ASSIGNMENTS, OWN_RULES, REPLACED
from tollgate.dlp.prefilter import Expression, Letters, Re2Prefilter
from tollgate.dlp.secret_rules import SecretRule, compile_rule, kingfisher_rules
from tollgate.dlp.secrets import AssignmentJudge, SecretJudge

RANDOM = random.Random(9)


def made(length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(RANDOM.choice(alphabet) for _ in range(length))


HEX = "0123456789abcdef"
WORDS = "able acid also area army away baby back ball band bank base"
BLOCK = f"-----BEGIN EC PRIVATE KEY-----\n{made(64)}\n-----END EC PRIVATE KEY-----"
EXAMPLES = {
    "private-key": BLOCK,
    "connection-string": f"mongodb+srv://app:{made(12)}@cluster.acme.com/x",
    "connection-password": f"Uid=sa;Pwd={made(12)};",
    "shared-key": f"SharedAccessKey={made(43)}=",
    "authorization": f"Authorization: Basic {made(24)}==",
    "user-password": f"curl --user bob:{made(12)} https://acme.com",
    "password-hash": f"bob:$2b$12${made(53)}:",
    "authorization-header": f"'Authorization': 'SSWS {made(9)}73{made(9)}'",
    "session-cookie": f"Cookie: theme=dark; PHPSESSID={made(25)}7; lang=en",
    "signed-url": f"https://acme.blob.example/x?sv=2026&sig={made(40)}%3D",
    "credential-pair": f'requests.get(url, auth=("ada", "{made(4)}73{made(4)}"))',
    "sql-password": f"CREATE USER ada IDENTIFIED BY '{made(4)}73{made(4)}'",
    "command-password": f"mysqldump -u root -p{made(4)}73{made(4)} shop",
    "piped-password": f"echo {made(4)}73{made(4)} | sudo -S ls",
    "aws-secret-beside-id": f"ada,AKIA{made(16, string.ascii_uppercase)},{made(40)}",
    "private-key-base64": f"client-key-data: LS0tLS1CRUdJTiBFQyBQUklW{made(80)}",
    "jwk": f'{{"kty":"EC","crv":"P-256","x":"{made(43)}","d":"{made(43)}"}}',
    "registry-auth": f'{{"auths": {{"ghcr.io": {{"auth": "{made(24)}"}}}}}}',
    "windows-hash": f"Administrator:500:{made(32, HEX)}:{made(32, HEX)}:::",
    "device-password": f"username ada password 7 {made(20)}",
    "secure-string": f'ConvertTo-SecureString "{made(4)}73{made(4)}" -AsPlainText',
    "putty-key": f"Private-Lines: 2\n{made(64)}\n{made(20)}=\nPrivate-MAC: 0",
    "static-key": f"-----BEGIN OpenVPN Static key V1-----\n{made(32, HEX)}\n{made(32, HEX)}\n",
    "ansible-vault": f"$ANSIBLE_VAULT;1.1;AES256\n  {made(80, string.digits)}\n  {made(80, string.digits)}",
    "mnemonic": f"seed phrase: {WORDS}",
    "password-pair": f'<add key="DB_PASSWORD" value="{made(4)}73{made(4)}" />',
    "token-pair": f"- name: ACME_TOKEN\n  value: {made(9)}73{made(9)}",
    "password-in-text": f"<password>{made(4)}73{made(4)}</password>",
    "token-in-text": f"| api key | {made(9)}73{made(9)} |",
    "password-option": f"acme login --password {made(4)}73{made(4)}",
    "token-option": f"acme --api-token {made(9)}73{made(9)} up",
    "password-variable": f"ENV ACME_SECRET {made(9)}73{made(9)}",
    "password-quoted": f"password => '{made(4)}73{made(4)}'",
    "password": f"DB_PASS={made(4)}73{made(4)}",
    "token-quoted": f'"client_secret": "{made(9)}73{made(9)}"',
    "token": f"deploy_key: {made(9)}73{made(9)}",
    "said": f"the passphrase is {made(4)}73{made(4)}",
}


@pytest.mark.parametrize("rule", OWN_RULES, ids=lambda rule: rule.id)
def test_a_rule_finds_its_example(rule: SecretRule) -> None:
    text = f"see {EXAMPLES[rule.id]} there"
    assert list(SecretJudge(rule).judge(text, 0, len(text), ""))


def test_assignments_find_their_examples() -> None:
    found = {rule.id for rule in ASSIGNMENTS if _finds(AssignmentJudge(rule), EXAMPLES[rule.id])}
    assert found == {rule.id for rule in ASSIGNMENTS}


@pytest.mark.parametrize(
    "text",
    [
        f"пароль: {made(4)}73{made(4)}",
        f"密码：{made(4)}73{made(4)}",
        f"contraseña = {made(4)}73{made(4)}",
        f"define('API_KEY', '{made(9)}73{made(9)}');",
        f'#define api_key "{made(9)}73{made(9)}"',
        f"connect(password={made(4)}73{made(4)})",
        f'variable "db_password" {{\n  default = "{made(4)}73{made(4)}"\n}}',
        f"<key>AdminPassword</key>\n<string>{made(4)}73{made(4)}</string>",
        f"private key: 0x{made(63, HEX)}7",
        f"let api_key: &str = '{made(9)}73{made(9)}'",
    ],
)
def test_assignments_are_written_in_many_ways(text: str) -> None:
    assert any(_finds(AssignmentJudge(rule), text) for rule in ASSIGNMENTS)


@pytest.mark.parametrize(
    "text",
    [
        f"gpg --recv-keys {made(40, '0123456789ABCDEF')}",
        "password_encryption = scram-sha-256",
        "pass | fail | skip | x1y2z3w4",
        "docker run -p 8080:80 nginx && mysql -p 3306 -h db",
        "the next token probabilities. A basic implementation",
        'headers = ["Authorization", "Proxy-Authorization"]',
        "KEY flow_node? and Public key ping-sha256: x",
        f"client-certificate-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0{made(80)}",
        f"public_key: {made(31, HEX)}7",
        "mnemonic: it is a word that helps us to keep the long ones",
    ],
)
def test_what_only_looks_like_it_is_none(text: str) -> None:
    judges = [*map(SecretJudge, OWN_RULES), *map(AssignmentJudge, ASSIGNMENTS)]
    assert [judge.id for judge in judges if _finds(judge, text)] == []


def _finds(judge: SecretJudge, text: str) -> bool:
    return any(judge.judge(text, 0, len(text), ""))


def test_there_are_no_examples_of_nothing() -> None:
    assert {rule.id for rule in (*OWN_RULES, *ASSIGNMENTS)} == EXAMPLES.keys()


def test_all_compile() -> None:
    for rule in (*OWN_RULES, *ASSIGNMENTS):
        assert compile_rule(rule.pattern)


def test_what_is_replaced_is_there() -> None:
    assert {rule.id for rule in kingfisher_rules(compiled())} >= REPLACED


@pytest.mark.parametrize(
    ("text", "opens"),
    [
        (f"token = self.session.{made(30)}", True),  # long enough whatever follows
        ("token = self.session.a1b2c3, limit", True),
        (f"token={made(9)}73{made(9)}\\n(", True),
        (f"token={made(9)}73{made(9)}", True),
        ("token = self.session.refresh(now)", False),
        ("token = self.sessions[0]", False),
    ],
)
def test_the_gate_of_an_assignment_stays_shut_before_a_call(text: str, opens: bool) -> None:
    rule = next(rule for rule in ASSIGNMENTS if rule.id == "token")
    assert bool(Re2Prefilter([Expression(rule.gate)], Letters.ASCII).ends(text)) is opens
