"""Folded texts, loosened patterns, and engines that miss nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from tollgate.dlp import prefilter as module
from tollgate.dlp.prefilter import (
    Expression,
    HyperscanPrefilter,
    Letters,
    Prefilter,
    Re2Prefilter,
    build_prefilter,
    fold,
    loosen,
)

PATTERNS = (
    r"\b[A-Z]{2}\d{6}\b",
    r"(?<![\w.])\d{3}-\d{2}-\d{4}(?!\d)",
    r"\b\w+@\w+\.\w{2,}\b",
    r"(?<=id )[^_\s]{4}(?= )",
    r"straße \d+",
    r"(?:a(?!b(?:c|\)))|[)]x)\d",
)
CASES = [
    "AB123456",
    "ü123-45-6789x",
    "bob@müller.de",
    "id",
    "ab漢c",
    "Straße",
    "12",
    "ſtraße",
    "3",
    "ac1",
    ")x2",
]
CASES += ["١٢٣-٤٥-٦٧٨٩", "İd", "\u212a"]


type Make = Callable[[Sequence[Expression], Path, Letters], Prefilter]


def re2(expressions: Sequence[Expression], cache: Path, letters: Letters) -> Prefilter:
    return Re2Prefilter(expressions, letters)


ENGINES: list[Make] = [HyperscanPrefilter, re2]


@pytest.fixture(params=ENGINES, ids=["hyperscan", "re2"])
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


@given(st.text(), st.sampled_from(Letters))
def test_a_folded_text_has_one_byte_for_each_character(text: str, letters: Letters) -> None:
    assert len(fold(text, letters)) == len(text)


def test_foreign_characters_keep_their_class() -> None:
    assert fold("é漢 ٣\u00a0€ſ\u212aİ", Letters.ANY) == b"__ 3 \x80ski"


def test_for_ascii_patterns_a_foreign_letter_ends_a_word() -> None:
    assert fold("密钥sk", Letters.ASCII) == b"\x80\x80sk"


def test_a_long_run_is_folded_as_short_ones_are() -> None:
    run = "漢字٣€ſ" * 3_000
    assert fold(f"{run}a{run}", Letters.ANY) == b"__3\x80s" * 3_000 + b"a" + b"__3\x80s" * 3_000


@pytest.mark.parametrize(
    ("pattern", "loose"),
    [
        (r"(?<!a)b(?!c(d)\))e", b"be"),
        (r"[(?=]x(?=[)]y)", b"[(?=]x"),
        (r"[^_]\(?[^a]", rb"[\x00-\xff]\(?[^a]"),
        ("ä[ö]", b"_[_]"),
        (r"(?<name>a)(?:b)", rb"(?<name>a)(?:b)"),
    ],
)
def test_a_loosened_pattern_has_no_lookarounds_and_no_foreign_letters(pattern: str, loose: bytes) -> None:
    assert loosen(pattern, Letters.ANY) == loose


FLAGS = regex.IGNORECASE | regex.MULTILINE | regex.DOTALL


@pytest.fixture(scope="module", params=ENGINES, ids=["hyperscan", "re2"])
def ready(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Prefilter:
    expressions = [Expression(pattern, FLAGS) for pattern in PATTERNS]
    prefilter: Prefilter = request.param(expressions, tmp_path_factory.mktemp("patterns"), Letters.ANY)
    return prefilter


@given(st.lists(st.sampled_from(CASES) | st.text(max_size=3)).map(" ".join))
def test_nothing_that_a_pattern_finds_is_missed(ready: Prefilter, text: str) -> None:
    ends = ready.ends(text)
    for number, pattern in enumerate(PATTERNS):
        if number not in ready.unfiltered:
            for match in regex.finditer(pattern, text, FLAGS):
                assert any(match.start() <= end <= len(text) for end in ends[number])


TELLING = r"word[\s\S]{0,30}?\b\d{3,5}\b"


@pytest.fixture(scope="module", params=ENGINES, ids=["hyperscan", "re2"])
def telling(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Prefilter:
    prefilter: Prefilter = request.param(
        [Expression(TELLING)], tmp_path_factory.mktemp("telling"), Letters.ANY
    )
    return prefilter


@given(
    st.lists(st.sampled_from(["word", "123", "45678", ", ", "x" * 9, "_", "\n"]), max_size=12).map("".join)
)
def test_every_number_behind_a_telling_word_has_its_place(telling: Prefilter, text: str) -> None:
    wanted = {
        number.end()
        for word in regex.finditer("word", text)
        for number in regex.finditer(r"\b\d{3,5}\b", text)
        if 0 <= number.start() - word.end() <= 30
    }

    ends = telling.ends(text).get(0, [])

    for end in wanted:
        assert end in ends


def test_a_long_run_takes_no_more_than_its_length(make: Make, tmp_path: Path) -> None:
    prefilter = make([Expression("[a-z]{20,}"), Expression("a[a-z ]{20,200}")], tmp_path, Letters.ANY)

    found = prefilter.ends("a" * 200_000 + " a" * 50_000)

    assert set(found) == {0, 1}


def test_what_an_engine_cannot_compile_is_left_to_the_judges(make: Make, tmp_path: Path) -> None:
    expressions = [Expression(r"abc"), Expression(r"\p{Lu}(?|a|b)"), Expression("x", regex.IGNORECASE)]
    for _ in range(2):  # made, then from the cache
        prefilter = make(expressions, tmp_path, Letters.ANY)
        assert set(prefilter.unfiltered) == {1}
        assert set(prefilter.ends("abc X")) == {0, 2}


def test_no_pattern_that_compiles_finds_nothing(make: Make, tmp_path: Path) -> None:
    prefilter = make([Expression("(?|a|b)")], tmp_path, Letters.ANY)
    assert set(prefilter.unfiltered) == {0}
    assert prefilter.ends("ab") == {}


def test_re2_leaves_patterns_that_match_nothing_at_all_to_the_judges() -> None:
    assert set(Re2Prefilter([Expression("(?=a)"), Expression("a")]).unfiltered) == {0}


def test_a_database_is_kept_and_a_broken_one_is_made_anew(tmp_path: Path) -> None:
    HyperscanPrefilter([Expression("abc")], tmp_path)
    (file,) = tmp_path.iterdir()
    kept = file.read_bytes()
    file.write_bytes(kept[:-20])
    assert HyperscanPrefilter([Expression("abc")], tmp_path).ends("abc") == {0: [3]}
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [kept]


def test_other_patterns_have_another_database(tmp_path: Path) -> None:
    HyperscanPrefilter([Expression("abc")], tmp_path)
    HyperscanPrefilter([Expression("abc", regex.IGNORECASE)], tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_threads_scan_at_the_same_time(tmp_path: Path) -> None:
    prefilter = HyperscanPrefilter([Expression(r"\d{4}")], tmp_path)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(prefilter.ends, ["x" * 10_000 + "1234"] * 40))
    assert found == [{0: [10_004]}] * 40


def test_hyperscan_is_taken_where_it_is_and_re2_where_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(build_prefilter([Expression("a")], tmp_path), HyperscanPrefilter)
    monkeypatch.setattr(module, "hyperscan", None)  # as its failed import leaves it
    assert isinstance(build_prefilter([Expression("a")], tmp_path), Re2Prefilter)
