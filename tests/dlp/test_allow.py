"""What a policy allows."""

from __future__ import annotations

import pytest

from tollgate.dlp.allow import AllowList
from tollgate.dlp.windows import DetectionFailed
from tollgate.policy.dlp import Allowed

LIST = AllowList(Allowed(values=["10.0.0.1"], regexes=[r"bot\+\w+@acme\.com"]))


@pytest.mark.parametrize(
    ("value", "entity", "allowed"),
    [
        ("10.0.0.1", "IP_ADDRESS", True),
        ("10.0.0.10", "IP_ADDRESS", False),
        ("bot+7@acme.com", "EMAIL_ADDRESS", True),
        ("a bot+7@acme.com", "EMAIL_ADDRESS", False),
        ("bob@example.com", "EMAIL_ADDRESS", True),
        ("bob@Sub.Test", "EMAIL_ADDRESS", True),
        ("bob@example.com.evil.org", "EMAIL_ADDRESS", False),
        ("example.com@evil.org", "EMAIL_ADDRESS", False),
        ("https://example.com:8080/a@b", "URL", True),
        ("https://u:p@localhost/", "URL", True),
        ("example.org/path", "URL", True),
        ("https://acme.com/example.com", "URL", False),
        ("example.com", "SECRET", False),
    ],
)
def test_what_is_allowed(value: str, entity: str, allowed: bool) -> None:
    assert LIST.allows(value, entity) is allowed


def test_domains_of_a_policy_replace_ours() -> None:
    own = AllowList(Allowed(domains=["*.corp", "!secret.corp"]))
    assert own.allows("a@mail.corp", "EMAIL_ADDRESS")
    assert not own.allows("a@secret.corp", "EMAIL_ADDRESS")
    assert not own.allows("a@example.com", "EMAIL_ADDRESS")


def test_an_expression_that_takes_too_long_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tollgate.dlp.allow.TIMEOUT", 0.01)
    slow = AllowList(Allowed(regexes=[r"((a{1,5}){1,5}){1,5}((a{1,5}){1,5}){1,5}[bc]"]))
    with pytest.raises(DetectionFailed, match="took longer"):
        slow.allows("a" * 60, "X")
