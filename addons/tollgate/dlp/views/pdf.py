"""What text there is in a PDF: pages, notes and links on them, form fields, properties, attached files."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tollgate.dlp.views.view import ViewError

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

_MOST_PAGES = 5_000
_BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What pypdf raises for files that are not as it expects them, besides its own errors."""


def contents(data: bytes) -> Iterator[str | bytes]:
    """Its texts, and its attached files as bytes. ViewError where it cannot be read."""
    from pypdf import PdfReader  # takes a third of a second, and few calls carry a PDF
    from pypdf.errors import FileNotDecryptedError, PyPdfError

    try:
        yield from _contents(PdfReader(io.BytesIO(data)))
    except ViewError:
        raise
    except FileNotDecryptedError as e:
        raise ViewError("a PDF that is encrypted", "unreadable_document") from e
    except (PyPdfError, *_BROKEN) as e:
        raise ViewError("a PDF that is broken", "broken_document") from e


def _contents(reader: PdfReader) -> Iterator[str | bytes]:
    if len(reader.pages) > _MOST_PAGES:
        raise ViewError(f"a PDF with more than {_MOST_PAGES} pages", "too_many_pages")
    for page in reader.pages:
        yield page.extract_text()
        yield from _notes(page)
    yield from (str(value) for value in (reader.metadata or {}).values())
    yield from (f"{name}: {value}" for name, value in reader.get_form_text_fields().items())
    for file in reader.attachment_list:
        yield from (file.name, file.content)


def _notes(page: PageObject) -> Iterator[str]:
    """The notes on a page, and where its links lead."""
    for reference in page.annotations or ():
        note = reference.get_object()
        if text := note.get("/Contents"):
            yield str(text)
        if (action := note.get("/A")) and (address := action.get_object().get("/URI")):
            yield str(address)
