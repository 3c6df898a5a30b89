"""Each rule of ours finds what it is for."""

from __future__ import annotations

import random
import string

import pytest

from support.detection import compiled
from tollgate.dlp.own_rules import ASSIGNMENTS, OWN_RULES, REPLACED, VENDOR_RULES
from tollgate.dlp.secret_rules import SecretRule, compile_rule, kingfisher_rules
from tollgate.dlp.secrets import AssignmentJudge, SecretJudge

RANDOM = random.Random(9)


def made(length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(RANDOM.choice(alphabet) for _ in range(length))


UPPER = string.ascii_uppercase + string.digits
BLOCK = f"-----BEGIN EC PRIVATE KEY-----\n{made(64)}\n-----END EC PRIVATE KEY-----"
EXAMPLES = {
    "private-key": BLOCK,
    "connection-string": f"mongodb+srv://app:{made(12)}@cluster.acme.com/x",
    "connection-password": f"Uid=sa;Pwd={made(12)};",
    "shared-key": f"SharedAccessKey={made(43)}=",
    "authorization": f"Authorization: Basic {made(24)}==",
    "user-password": f"curl --user bob:{made(12)} https://acme.com",
    "password-hash": f"bob:$2b$12${made(53)}:",
    "telegram-bot-token": f"4839574812:AA{made(33)}",
    "vault-token": f"s.{made(12)}7{made(11)}",
    "doppler-token": f"dp.st.dev.{made(43)}",
    "square-secret": f"sq0csp-{made(43)}",
    "dropbox-token": f"sl.{made(130)}",
    "age-secret-key": f"AGE-SECRET-KEY-1{made(58, UPPER)}",
    "new-relic-key": f"NRAK-{made(27, UPPER)}",
    "adafruit-key": f"aio_{made(28)}",
    "slack-token": f"xoxe.xoxp-1-{made(160)}",
    "webhook": f"https://hooks.zapier.com/hooks/catch/{made(7)}/{made(7)}/",
    "password-quoted": f"password => '{made(9)}7'",
    "password": f"DB_PASS={made(9)}7",
    "token-quoted": f'"client_secret": "{made(20)}7"',
    "token": f"deploy_key: {made(20)}7",
    "said": f"the passphrase is {made(9)}7",
}


@pytest.mark.parametrize("rule", [*OWN_RULES, *VENDOR_RULES], ids=lambda rule: rule.id)
def test_a_rule_finds_its_example(rule: SecretRule) -> None:
    text = f"see {EXAMPLES[rule.id]} there"
    assert list(SecretJudge(rule).judge(text, 0, len(text), ""))


def test_assignments_find_their_examples() -> None:
    found = {rule.id for rule in ASSIGNMENTS if _finds(AssignmentJudge(rule), EXAMPLES[rule.id])}
    assert found == {rule.id for rule in ASSIGNMENTS}


def _finds(judge: SecretJudge, text: str) -> bool:
    return any(judge.judge(text, 0, len(text), ""))


def test_there_are_no_examples_of_nothing() -> None:
    assert {rule.id for rule in (*OWN_RULES, *VENDOR_RULES, *ASSIGNMENTS)} == EXAMPLES.keys()


def test_all_compile() -> None:
    for rule in (*OWN_RULES, *VENDOR_RULES, *ASSIGNMENTS):
        assert compile_rule(rule.pattern)


def test_what_is_replaced_is_there() -> None:
    assert {rule.id for rule in kingfisher_rules(compiled())} >= REPLACED
