"""A line fits the terminal and says the most important things, however narrow it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from rich.console import Console as Screen

from tollgate.calls import Call, Identity, Timings, Usage, Verdict
from tollgate.trail.console import Console, line
from tollgate.trail.record import call_record

type NewCall = Callable[..., Call]


@pytest.fixture(name="show")
def show_fixture(new_call: NewCall) -> Callable[..., str]:
    def show(width: int = 140, **changes: Any) -> str:
        return line(call_record(new_call(**changes)), width).plain

    return show


type Show = Callable[..., str]


def test_an_answered_call_at_120_columns(show: Show) -> None:
    usage = Usage(input=412, cache_read=118_000, output=800, reasoning=40)
    shown = show(120, usage=usage, cost=12_345_678)
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d 200 claude-code   api\.anthropic\.com chat         claude-sonnet-4-5 +"
        r"412\+118k→840 \$0\.0123 501ms » 2\.00s",
        shown,
    )


def test_what_a_plan_pays_is_shown_fainter(new_call: NewCall) -> None:
    call = new_call(usage=Usage(input=1), cost=10**9, paid="subscription")
    shown = line(call_record(call))
    (style,) = [span.style for span in shown.spans if "$" in shown.plain[span.start : span.end]]

    assert style == "dim"


@pytest.mark.parametrize(
    ("width", "left_out"),
    [
        (140, []),
        (103, []),
        (100, ["host"]),
        (85, ["host"]),
        (80, ["host", "operation"]),
        (65, ["host", "operation", "took"]),
        (55, ["host", "operation", "took", "time"]),
        (40, ["host", "operation", "took", "time", "who"]),
        (20, ["host", "operation", "took", "time", "who", "model"]),
    ],
)
def test_a_narrow_terminal_goes_without_the_less_important(
    show: Show, width: int, left_out: list[str]
) -> None:
    shown = show(width, verdicts=[Verdict("gate", "refuse", "", "bad_keys")], outcome="refused", status=400)
    signs = {
        "time": ":",
        "status": "400",
        "who": "claude-code",
        "host": "api.anthropic.com",
        "operation": "chat",
        "model": "claude-sonnet-4-5",
        "result": "bad_keys",
        "took": "2.00s",
    }
    assert [name for name, sign in signs.items() if sign not in shown] == sorted(
        left_out, key=list(signs).index
    )


@pytest.mark.parametrize("width", range(10, 200, 7))
def test_a_line_is_never_wider_than_the_terminal(show: Show, width: int) -> None:
    who = Identity("日本語のとても長いユーザー名" * 5, "10.0.0.7", authenticated=True, tool="claude-code")
    shown = line_width(show(width, identity=who, model="m" * 300, usage=Usage(input=10**9, output=10**9)))
    assert shown <= max(width, 18)  # status and result stay


def line_width(text: str) -> int:
    return Screen(width=1000).measure(text).maximum if text else 0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"outcome": "refused", "verdicts": [Verdict("gate", "refuse", "", "bad_keys")]}, "bad_keys"),
        ({"outcome": "failed", "verdicts": [Verdict("upstream", "error", "", "timed_out")]}, "timed_out"),
        ({"outcome": "abandoned"}, "abandoned"),
        ({"status": 429, "usage": Usage(input=1)}, "provider error"),
        ({"usage": Usage(input=1, output=2), "cost": 1_000_000, "cache": "hit"}, "cached 1→2"),
        ({"usage": Usage(input=1, output=2)}, "1→2"),
        ({"usage": Usage(input=1_200, cache_write=9_960, output=12_345)}, "1.2k+9k→12k"),
        ({"usage": Usage(input=1_400_000, output=99_000_000)}, "1.4M→99M"),
        ({"usage": None}, ""),
        ({"usage": None, "cost": 0}, ""),  # a list of models
        ({"usage": Usage(input=1), "cost": 0}, "1→0 $0.0000"),
    ],
)
def test_the_result_is_what_it_used_or_why_not(show: Show, changes: dict[str, Any], expected: str) -> None:
    words = re.split(r" {2,}", show(**changes).rpartition("claude-sonnet-4-5")[2].rpartition("501ms")[0])
    assert "".join(words).strip() == expected


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (0.0019, "1.9ms"),
        (0.00999, "10ms"),
        (0.412, "412ms"),
        (0.9999, "1.00s"),
        (5.123, "5.12s"),
        (65.12, "65.1s"),
        (600.4, "600s"),
    ],
)
def test_the_time_is_short(show: Show, ended: float, expected: str) -> None:
    assert show(timings=Timings(started=0.0, ended=ended)).endswith(f" {expected}")


def test_only_a_stream_shows_the_wait_for_its_first_byte(show: Show) -> None:
    assert show().endswith("501ms » 2.00s")
    assert show(stream=False).endswith(" 2.00s")
    assert "»" not in show(stream=False)


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (Identity("10.0.0.7", "10.0.0.7"), "10.0.0.7 "),
        (Identity("10.0.0.7", "10.0.0.7", tool="codex"), "codex "),
        (Identity("alice", "10.0.0.7", authenticated=True), "alice "),
        (Identity("alice", "10.0.0.7", authenticated=True, tool="codex"), "alice codex "),
    ],
)
def test_who_is_the_user_where_there_is_one_and_the_tool(
    show: Show, identity: Identity, expected: str
) -> None:
    assert show(identity=identity)[13:].startswith(expected)


def test_without_status_and_model_there_are_gaps(show: Show) -> None:
    shown = show(status=None, model="", outcome="abandoned")
    assert shown[9:12] == "---"
    assert "claude-sonnet" not in shown


@pytest.mark.parametrize(
    ("changes", "colour"),
    [
        ({}, "green"),
        ({"status": 500}, "red"),
        ({"outcome": "refused", "status": 400}, "yellow"),
        ({"outcome": "failed", "status": 502}, "red"),
        ({"outcome": "abandoned"}, "magenta"),
    ],
)
def test_the_colour_says_how_it_ended(new_call: NewCall, changes: dict[str, Any], colour: str) -> None:
    text = line(call_record(new_call(**changes)))
    assert next(span.style for span in text.spans if span.start == 9) == colour


# -- the addon ---------------------------------------------------------------------------------------------


def printed(terminal: bool, calls: list[Call]) -> str:
    """What the console prints for calls that end before it has printed any."""
    out = StringIO()
    screen = Screen(
        file=out, force_terminal=terminal, width=100, color_system="standard" if terminal else "auto"
    )
    console = Console(screen)
    for call in calls:
        console.llm_end(call)
    console.running()
    console.done()
    return out.getvalue()


def test_each_call_is_printed_in_order(new_call: NewCall) -> None:
    shown = printed(False, [new_call(model=f"model-{n}") for n in range(3)])
    assert re.findall(r"model-\d", shown) == ["model-0", "model-1", "model-2"]


def test_a_terminal_gets_colours_and_its_own_width(new_call: NewCall) -> None:
    shown = printed(True, [new_call()])
    assert "\x1b[32m200" in shown
    assert line_width(re.sub(r"\x1b\[[\d;]*m", "", shown).rstrip("\n")) <= 100


def test_a_file_gets_whole_lines_without_colours(new_call: NewCall) -> None:
    shown = printed(False, [new_call()])
    assert "\x1b" not in shown
    assert shown.count("\n") == 1
    assert "api.anthropic.com" in shown


def test_more_than_a_person_can_follow_is_only_counted(new_call: NewCall) -> None:
    shown = printed(False, [new_call()] * 100).splitlines()
    assert len(shown) == 51
    assert shown[-1] == "… and 50 more, which only the trail shows"


def test_markup_in_a_name_is_only_text(new_call: NewCall) -> None:
    assert "[red]x[/red]" in printed(False, [new_call(model="[red]x[/red]")])


def test_a_console_that_never_ran_ends(new_call: NewCall) -> None:
    console = Console()
    console.llm_end(new_call())
    console.done()
