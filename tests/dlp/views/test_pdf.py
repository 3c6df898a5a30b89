from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import FreeText, Link

from support.pdfs import page_of
from tollgate.dlp.views.documents import Reading, texts
from tollgate.dlp.views.pdf import contents
from tollgate.dlp.views.view import Budget, ViewError

SECRET = "AKIAQYLPMN5HFIQR7XYA"


def changed(change: Callable[[PdfWriter], object]) -> bytes:
    """A PDF to which something was added."""
    writer = PdfWriter(PdfReader(io.BytesIO(page_of("hello"))))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_pages_are_read() -> None:
    assert [str(text).strip() for text in contents(page_of(SECRET))] == [SECRET]


ADDITIONS: list[Callable[[PdfWriter], object]] = [
    lambda writer: writer.add_metadata({"/Author": SECRET}),
    lambda writer: writer.add_annotation(0, FreeText(text=SECRET, rect=(1, 1, 9, 9))),
    lambda writer: writer.add_annotation(0, Link(url=f"https://x.io/{SECRET}", rect=(1, 1, 9, 9))),
    lambda writer: writer.add_attachment(f"{SECRET}.txt", b"none"),
]


@pytest.mark.parametrize("add", ADDITIONS)
def test_what_stands_beside_the_pages_is_read(add: Callable[[PdfWriter], object]) -> None:
    assert any(SECRET in text for text in contents(changed(add)) if isinstance(text, str))


def test_attached_files_are_read_as_documents() -> None:
    data = changed(lambda writer: writer.add_attachment("a.pdf", page_of(SECRET)))

    assert ("pdf/pdf", SECRET) in [
        (text.name, text.text.strip()) for text in texts(data, Reading(Budget(1 << 20), 3, strict=True))
    ]


def test_a_pdf_behind_other_bytes_is_one_too() -> None:
    found = list(texts(b"\x00\x01" + page_of(SECRET), Reading(Budget(1 << 20), 1, strict=True)))

    assert [text.name for text in found] == ["pdf"]


def test_text_that_speaks_of_pdf_is_text() -> None:
    found = list(texts(b"magic = b'%PDF-1.4'", Reading(Budget(1 << 20), 1, strict=True)))

    assert [text.name for text in found] == [""]


def test_the_text_of_a_pdf_counts() -> None:
    with pytest.raises(ViewError) as error:
        list(texts(page_of(SECRET), Reading(Budget(10), 1, strict=True)))

    assert error.value.code == "too_large"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"%PDF-1.4\n" + SECRET.encode(), "broken_document"),
        (page_of(SECRET)[:200], "broken_document"),
        (changed(lambda writer: writer.encrypt("password")), "unreadable_document"),
    ],
)
def test_a_pdf_that_cannot_be_read_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(ViewError) as error:
        list(contents(data))

    assert error.value.code == code


def test_a_pdf_of_too_many_pages_is_refused() -> None:
    pages = b"3 0 R " * 5_001
    data = page_of(SECRET).replace(b"[3 0 R]/Count 1", b"[%s]/Count 5001" % pages)
    with pytest.raises(ViewError) as error:
        list(contents(data))

    assert error.value.code == "too_many_pages"


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_nothing_but_a_view_error_is_raised(data: st.DataObject) -> None:
    pdf = bytearray(page_of(SECRET))
    for _ in range(data.draw(st.integers(1, 6))):
        pdf[data.draw(st.integers(8, len(pdf) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ViewError):
        list(contents(bytes(pdf)))
