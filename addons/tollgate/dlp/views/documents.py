"""What text there is in bytes: in any charset, in archives, in office documents, in PDF."""

from __future__ import annotations

import html
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email.message import Message
from typing import NamedTuple

from tollgate.calls.coding import CodingError, decode
from tollgate.dlp.views import pdf
from tollgate.dlp.views.signs import stretches
from tollgate.dlp.views.view import Budget, ViewError

_MOST_FILES = 10_000
_SHORTEST = 9
"""Characters of a printable run in binary data that may be a value."""
_RUN = b"a" * _SHORTEST
_LONG = 64
"""Bytes from which on anything is worth a closer look."""


_BROKEN = "broken_document"
_UNREADABLE = "unreadable_document"


class Text(NamedTuple):
    """A text in a document."""

    name: str
    """Through what it was reached, outermost first: "zip/pdf"; empty for plain text."""
    text: str
    depth: int
    """How many containers stand around it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How far documents are read."""

    budget: Budget
    depth: int
    """How many containers within each other are opened."""
    strict: bool
    """ViewError for a document that cannot be read; else it is read as binary data: in the midst of a text
    it may be half a document, or none at all."""


def texts(data: bytes, reading: Reading) -> Iterator[Text]:
    """All text in data of any kind. ViewError where it has too much, is nested too deeply or, when strict,
    cannot be read."""
    container = _container(data)
    if container is None:
        yield from plain(data)
        return
    if reading.depth <= 0:
        raise ViewError("documents and encodings are nested too deeply", "too_deep")
    try:
        yield from _opened(container, data, replace(reading, depth=reading.depth - 1))
    except ViewError as e:
        if reading.strict or e.code not in (_BROKEN, _UNREADABLE):
            raise
        yield from plain(data)


def _opened(container: _Container, data: bytes, reading: Reading) -> Iterator[Text]:
    for text in container.open(data, reading):
        yield Text(f"{container.name}/{text.name}".rstrip("/"), text.text, text.depth + 1)


# -- plain text ----------------------------------------------------------------------------------------------

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_CONTROLS = bytes((*range(9), *range(0x0E, 0x1B), *range(0x1C, 0x20)))
_PRINTABLE = bytes(ord("a") if 0x20 <= code < 0x7F or code in b"\t\r\n" else ord(" ") for code in range(256))


def plain_text(data: bytes) -> str | None:
    """Data that is text as a whole: UTF-8, UTF-16, or what a byte order mark says. None where it is not."""
    charset = charset_of(data)
    try:
        return data.decode(charset) if charset else None
    except UnicodeDecodeError:
        return None


def charset_of(data: bytes) -> str:
    """The charset by what the bytes look like; empty for binary data."""
    if charset := next((name for mark, name in _BOMS if data.startswith(mark)), ""):
        return charset
    if 20 * len(data.translate(None, _CONTROLS)) >= 19 * len(data):
        return "utf-8"
    if len(data) % 2 == 0 and 4 * data.count(0) > len(data):
        return "utf-16-be" if data[::2].count(0) > data[1::2].count(0) else "utf-16-le"
    return ""


def plain(data: bytes) -> Iterator[Text]:
    """The text that data is, or else the readable runs in it; both where they differ."""
    text = plain_text(data)
    if text is not None:
        yield Text("", text, 0)
        if not hides(data, charset_of(data)):
            return
    versions = [data, data.replace(b"\0", b"")] if 4 * data.count(0) > len(data) else [data]
    for version in versions:  # without zeros, UTF-16 within binary data can be read
        if found := "\n".join(strings(version)):
            yield Text("strings", found, 0)


def hides(data: bytes, charset: str) -> bool:
    """Whether the charset reads something else where there is plain ASCII."""
    if charset == "utf-8":
        return False
    return any(run.encode().decode(charset, "replace") != run for run in strings(data))


def declared(data: bytes, content_type: str) -> str:
    """Data as the charset reads it that a content type names; empty where it names none that is known."""
    header = Message()
    header["content-type"] = content_type
    try:
        return data.decode(header.get_content_charset(""), "replace")
    except (LookupError, ValueError):
        return ""


def strings(data: bytes) -> Iterator[str]:
    """The readable runs in data of any kind."""
    for start, end in stretches(data.translate(_PRINTABLE), _SHORTEST):
        yield data[start:end].decode("ascii")


def promising(data: bytes) -> bool:
    """False for data in which `texts` would find nothing: most of what may be base64 is none."""
    if len(data) > _LONG or data.startswith(_MAGICS) or 4 * data.count(0) > len(data):
        return True
    return _RUN in data.translate(_PRINTABLE) or _is_utf8(data)


def _is_utf8(data: bytes) -> bool:
    return len(data.decode(errors="ignore").encode()) == len(data)  # to raise and catch costs more


# -- containers ----------------------------------------------------------------------------------------------


class _Container(NamedTuple):
    name: str
    open: Callable[[bytes, Reading], Iterator[Text]]


def is_container(data: bytes) -> bool:
    """True for archives and documents, the text of which does not stand in their bytes."""
    return _container(data) is not None


def _container(data: bytes) -> _Container | None:
    """What kind of container data is; None for anything else."""
    for magic, container in _CONTAINERS:
        if data.startswith(magic):
            return container
    if b"%PDF-" in data[:1024] and _PDF_OBJECT.search(data):
        return _PDF
    return _ZIP if data.rfind(_ZIP_END, -(1 << 16) - 22) >= 0 else None


def _coded(encoding: str) -> Callable[[bytes, Reading], Iterator[Text]]:
    def open_coded(data: bytes, reading: Reading) -> Iterator[Text]:
        try:
            inner = decode(data, encoding, reading.budget.left)
        except CodingError as e:
            code = e.code if e.code == "too_large" else _BROKEN
            raise ViewError(f"a {encoding} file: {e}", code) from e
        reading.budget.take(len(inner))
        yield from texts(inner, reading)

    return open_coded


def _open_pdf(data: bytes, reading: Reading) -> Iterator[Text]:
    for content in pdf.contents(data):
        reading.budget.take(len(content))
        if isinstance(content, bytes):
            yield from texts(content, reading)
        else:
            yield Text("", content, 0)


def _open_sealed(data: bytes, reading: Reading) -> Iterator[Text]:
    raise ViewError("an archive or document of a kind that cannot be read", _UNREADABLE)


_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, LookupError, ValueError)
"""What zipfile raises for files that are broken."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_ENCRYPTED = 0x1
"""Bit 0 of the general purpose flags, APPNOTE.TXT 4.4.4."""
_OFFICE = ("[Content_Types].xml", "mimetype")
"""What every OOXML and every OpenDocument file has."""


def _open_zip(data: bytes, reading: Reading) -> Iterator[Text]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _ZIP_ERRORS as e:
        raise ViewError("a zip file that is broken", _BROKEN) from e
    files = archive.infolist()
    if len(files) > _MOST_FILES:
        raise ViewError(f"a zip file with more than {_MOST_FILES} files", "too_many_files")
    names = [file.filename for file in files]
    yield Text("names", "\n".join(names), 0)
    office = any(name in names for name in _OFFICE)
    for file in files:
        content = _extracted(archive, file, reading.budget)
        if office and file.filename.endswith(".xml") and (xml := plain_text(content)) is not None:
            yield Text("text", _without_markup(xml), 0)
            yield Text("markup", "\n".join(dict.fromkeys(_MARKUP.findall(xml))), 0)
        else:
            yield from texts(content, reading)


def _extracted(archive: zipfile.ZipFile, file: zipfile.ZipInfo, budget: Budget) -> bytes:
    if file.flag_bits & _ENCRYPTED or file.compress_type not in _METHODS:
        raise ViewError("a zip file with files that are encrypted or packed in a rare way", _UNREADABLE)
    try:
        with archive.open(file) as stream:
            content = stream.read(budget.left + 1)
    except _ZIP_ERRORS as e:
        raise ViewError("a zip file that is broken", _BROKEN) from e
    budget.take(len(content))
    return content


_LINE_ENDS = re.compile(r"</(?:\w+:)?(?:p|h|si|row|tr)>|<(?:\w+:)?(?:br|cr|line-break)\b[^<>]*+>")
_GAPS = re.compile(r"</(?:\w+:)?(?:c|tc|table-cell)>|<(?:\w+:)?(?:tab|s)\b[^<>]*+>")
_MARKUP = re.compile(r"<[^<>]*+>")


def _without_markup(xml: str) -> str:
    """The text of an office document's XML. Word cuts words into runs, so most tags stand for nothing."""
    xml = _LINE_ENDS.sub("\n", _without_cdata(xml))
    return html.unescape(_MARKUP.sub("", _GAPS.sub("\t", xml)))


def _without_cdata(xml: str) -> str:
    out, *sections = xml.split("<![CDATA[")
    split = (section.partition("]]>") for section in sections)
    return out + "".join(html.escape(text) + rest for text, _, rest in split)


_ZIP = _Container("zip", _open_zip)
_PDF = _Container("pdf", _open_pdf)
_SEALED = _Container("sealed", _open_sealed)
_PDF_OBJECT = re.compile(rb"\d\s+obj\b")
_ZIP_END = b"PK\x05\x06"
_CONTAINERS = (
    (b"PK\x03\x04", _ZIP),
    (b"%PDF-", _PDF),
    (b"\x1f\x8b\x08", _Container("gzip", _coded("gzip"))),
    *((magic, _Container("zlib", _coded("deflate"))) for magic in (b"\x78\x01", b"\x78\x9c", b"\x78\xda")),
    (b"\x28\xb5\x2f\xfd", _Container("zstd", _coded("zstd"))),
    *((b"BZh%d1AY&SY" % level, _SEALED) for level in range(1, 10)),
    (b"\xfd7zXZ\0", _SEALED),
    (b"7z\xbc\xaf\x27\x1c", _SEALED),
    (b"Rar!\x1a\x07", _SEALED),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _SEALED),  # OLE2: old office documents, and all encrypted ones
)
_MAGICS = tuple(magic for magic, _ in (*_CONTAINERS, *_BOMS))
