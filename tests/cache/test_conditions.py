"""What clients ask of caches."""

import pytest
from multidict import CIMultiDict

from tollgate.cache.conditions import Conditions, conditions


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ([], Conditions()),
        (["no-cache"], Conditions(give=False)),
        (["no-store"], Conditions(give=False, keep=False)),
        (["max-age=60"], Conditions(max_age=60.0)),
        (["Max-Age = 60"], Conditions(max_age=60.0)),
        (['max-age="5", no-transform'], Conditions(max_age=5.0)),
        (["max-age=0", "only-if-cached"], Conditions(max_age=0.0, only_kept=True)),
        (["max-age=soon"], Conditions()),
        (["max-stale, , ==;"], Conditions()),
    ],
)
def test_conditions_of_a_request(said: list[str], meant: Conditions) -> None:
    assert conditions(CIMultiDict([("Cache-Control", value) for value in said])) == meant


def test_the_older_header_counts_where_the_newer_is_missing() -> None:
    assert not conditions(CIMultiDict({"pragma": "no-cache"})).give
    assert conditions(CIMultiDict({"pragma": "no-cache", "cache-control": "max-age=9"})).give
