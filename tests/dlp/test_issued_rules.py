"""Each rule for an issuer's secrets finds one, wherever it stands."""

from __future__ import annotations

import random
import string

import pytest

from tollgate.dlp.issued_rules import ISSUED_RULES
from tollgate.dlp.secret_rules import SecretRule
from tollgate.dlp.secrets import SecretJudge

RANDOM = random.Random(10)


def made(length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    """With a digit and a letter, as nearly all have."""
    ends = ("7", next(letter for letter in "aA" if letter in alphabet))
    return ends[0] + "".join(RANDOM.choice(alphabet) for _ in range(length - 2)) + ends[1]


UPPER = string.ascii_uppercase + string.digits
HEX = "0123456789abcdef"
UUID = "-".join(made(size, HEX) for size in (8, 4, 4, 4, 12))
EXAMPLES = {
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
    "sk-key": f"sk-{made(32, HEX)}",
    "webhook-secret": f"whsec_{made(32)}",
    "google-token": f"GOCSPX-{made(28)}",
    "azure-key": f"{made(76)}AZDO{made(4)}",
    "amazon-mws-token": f"amzn.mws.{UUID}",
    "bedrock-key": f"bedrock-api-key-{made(80)}",
    "atlassian-token": f"ATCTT3xFfGN0{made(160)}=1A2B3C4D",
    "facebook-token": f"EAA{made(120)}",
    "twitter-bearer-token": f"{'A' * 21}{made(24)}%3D{made(40)}",
    "discord-bot-token": f"MT{made(22)}.{made(6)}.{made(38)}",
    "mapbox-secret-token": f"sk.eyJ1Ijoi{made(60)}.{made(22)}",
    "sentry-token": f"sntryu_{made(64, HEX)}",
    "new-relic-license": f"{made(36, HEX)}NRAL",
    "mailchimp-key": f"{made(32, HEX)}-us12",
    "mailgun-key": f"key-{made(32, HEX)}",
    "asana-token": f"1/{'12345678' * 2}:{made(32, HEX)}",
    "clickup-token": f"pk_12345678_{made(32, UPPER)}",
    "hubspot-token": f"pat-na1-{UUID}",
    "plaid-token": f"access-sandbox-{UUID}",
    "launchdarkly-key": f"sdk-{UUID}",
    "adyen-key": f"AQE{made(60)}-{made(40)}-{made(16)}",
    "paypal-braintree-token": f"access_token$sandbox${made(16, HEX)}${made(32, HEX)}",
    "flutterwave-key": f"FLWSECK-{made(32, HEX)}-X",
    "twitch-token": f"oauth:{made(30, HEX)}",
    "infisical-token": f"st.{made(24, HEX)}.{made(32, HEX)}.{made(32, HEX)}",
    "yandex-token": f"AQVN{made(36)}",
    "cloud-access-key": f"LTAI{made(20)}",
    "intercom-token": f"dG9rO{made(54)}=",
    "razorpay-key": f"rzp_live_{made(14)}",
    "resend-key": f"re_{made(8)}_{made(24)}",
    "confluent-secret": f"cflt{made(60)}",
    "telnyx-key": f"KEY{made(55)}",
    "nuget-key": f"oy2{made(43, HEX)}",
    "crates-io-token": f"cio{made(32)}",
    "json-web-token": f"eyJ{made(20)}.eyJ{made(30)}-_{made(9)}.{made(43)}",
    "prefixed-token": f"tvly-dev-{made(32)}",
    "self-described-token": f"acme_live_{made(24)}",
}
AROUND = (
    "{}",
    "key is {}.",
    "<key>{}</key>",
    "a,{},b",
    "rejected {}: expired",
    "https://{}@acme.com/x",
    "「{}」",
)


@pytest.mark.parametrize("rule", ISSUED_RULES, ids=lambda rule: rule.id)
@pytest.mark.parametrize("around", AROUND)
def test_a_rule_finds_its_example_whatever_stands_around(rule: SecretRule, around: str) -> None:
    text = around.format(EXAMPLES[rule.id])
    found = [text[span.start : span.end] for span in SecretJudge(rule).judge(text, 0, len(text), "")]
    assert found
    assert all(value.rstrip(".") in EXAMPLES[rule.id] for value in found)


def test_there_are_no_examples_of_nothing() -> None:
    assert {rule.id for rule in ISSUED_RULES} == EXAMPLES.keys()


@pytest.mark.parametrize(
    "text",
    [
        f"sk-toggleable-content-{made(8)} sk-estimator-doc-link-2",
        f"pk_live_{made(24)}",
        "ntn_" + "1234567890" * 5,
        "test_that_a_token_with_a_long_name_is_none_2 live_2",
        "acme_live_your_api_key_goes_here_1 acme_token_placeholderplaceholder1",
        f"x{made(36, HEX)}NRALx",
        f"call_{made(24)} toolu_{made(24)} chatcmpl-{made(29)} req_{made(24)} msg_{made(24)}",
    ],
)
def test_names_and_identifiers_are_no_secrets(text: str) -> None:
    judges = map(SecretJudge, ISSUED_RULES)
    assert [judge.id for judge in judges if any(judge.judge(text, 0, len(text), ""))] == []
