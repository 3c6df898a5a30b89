"""The shipped data: every row says where it comes from, is reached, and takes nothing from another."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from tollgate.dialects import DIALECTS as SPOKEN
from tollgate.providers import DIALECTS, OPERATIONS, Provider, Providers
from tollgate.providers.table import read_families, shipped

FAMILIES = read_families(shipped("paths.yaml"), "paths.yaml")
BUILTIN = Providers.builtin()
ROWS = BUILTIN.rows

each_row = pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])


@each_row
def test_a_row_says_where_it_comes_from_and_since_when_that_is_known(row: Provider) -> None:
    assert all(link.startswith("https://") for link in row.sources)
    assert row.sources
    assert row.checked is not None
    assert date(2026, 1, 1) <= row.checked <= date.today()  # noqa: DTZ011 -- a day, as the row has it


@each_row
def test_a_host_is_found_as_its_own_rows(row: Provider) -> None:
    """A glob with every star filled in too, so that no earlier glob takes its hosts."""
    for host in row.hosts:
        name = host.replace("**", "x9.y9").replace("*", "x9")
        assert BUILTIN.provider_of(name, row.port or 443) == row


@each_row
def test_no_wildcard_reaches_beyond_its_domain(row: Provider) -> None:
    for host in row.hosts:
        name = host.replace("**", "x9.y9").replace("*", "x9")
        for other in (f"{name}.example.net", f"evil-{name}.example.net"):
            assert BUILTIN.provider_of(other, row.port or 443) is None


@each_row
def test_every_glob_ends_in_a_domain_of_two_labels_or_is_local(row: Provider) -> None:
    tails = [host.rpartition("*")[2] for host in row.hosts if "*" in host]
    assert all(tail.count(".") >= 2 or tail == ".local" for tail in tails)


@each_row
def test_every_path_of_a_row_can_be_tried(row: Provider) -> None:
    """An unknown path is held against all patterns, so each of them compiles."""
    host = row.hosts[0].replace("**", "x9").replace("*", "x9")
    for method in ("GET", "POST"):
        match = BUILTIN.recognise(host, row.port or 443, method, "/no/such/path/-")
        assert match is not None
        assert (match.provider, match.known) == (row, False)


@each_row
def test_only_an_opaque_row_speaks_nothing(row: Provider) -> None:
    assert row.opaque is (not row.endpoints)


def test_no_two_rows_claim_one_host() -> None:
    claims = Counter((host, row.port) for row in ROWS for host in row.hosts)
    assert [claim for claim, count in claims.items() if count > 1] == []


def test_every_family_is_spoken_by_someone() -> None:
    spoken = {endpoint.path for row in ROWS for endpoint in row.endpoints}
    for name, family in FAMILIES.items():
        assert any(path.endswith(family[0].path) for path in spoken), name


def test_the_dialects_are_those_that_tollgate_speaks() -> None:
    assert set(DIALECTS) == {name for name, _ in SPOKEN}


def test_every_dialect_and_operation_is_used() -> None:
    endpoints = [endpoint for family in FAMILIES.values() for endpoint in family]
    assert {endpoint.dialect for endpoint in endpoints} == set(DIALECTS)
    assert {endpoint.operation for endpoint in endpoints} == set(OPERATIONS)


def test_a_path_that_cannot_be_inspected_is_generic() -> None:
    opaque = [endpoint for family in FAMILIES.values() for endpoint in family if endpoint.opaque]
    assert {endpoint.dialect for endpoint in opaque} == {"generic"}
