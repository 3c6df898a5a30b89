"""The rules of the chaos table: `scripts/eval chaos` prints it, and holds to the same ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.chaos import ALONE, FAULTS, LONGEST, STRATEGIES, Fault, Row, play

pytestmark = pytest.mark.xdist_group("chaos")
EACH_FAULT = pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    return play(tmp_path_factory.mktemp("chaos"))


@EACH_FAULT
def test_no_rule_is_broken_whatever_the_strategy(rows: list[Row], fault: Fault) -> None:
    those = [row for row in rows if row.fault is fault]

    assert [row.strategy for row in those] == list(STRATEGIES)
    assert {row.strategy: list(row.wrong()) for row in those} == {name: [] for name in STRATEGIES}


@EACH_FAULT
def test_a_budget_is_charged_for_what_a_provider_made_and_no_more(rows: list[Row], fault: Fault) -> None:
    for row in rows:
        if row.fault is fault:
            assert bool(row.failed) is fault.late
            assert bool(row.answered) is not (fault.late or row.strategy == ALONE)
            assert row.held == 0


FINE = Row(FAULTS[0], "priority", "ok", 0.1, (FAULTS[0].name, "good"), (0, 5), heard=1)
LATE = next(fault for fault in FAULTS if fault.late and not fault.ends_well)
WAITS = next(fault for fault in FAULTS if fault.pause)
CUT = Row(LATE, "priority", "error event", 0.1, ("t",), (5,), heard=1)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (replace(FINE, seconds=LONGEST + 1), "hangs"),
        (replace(FINE, saw="502 api_error"), "should see: ok"),
        (replace(FINE, strategy=ALONE), "should see: an error"),
        (replace(FINE, attempts=("t", "t", "t", "good"), charged=(0, 0, 0, 5)), "asked 3 times"),
        (replace(FINE, fault=WAITS, attempts=("t", "t", "good"), charged=(0, 0, 5), heard=3), "sooner"),
        (replace(FINE, heard=2), "heard 2 requests, not 1"),
        (replace(FINE, charged=(1, 5)), "charged for what failed"),
        (replace(FINE, charged=(0, 0)), "not charged"),
        (replace(FINE, held=7), "still holds"),
        (replace(CUT, saw="half an answer"), "should see: error event"),
        (replace(CUT, attempts=("t", "good"), charged=(5, 0), heard=2), "sent again after the first byte"),
    ],
)
def test_a_broken_rule_is_told(row: Row, said: str) -> None:
    assert list(FINE.wrong()) == list(CUT.wrong()) == []
    assert any(said in problem for problem in row.wrong())
