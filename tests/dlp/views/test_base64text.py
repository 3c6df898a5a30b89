"""Base64 of text, and how it is written."""

from __future__ import annotations

import gzip
from base64 import b64encode, encodebytes, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.dlp.views.base64text import Base64Text

TEXT = "The key is ÿÿÿ sk-abcd1234, and it stays here: " * 4


def wrapped(width: int, line_end: str) -> str:
    packed = b64encode(TEXT.encode()).decode()
    return line_end.join(packed[at : at + width] for at in range(0, len(packed), width))


@pytest.mark.parametrize(
    "run",
    [
        b64encode(TEXT.encode()).decode(),
        b64encode(TEXT[:-1].encode()).decode().rstrip("="),
        urlsafe_b64encode(TEXT.encode()).decode(),
        urlsafe_b64encode(TEXT[:-1].encode()).decode().rstrip("="),
        encodebytes(TEXT.encode()).decode().rstrip("\n"),
        wrapped(64, "\r\n"),
        wrapped(60, "\n  "),
    ],
)
def test_text_is_read_and_written_in_the_same_way(run: str) -> None:
    packed = Base64Text.read(run)

    assert packed is not None
    assert packed.text.startswith("The key is")
    assert packed.write(packed.text) == run
    other = packed.write("something else, which is longer than a line would be " * 3)
    assert (read := Base64Text.read(other)) is not None
    assert read.text.startswith("something else")
    assert ("\n" in other) is ("\n" in run)


@pytest.mark.parametrize(
    "run",
    [
        "no base64 at all",
        b64encode(b"\xff\xfe\x00binary").decode(),
        b64encode("text".encode("utf-16")).decode(),
        b64encode("text in utf-16".encode("utf-16-le")).decode(),
        b64encode(gzip.compress(b"text", mtime=0)).decode(),
        b64encode(b"%PDF-1.7 1 0 obj is all text").decode(),
        b64encode(TEXT.encode()).decode()[:-3] + "B==",  # bits that stand for nothing
        wrapped(64, "\n").replace("\n", "\r\n", 1),
        "é" * 16,
        "dGV4dA=",
    ],
)
def test_what_would_not_come_back_is_not_read(run: str) -> None:
    assert Base64Text.read(run) is None


@given(st.text(min_size=1))
def test_whatever_is_read_comes_back(text: str) -> None:
    run = b64encode(text.encode()).decode()
    packed = Base64Text.read(run)

    assert packed is None or packed.write(packed.text) == run
