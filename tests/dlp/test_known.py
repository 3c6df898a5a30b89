"""Values that are known are found, and kept nowhere."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.dlp.known import KnownValueDetector, env_values, known_values
from tollgate.dlp.span import Span
from tollgate.policy.dlp import KnownValues
from tollgate.store import Digester

DIGESTER = Digester(bytes(32))
VALUES = ["correct horse battery", "p@ss-W0rd!xyz", "hunter22x", "zeile eins\nzeile zwei", "größe-12345"]


def found(text: str, *values: str) -> list[str]:
    spans = KnownValueDetector(values or VALUES, DIGESTER).scan(text)
    return sorted(text[span.start : span.end] for span in spans)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    "text", ["{}", "it is {}.", "PASSWORD='{}'", "https://user:{}@host/", "\n{}\n", "密{}码"]
)
def test_known_values_are_found_wherever_they_stand(value: str, text: str) -> None:
    assert found(text.format(value)) == [value]


@pytest.mark.parametrize(
    "text",
    ["", "hunter22", "xhunter22x", "hunter22xy", "correct horse", "battery correct horse", "W0rd", "ss-W0rd"],
)
def test_parts_of_them_are_not(text: str) -> None:
    assert found(text) == []


def test_what_is_found_is_a_sure_secret() -> None:
    detector = KnownValueDetector(["hunter22x"], DIGESTER)
    assert detector.scan("a hunter22x", "key") == [Span(2, 11, "SECRET", 1.0, "known-value")]


def test_values_that_share_their_longest_word_are_told_apart() -> None:
    assert found("a-longword b-longword c-longword", "a-longword", "b-longword") == [
        "a-longword",
        "b-longword",
    ]


def test_without_values_there_is_no_detector() -> None:
    assert not KnownValueDetector([], DIGESTER)
    assert not KnownValueDetector(["--", "ä-ö"], DIGESTER), "no word to spot them by"
    assert KnownValueDetector([], DIGESTER).scan("anything") == []
    assert KnownValueDetector(VALUES, DIGESTER)


def test_no_value_is_kept() -> None:
    value = "".join(["only", "here", "4711"])
    detector = KnownValueDetector([value], DIGESTER)
    seen, todo = set[int](), [detector.__dict__]
    while todo:
        thing = todo.pop()
        if id(thing) not in seen and isinstance(thing, dict | list | tuple | set | str):
            seen.add(id(thing))
            assert value[:6] not in str(thing)
            todo.extend(gc.get_referents(thing))


@given(st.text(min_size=4).filter(lambda value: any(c.isascii() and c.isalnum() for c in value)), st.text())
def test_any_value_with_a_word_is_found_between_blanks(value: str, text: str) -> None:
    detector = KnownValueDetector([value], DIGESTER)
    spans = detector.scan(f"{text} {value} {text}")
    wanted = Span(len(text) + 1, len(text) + 1 + len(value), "SECRET", 1.0, "known-value")
    assert (wanted in spans) is bool(detector)


ENV = r"""
# a comment
PLAIN=plain value   # and a comment
export QUOTED="with \"quotes\"\nand lines" # more
SINGLE='as it "is"\n'
EMPTY=
 SPACED = spaced
not a line
"""


def test_values_of_env_files() -> None:
    assert list(env_values(ENV)) == [
        "plain value",
        'with "quotes"\nand lines',
        r"as it \"is\"\n".replace('\\"', '"'),
        "spaced",
    ]


def test_where_a_policy_points(tmp_path: Path) -> None:
    (tmp_path / ".env.local").write_text("A=first-value\nB=short\nC=localhost")
    (tmp_path / "prod.env").write_text("A=second-value")
    (tmp_path / "key").write_text("\nwhole file=\nof lines\n")
    policy = KnownValues(
        environment=["*_TOKEN", "!PUBLIC*"],
        files=[tmp_path / ".env.local", tmp_path / "prod.env", tmp_path / "key"],
    )
    environ = {"ACME_TOKEN": "third-value", "PUBLIC_TOKEN": "not-this-one", "HOME": "/not/this"}
    assert sorted(known_values(policy, environ)) == [
        "first-value",
        "second-value",
        "third-value",
        "whole file=\nof lines",
    ]
    assert list(known_values(KnownValues(), environ)) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read"), (b"\xff\xfe", "is no UTF-8 text"), (b"x" * 70_000, "too large")],
)
def test_a_file_that_cannot_be_used_is_an_error(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        list(known_values(KnownValues(files=[file]), {}))
    assert str(file) in str(error.value)
