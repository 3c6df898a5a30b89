from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.cost import counter, ranks
from tollgate.cost.counter import CHUNK, Counter, chunks, estimate

PROSE = "It was a bright cold day in November, and the clocks were striking thirteen. " * 40
CODE = "for name, value in sorted(rows.items()):\n    print(f'{name}: {value:>12,.2f}')\n" * 40
JSON = '{"id":"r-0042","tags":["alpha","beta"],"size":1048576,"ok":true},' * 40
GERMAN = "Die Rechnung für den Monat November ist noch nicht bezahlt worden. " * 40
CHINESE = "今天的天气很好，我们去公园散步。" * 40

COUNTER = Counter()
needs_ranks = pytest.mark.skipif(ranks.find("o200k_base", None) is None, reason="bpe-openai is not installed")


@needs_ranks
def test_tokens_are_counted_where_there_are_ranks() -> None:
    assert COUNTER.count("Hello world", "o200k_base") == 2
    assert COUNTER.count("", "o200k_base") == 0
    assert COUNTER.count("<|endoftext|>", "o200k_base") > 1, "what stands in a text is no control token"
    assert COUNTER.ready("o200k_base")


@needs_ranks
@pytest.mark.parametrize("text", [PROSE, CODE, JSON, GERMAN, CHINESE])
def test_an_estimate_is_not_far_off(text: str) -> None:
    assert 0.75 < estimate(text) / COUNTER.count(text, "o200k_base") < 1.35


@needs_ranks
def test_a_million_spaces_are_no_trouble() -> None:
    """tiktoken panics on them, with an exception that no `except Exception` takes."""
    assert COUNTER.count(" " * 1_000_001, "o200k_base") > 1_000


@needs_ranks
def test_what_is_cut_into_chunks_counts_the_same() -> None:
    text = (PROSE + CODE + JSON) * 20

    whole = len(COUNTER._loaded["o200k_base"].encode_ordinary(text))
    assert len(text) > 2 * CHUNK
    assert abs(COUNTER.count(text, "o200k_base") - whole) <= whole / 10_000


@needs_ranks
def test_ranks_are_read_once_for_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []

    def load(name: str, read: object) -> object:
        loads.append(name)
        return COUNTER._loaded["o200k_base"]

    COUNTER.count("", "o200k_base")
    monkeypatch.setattr(counter, "load", load)
    fresh = Counter()
    assert not fresh.ready("o200k_base")
    with ThreadPoolExecutor(4) as pool:
        counted = list(pool.map(lambda _: fresh.count("Hello world", "o200k_base"), range(16)))

    assert (counted, loads) == ([2] * 16, ["o200k_base"])


def test_without_ranks_tokens_are_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "find_spec", lambda name: None)
    without = Counter()

    assert without.ready("o200k_base")
    assert without.count(PROSE, "o200k_base") == estimate(PROSE)


def test_a_folder_without_ranks_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cost\.counting\.ranks"):
        Counter(tmp_path)


@given(st.text(alphabet="ab \n", max_size=300), st.integers(min_value=1, max_value=40))
def test_chunks_are_the_text_and_none_is_longer(text: str, size: int) -> None:
    found = list(chunks(text, size))

    assert "".join(found) == text
    assert all(len(chunk) <= size for chunk in found)


def test_chunks_end_before_a_word() -> None:
    assert list(chunks("one two three", 9)) == ["one two", " three"]
