"""Which answers are kept, and where."""

import pytest
from pydantic import ValidationError

from tollgate.policy.cache import Cache, CacheStorage
from tollgate.policy.schema import Rule


def test_nothing_is_kept_unless_it_is_turned_on() -> None:
    assert not Cache().enabled
    assert Cache().scope == "credential"
    assert not Cache().tools
    assert Cache().semantic.mode == "off"


def test_what_is_kept_is_encrypted_by_default() -> None:
    assert CacheStorage().encrypt


@pytest.mark.parametrize(
    "wrong",
    [
        {"scope": "world"},
        {"ttl": 0},
        {"max_temperature": -1.0},
        {"pace": "slow"},
        {"stale_if_error": "ever"},
        {"semantic": {"threshold": 1.1}},
        {"semantic": {"mode": "on"}},
    ],
)
def test_what_makes_no_sense_is_an_error(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Cache.model_validate(wrong)


def test_a_rule_may_change_part_of_it() -> None:
    rule = Rule.model_validate({"name": "a", "set": {"cache": {"enabled": True, "stale_if_error": "1 h"}}})

    assert rule.set.cache.model_dump(exclude_unset=True) == {"enabled": True, "stale_if_error": 3600.0}
