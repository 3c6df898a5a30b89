"""Names in a policy that stand for nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.detection import compiled
from tollgate.dlp.named import check_names
from tollgate.policy import Policy, PolicyError, load


def policy(folder: Path, settings: dict[str, Any]) -> Policy:
    file = folder / "policy.yaml"
    file.write_text(json.dumps(settings, indent=1))
    return load([file])


@pytest.mark.parametrize(
    ("settings", "line", "message"),
    [
        (
            {"dlp": {"actions": {"EMAIL_ADRESS": "block"}}},
            4,
            "dlp.actions.EMAIL_ADRESS: there is no entity, group or secret rule 'EMAIL_ADRESS'; did you mean "
            "'EMAIL_ADDRESS'?",
        ),
        (
            {"dlp": {"answers": {"actions": {"PII": "mask"}}}},
            5,
            "dlp.answers.actions.PII: there is no entity, group or secret rule 'PII'",
        ),
        (
            {"rules": [{"name": "a", "set": {"dlp": {"actions": {"connection-strings": "block"}}}}]},
            8,
            "rules[0].set.dlp.actions.connection-strings: there is no entity, group or secret rule "
            "'connection-strings'; did you mean 'connection-string'?",
        ),
        ({"detection": {"entities": ["US_PASPORT"]}}, 4, "detection.entities[0]: there is no entity"),
        ({"detection": {"without": ["IP_ADRESS"]}}, 4, "detection.without[0]: there is no entity"),
        ({"detection": {"phone_regions": ["GB", "UK"]}}, 5, "detection.phone_regions[1]: there are no phone"),
        (
            {"detection": {"secrets": {"without": ["sk-*", "sk-keys"]}}},
            6,
            "detection.secrets.without[1]: there is no secret rule 'sk-keys'; did you mean 'sk-key'?",
        ),
    ],
)
def test_a_name_that_stands_for_nothing_is_told_with_its_place(
    tmp_path: Path, settings: dict[str, Any], line: int, message: str
) -> None:
    with pytest.raises(PolicyError) as error:
        check_names(policy(tmp_path, settings), compiled() / "cache")

    assert str(error.value).startswith(f"{tmp_path}/policy.yaml:{line}: {message}")
    assert len(str(error.value)) < 2500


def test_what_there_is_may_be_named_whether_it_is_looked_for_or_not(tmp_path: Path) -> None:
    names = ("SECRET", "PERSONAL", "PERSON", "DE_TAX_ID", "CREDIT_CARD", "EMPLOYEE", "known-value", "sk-key")
    settings = {
        "dlp": {"actions": dict.fromkeys(names, "mask")},
        "detection": {
            "patterns": [{"name": "EMPLOYEE", "words": ["Bluebird"]}],
            "without": ["CREDIT_CARD"],
            "countries": ["DE"],
            "secrets": {"without": ["kingfisher.*", "sk-key"]},
        },
    }

    check_names(policy(tmp_path, settings), compiled() / "cache")


def test_the_defaults_name_nothing_that_has_to_be_looked_up(tmp_path: Path) -> None:
    check_names(Policy(), tmp_path / "there is no such folder")
