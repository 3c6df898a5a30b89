"""Judges see windows that are large enough, and nothing that was torn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.detection import compiled
from tollgate.dlp.prefilter import Expression, HyperscanPrefilter
from tollgate.dlp.span import Span
from tollgate.dlp.windows import Judge, Reach, Windowed, build_windowed, gates, windows


class Words:
    """Finds runs of z, and remembers where it looked."""

    reach = Reach(back=10, ahead=10, to_space=5)

    def __init__(self, gate: Expression | None, key: str = "") -> None:
        self.gate = gate
        self.seen: list[tuple[int, int]] = []
        self._key = key

    def wants(self, key: str) -> bool:
        return key == self._key

    def judge(self, text: str, start: int, end: int, key: str) -> Iterator[Span]:
        self.seen.append((start, end))
        first = text.find("z", start, end)
        if first >= 0:
            last = first
            while last < end and text[last] == "z":
                last += 1
            yield Span(first, last, "ZZZ", 1.0)


GATE = Expression("zz")


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ([], []),
        ([50], [(35, 65)]),  # no blank near: as far as it may go
        ([50, 52], [(35, 67)]),
        ([3], [(0, 18)]),
        ([99], [(84, 100)]),
        ([20, 80], [(5, 35), (65, 95)]),
        ([80, 20], [(5, 35), (65, 95)]),
    ],
)
def test_windows_reach_around_each_place(ends: list[int], expected: list[tuple[int, int]]) -> None:
    assert list(windows("x" * 100, ends, Reach(10, 10, 5))) == expected


def test_windows_end_at_blanks() -> None:
    text = "one two\nthree four five six"
    assert list(windows(text, [15], Reach(back=4, ahead=1, to_space=9))) == [(8, 18)]


def test_a_judge_looks_at_windows_only() -> None:
    judge = Words(GATE)
    found = build_windowed([judge], compiled()).scan("a" * 500 + " zzz " + "b" * 500)
    assert found == [Span(501, 504, "ZZZ", 1.0)]
    assert judge.seen == [(488, 519)]


def test_what_was_torn_at_a_windows_end_is_not_believed() -> None:
    detector = build_windowed([Words(Expression("zzzb"))], compiled())
    assert detector.scan("b" * 50 + "zzzb" + "c" * 50) == [Span(50, 53, "ZZZ", 1.0)]
    assert detector.scan("zzzb" + "c" * 8) == [Span(0, 3, "ZZZ", 1.0)], "the text's end tears nothing"
    assert detector.scan("zzzb" + "zzzc" * 30) == [Span(0, 3, "ZZZ", 1.0)]
    assert build_windowed([Words(Expression("azz"))], compiled()).scan("a" + "z" * 100) == []


def test_a_judge_without_a_gate_and_one_that_wants_the_key_see_everything() -> None:
    ungated, keyed = Words(None), Words(GATE, "zed")
    detector = build_windowed([ungated, keyed], compiled())
    assert detector.scan("y z y", "zed") == [Span(2, 3, "ZZZ", 1.0)]
    assert (ungated.seen, keyed.seen) == ([(0, 5)], [(0, 5)])
    assert detector.scan("y z y", "other") == [Span(2, 3, "ZZZ", 1.0)]
    assert keyed.seen == [(0, 5)]


def test_a_gate_that_cannot_be_compiled_is_no_gate(tmp_path: Path) -> None:
    judges: list[Judge] = [Words(Expression("(?|z|y)"))]
    detector = Windowed(judges, HyperscanPrefilter(gates(judges), tmp_path))
    assert detector.scan("a z") == [Span(2, 3, "ZZZ", 1.0)]
