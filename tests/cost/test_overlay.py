from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tollgate.cost.overlay import Entry, rates_of, read_entries, read_overlays
from tollgate.cost.rates import CALL
from tollgate.policy.price_file import Tariff
from tollgate.policy.problem import PolicyError

DAY = date(2026, 11, 22)


def entry(row: str) -> Entry:
    (found,) = read_entries(f"prices:\n  - {{{row}}}", "prices.yaml")
    return found


@pytest.mark.parametrize(
    ("row", "fits"),
    [
        ("multiply: 2", True),
        ("multiply: 2, provider: openai", True),
        ("multiply: 2, provider: OpenAI", True),
        ("multiply: 2, provider: azure", False),
        ("multiply: 2, model: 'gpt-*'", True),
        ("multiply: 2, model: ['o*', '!gpt-5*']", False),
        ("multiply: 2, host: 'eu.*'", True),
        ("multiply: 2, host: 'us.*'", False),
        ("multiply: 2, region: us", True),
        ("multiply: 2, region: eu", False),
        ("multiply: 2, since: 2026-11-22", True),
        ("multiply: 2, since: 2026-11-23", False),
        ("multiply: 2, until: 2026-11-23", True),
        ("multiply: 2, until: 2026-11-22", False),
    ],
)
def test_a_row_is_for_the_calls_it_names(row: str, fits: bool) -> None:
    assert entry(row).fits("openai", "gpt-5.4", "eu.api.openai.com", "us", DAY) is fits


def test_a_row_says_where_it_stands() -> None:
    assert str(entry("multiply: 2").wrong("no")) == "prices.yaml:2: no"


def test_what_has_no_price_of_its_own_costs_what_it_is_a_part_of() -> None:
    rates = rates_of(Tariff.model_validate({"input": 1, "output": 2, "cache_write": 3, "reasoning": 0}))

    nanos = {name: rate.nanos(1, 1) for name, rate in rates.items()}
    assert nanos == {
        **dict.fromkeys(("input", "cache_read", "input_audio", "input_image"), 1_000),
        **dict.fromkeys(("output", "output_audio", "output_image"), 2_000),
        **dict.fromkeys(("cache_write", "cache_write_long"), 3_000),
        "reasoning": 0,
    }


def test_fees_are_for_one_and_audio_is_by_the_hour() -> None:
    rates = rates_of(Tariff.model_validate({"call": 0.002, "hour": 3.6, "tools": {"web_search": 0.01}}))

    assert rates[CALL].nanos(1, 0) == 2_000_000
    assert rates["seconds"].nanos(1, 0) == 1_000_000
    assert rates["requests.web_search"].nanos(1, 0) == 10_000_000


def test_several_files_are_read_in_order(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("prices: [{model: a, multiply: 2}]")
    second.write_text("prices: [{model: b, multiply: 2}, {model: c, multiply: 3}]")

    assert [entry.row.model for entry in read_overlays([first, second])] == [["a"], ["b"], ["c"]]


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("")

    assert read_overlays([file]) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prices:\n  - modle: x", r'a\.yaml:2: prices\[0\]\.modle: unknown key; did you mean "model"\?'),
        ("prices:\n  - model: x", r"a\.yaml:2: prices\[0\]: nothing here says what it costs"),
        (
            "prices:\n  - prices: {inptu: 1}",
            r'a\.yaml:2: prices\[0\]\.prices\.inptu: unknown key; did you mean "input"\?',
        ),
        ("prices:\n  - prices:\n      input: -1", r"a\.yaml:3: prices\[0\]\.prices\.input: "),
        ("prices:\n  - prices: {input: cheap}", r"a\.yaml:2: prices\[0\]\.prices\.input: "),
        ("prise: []", r'a\.yaml:1: prise: unknown key; did you mean "prices"\?'),
        ("prices: [", r"a\.yaml:1: not valid YAML"),
    ],
)
def test_a_slip_is_an_error_that_says_where_and_what(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)

    with pytest.raises(PolicyError, match=message):
        read_overlays([file])


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"nothing\.yaml: cannot be read"):
        read_overlays([tmp_path / "nothing.yaml"])
