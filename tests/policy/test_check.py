from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tollgate.policy.check import Check


def test_a_path_is_enough() -> None:
    check = Check.model_validate({"path": "/v1/models?limit=1"})

    assert (check.every, check.timeout, check.statuses, check.failures) == (30.0, 5.0, ["2xx", "429"], 2)


@pytest.mark.parametrize(
    ("given", "taken"), [(200, ["200"]), ("2XX", ["2xx"]), ([200, "3xx", "404"], ["200", "3xx", "404"])]
)
def test_statuses_are_numbers_or_classes(given: Any, taken: list[str]) -> None:
    assert Check.model_validate({"path": "/", "statuses": given}).statuses == taken


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"path": "v1/models"}, "begins with a slash"),
        ({"path": "/v1/models#a"}, "begins with a slash"),
        ({"path": "/v1/my models"}, "percent-encoded"),
        ({"path": "/a\r\nx-header: b"}, "percent-encoded"),
        ({"path": "/", "statuses": []}, "at least 1 item"),
        ({"path": "/", "statuses": [20]}, '"20" is no status'),
        ({"path": "/", "statuses": "6xx"}, '"6xx" is no status'),
        ({"path": "/", "every": "10 ms"}, "at most every 100 ms"),
        ({"path": "/", "failures": 0}, "greater than or equal to 1"),
        ({}, "Field required"),
    ],
)
def test_what_cannot_be_asked_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Check.model_validate(wrong)
