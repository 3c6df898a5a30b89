from __future__ import annotations

import gzip
import io
import sys
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from support.pdfs import page_of
from tollgate.dlp.views.documents import Reading, is_container, plain_text, promising, texts
from tollgate.dlp.views.view import Budget, ViewError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SECRET = "AKIAQYLPMN5HFIQR7XYA"


def zipped(files: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def office(name: str, xml: bytes | str) -> bytes:
    return zipped({"[Content_Types].xml": "<Types/>", name: xml})


def read(
    data: bytes, limit: int = 1 << 20, depth: int = 3, strict: bool = True
) -> list[tuple[str, str, int]]:
    return [(name, text, n) for name, text, n in texts(data, Reading(Budget(limit), depth, strict))]


def refusal(data: bytes, limit: int = 1 << 20, depth: int = 3) -> str:
    with pytest.raises(ViewError) as error:
        read(data, limit, depth)
    return error.value.code


@pytest.mark.parametrize(
    "charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "ascii", "iso2022_jp"]
)
def test_text_is_read_in_any_charset(charset: str) -> None:
    assert read(f"the key is {SECRET} here.".encode(charset)) == [("", f"the key is {SECRET} here.", 0)]


@pytest.mark.parametrize("charset", ["latin-1", "shift_jis", "gb18030", "koi8-r"])
def test_ascii_is_read_in_eight_bit_charsets(charset: str) -> None:
    text = {"latin-1": "Schlüssel", "shift_jis": "鍵の値", "gb18030": "密钥", "koi8-r": "ключ"}[charset]
    ((name, found, _),) = read(f"{text}: {SECRET} ".encode(charset))

    assert name == "strings"
    assert SECRET in found


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\xff\xfe\x80" + SECRET.encode() + bytes(range(256)),
        bytes(range(128, 256)) + SECRET.encode("utf-16-le") + bytes(300),
    ],
)
def test_readable_runs_in_binary_data_are_read(data: bytes) -> None:
    assert any(SECRET in text for name, text, _ in read(data) if name == "strings")


@pytest.mark.parametrize(
    "data",
    [b"\xff\xfe" + SECRET.encode(), bytes(30) + SECRET.encode() + bytes(30), b"\0" + SECRET.encode() + b"\0"],
)
def test_a_charset_does_not_hide_what_can_be_read_without_it(data: bytes) -> None:
    assert any(SECRET in text for _, text, _ in read(data))


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", bytes(40), bytes(range(128, 160))])
def test_what_has_no_text_gives_none(data: bytes) -> None:
    assert [text for _, text, _ in read(data) if text.strip("\0")] == []


def test_a_mark_that_does_not_keep_its_word_is_no_text() -> None:
    assert plain_text(b"\xef\xbb\xbf\xff\xff") is None


# -- archives ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("gzip", gzip.compress(SECRET.encode())),
        ("zlib", zlib.compress(SECRET.encode())),
        ("zlib", zlib.compress(SECRET.encode(), 9)),
        ("zlib", zlib.compress(SECRET.encode(), 1)),
        ("gzip", gzip.compress(b"AKIAQYLPMN") + gzip.compress(b"5HFIQR7XYA")),
        ("zstd", zstd.compress(SECRET.encode())),
        ("zip", zipped({"a/b.txt": SECRET})),
        ("zip", zipped({"a.txt": SECRET}, zipfile.ZIP_STORED)),
        ("zip", zipped({"a.txt": SECRET}, zipfile.ZIP_BZIP2)),
        ("zip", b"#!/bin/sh\nexit\n" + zipped({"a.txt": SECRET})),
    ],
)
def test_archives_are_unpacked(name: str, data: bytes) -> None:
    assert (name, SECRET, 1) in read(data)
    assert is_container(data)


def test_the_names_of_files_are_text_too() -> None:
    assert ("zip/names", f"a.txt\n{SECRET}.txt", 1) in read(zipped({"a.txt": "", f"{SECRET}.txt": ""}))


def test_archives_in_archives_are_unpacked_as_deep_as_allowed() -> None:
    data = gzip.compress(zipped({"a.gz": gzip.compress(SECRET.encode())}))

    assert ("gzip/zip/gzip", SECRET, 3) in read(data, depth=3)
    assert refusal(data, depth=2) == "too_deep"


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(bytes(2_000_000)),
        zstd.compress(bytes(2_000_000)),
        zipped({"a": bytes(2_000_000)}),
        zipped({str(n): bytes(200_000) for n in range(10)}),
        gzip.compress(gzip.compress(bytes(2_000_000))),
    ],
)
def test_bombs_are_refused(data: bytes) -> None:
    assert len(data) < 10_000
    assert refusal(data, limit=1_000_000) == "too_large"


def test_too_many_files_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for n in range(10_001):
            archive.writestr(zipfile.ZipInfo(str(n)), b"")

    assert refusal(out.getvalue(), limit=1 << 30) == "too_many_files"


def marked_encrypted(data: bytes) -> bytes:
    """A zip file with the flag for encryption set in its directory."""
    at = data.index(b"PK\x01\x02") + 8
    return data[:at] + b"\x01" + data[at + 1 :]


BROKEN = [
    (b"\x1f\x8b\x08" + SECRET.encode(), "broken_document"),
    (gzip.compress(SECRET.encode())[:-4], "broken_document"),
    (b"PK\x03\x04" + SECRET.encode(), "broken_document"),
    (
        zipped({"a": SECRET}, zipfile.ZIP_STORED).replace(SECRET.encode(), SECRET.lower().encode()),
        "broken_document",
    ),
    (marked_encrypted(zipped({"a": SECRET}, zipfile.ZIP_STORED)), "unreadable_document"),
    (zipped({"a": SECRET}, zipfile.ZIP_LZMA), "unreadable_document"),
    (b"7z\xbc\xaf\x27\x1c" + SECRET.encode(), "unreadable_document"),
    (b"BZh91AY&SY" + SECRET.encode(), "unreadable_document"),
]


@pytest.mark.parametrize(("data", "code"), BROKEN)
def test_a_document_that_cannot_be_read_is_refused(data: bytes, code: str) -> None:
    assert refusal(data) == code


@pytest.mark.parametrize(("data", "code"), BROKEN)
def test_in_the_midst_of_text_it_is_read_as_binary_data(data: bytes, code: str) -> None:
    assert [name for name, _, _ in read(data, strict=False) if name not in ("", "strings", "zip/names")] == []


def test_a_pdf_is_read() -> None:
    found = read(page_of(SECRET))

    assert [(name, text.strip(), depth) for name, text, depth in found] == [("pdf", SECRET, 1)]
    assert [name for name, _, _ in read(b"\xff\xfe\xfd" + page_of(SECRET))] == ["pdf"]
    assert refusal(page_of(SECRET), limit=5) == "too_large"


def test_a_file_attached_to_a_pdf_is_a_document_of_its_own() -> None:
    writer = PdfWriter(PdfReader(io.BytesIO(page_of(SECRET))))
    writer.add_attachment("a.gz", gzip.compress(SECRET.encode()))
    out = io.BytesIO()
    writer.write(out)

    assert ("pdf/gzip", SECRET, 2) in read(out.getvalue())


# -- office documents ----------------------------------------------------------------------------------------

WORD = (
    '<?xml version="1.0"?><w:document xmlns:w="urn:w"><w:p><w:r><w:t>key AKIAQY</w:t></w:r>'
    '<w:r w:rsidR="00A1"><w:t xml:space="preserve">LPMN5HFIQR7XYA</w:t></w:r></w:p>'
    "<w:p><w:r><w:t>R&amp;D</w:t><w:br/><w:t>x</w:t><w:tab/><w:t>y</w:t></w:r></w:p></w:document>"
)
SHEET = "<x:sst><x:si><x:t>4111</x:t></x:si><x:si><x:t>name</x:t></x:si></x:sst>"
ROWS = '<sheetData><row r="1"><c><v>1</v></c><c><v>4111111111111111</v></c></row><row><c/></row></sheetData>'
SLIDE = "<p:sld><a:p><a:r><a:t>jane</a:t></a:r><a:r><a:t>@x.io</a:t></a:r></a:p></p:sld>"


@pytest.mark.parametrize(
    ("name", "xml", "expected"),
    [
        ("word/document.xml", WORD, f"key {SECRET}\nR&D\nx\ty\n"),
        ("xl/sharedStrings.xml", SHEET, "4111\nname\n"),
        ("xl/worksheets/sheet1.xml", ROWS, "1\t4111111111111111\t\n\n"),
        ("ppt/slides/slide1.xml", SLIDE, "jane@x.io\n"),
        ("word/document.xml", f"<w:t><![CDATA[<{SECRET}>]]></w:t>", f"<{SECRET}>"),
        ("word/document.xml", f"<t>{SECRET}</t>".encode("utf-16"), SECRET),
    ],
)
def test_office_documents_are_read_as_people_see_them(name: str, xml: bytes | str, expected: str) -> None:
    assert ("zip/text", expected, 1) in read(office(name, xml))


@pytest.mark.parametrize("hidden", [f'<w:r w:author="{SECRET}"/>', f"<!-- {SECRET} -->", f"<?x {SECRET}?>"])
def test_what_hides_in_markup_is_read_too(hidden: str) -> None:
    found = read(office("word/document.xml", f"<w:p>text{hidden}</w:p>"))

    assert any(name == "zip/markup" and SECRET in text for name, text, _ in found)


def test_xml_in_another_charset_is_read_as_binary_data() -> None:
    found = read(office("word/document.xml", f"<t>ü{SECRET}</t>".encode("latin-1")))

    assert any(name == "zip/strings" and SECRET in text for name, text, _ in found)


def test_links_of_an_office_document_are_read() -> None:
    found = read(office("word/_rels/document.xml.rels", f'<Relationship Target="https://x.io/{SECRET}"/>'))

    assert any(SECRET in text for _, text, _ in found)


# -- anything ------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"PK\x03\x04", b"%PDF-", b"\x1f\x8b\x08", b"\xff\xfe"]))
def test_nothing_but_a_view_error_is_raised(data: bytes, magic: bytes) -> None:
    with suppress(ViewError):
        read(magic + data)
    read(magic + data, strict=False)


@pytest.mark.parametrize(
    "data",
    [SECRET.encode(), b"\x1f\x8b\x08", "\uff15\uff13".encode(), "536-22".encode("utf-16-le"), bytes(65)],
)
def test_what_may_have_text_is_promising(data: bytes) -> None:
    assert promising(data)


@settings(deadline=None)
@given(st.binary(max_size=64))
def test_what_is_not_promising_has_no_text(data: bytes) -> None:
    if not promising(data):
        assert read(data, strict=False) == []
