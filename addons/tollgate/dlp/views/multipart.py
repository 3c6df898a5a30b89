"""Form data with uploaded files (RFC 7578), part by part, each with its place in the body.

Who reads such a body in another way than the provider does sees other parts than it: a body that is not
exactly as the standard says is not read at all.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from email.utils import collapse_rfc2231_value
from itertools import pairwise
from typing import NamedTuple

from tollgate.dlp.views.documents import charset_of, hides, is_container
from tollgate.dlp.views.view import ViewError

_FILENAME = re.compile(rb"filename\*?\d*\*?=\"?([^\"\\\r\n;]*)", re.IGNORECASE)
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d+)[ \t]*(?=\r?$)", re.IGNORECASE | re.MULTILINE)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_TRANSFER: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "7bit": bytes,
    "8bit": bytes,
    "binary": bytes,
    "base64": binascii.a2b_base64,
    "quoted-printable": quopri.decodestring,
}


@dataclass(frozen=True, slots=True)
class Part:
    """A field or a file of a form."""

    name: str
    filename: str
    """Empty for a field."""
    start: int
    """Where its content begins in the body."""
    end: int
    data: bytes
    """Its content, transfer encoding undone."""
    head: str
    """Its headers, but for a file name that can be rewritten."""
    content_type: str
    charset: str
    """In which its content is text that can be rewritten in place; empty where it is not."""
    filename_at: tuple[int, int] | None = None
    """Where the file name stands in the body, where it can be rewritten in place."""
    length_at: tuple[int, int] | None = None
    """Where the part says how long its content is; few do."""

    @property
    def text(self) -> str | None:
        """Its content where it can be rewritten in place."""
        return self.data.decode(self.charset) if self.charset else None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {len(self.data)} bytes)"  # never the text


def is_multipart(content_type: str) -> bool:
    """True for a body that `parts` is for."""
    return content_type.lstrip().lower().startswith("multipart/")


def parts(content: bytes, content_type: str) -> list[Part]:
    """The parts of a body, in order. ViewError where it is not exactly as it should be."""
    found = [match for match in _delimiter(content_type).finditer(content) if _begins_line(content, match)]
    closing = [match for match in found if match[1]]
    if len(found) < 2 or closing != found[-1:]:
        raise _broken("its boundaries do not begin, part and end it")
    if content[: found[0].start()].strip() or content[found[-1].end() :].strip():
        raise _broken("there is text before its first boundary or behind its last")
    return [_part(content, match.end(), after.start()) for match, after in pairwise(found)]


def _begins_line(content: bytes, match: re.Match[bytes]) -> bool:
    return content[match.start() - 1 : match.start()] in (b"", b"\n")


class Edit(NamedTuple):
    """Other bytes in a place of a body."""

    start: int
    end: int
    data: bytes


def with_text(part: Part, text: str) -> Iterator[Edit]:
    """Another text in the place of a part's."""
    data = text.encode(part.charset)
    yield Edit(part.start, part.end, data)
    if part.length_at:
        yield Edit(*part.length_at, str(len(data)).encode())


def with_filename(part: Part, name: str) -> Iterator[Edit]:
    """Another file name for a part, where it can have one."""
    if part.filename_at:
        yield Edit(*part.filename_at, name.encode())


def rewrite(content: bytes, edits: Iterable[Edit]) -> bytes:
    """The body with other bytes in some places."""
    out: list[bytes] = []
    done = 0
    for edit in sorted(edits):
        out += (content[done : edit.start], edit.data)
        done = edit.end
    return b"".join((*out, content[done:]))


def _delimiter(content_type: str) -> re.Pattern[bytes]:
    header = Message()
    header["content-type"] = content_type
    boundaries = [value for name, value in header.get_params([]) if name.lower() == "boundary"]
    if len(boundaries) != 1 or not boundaries[0]:
        raise _broken("its content type does not name one boundary")
    boundary = re.escape(boundaries[0].encode("utf-8", "surrogateescape"))
    return re.compile(rb"--" + boundary + rb"(--)?[ \t]*+(?=\r?\n|\Z)")


def _part(content: bytes, start: int, end: int) -> Part:
    """The part between two boundaries; the line end before the second belongs to that."""
    end -= 2 if content.endswith(b"\r\n", start, end) else 1
    if not (blank := _BLANK_LINE.search(content, start, end)):
        raise _broken("a part has no headers")
    headers = HeaderParser().parsestr(content[start : blank.start()].decode("utf-8", "replace").lstrip())
    names = [name.lower() for name in headers]
    if len(set(names)) < len(names) or headers.defects:
        raise _broken("a part has headers that can be read in two ways")
    raw = content[blank.end() : end]
    data = _transferred(raw, headers)
    filename = headers.get_filename("")
    filename_at = _only(_FILENAME, content, start, blank.start(), filename)
    return Part(
        collapse_rfc2231_value(headers.get_param("name", "", "content-disposition")),
        filename,
        blank.end(),
        end,
        data,
        _head(content, start, blank.start(), filename_at),
        str(headers.get("content-type", "")),
        _rewritable(data, headers) if data == raw else "",
        filename_at,
        _only(_LENGTH, content, start, blank.start(), str(headers.get("content-length", ""))),
    )


def _head(content: bytes, start: int, end: int, without: tuple[int, int] | None) -> str:
    gap = without or (end, end)
    return (content[start : gap[0]] + content[gap[1] : end]).decode("utf-8", "replace").strip()


def _only(
    pattern: re.Pattern[bytes], content: bytes, start: int, end: int, value: str
) -> tuple[int, int] | None:
    """Where the value stands in a part's headers; None where it does not, or in more than one way."""
    found = list(pattern.finditer(content, start, end))
    is_it = value and len(found) == 1 and found[0][1] == value.encode("utf-8", "replace")
    return found[0].span(1) if is_it else None


def _transferred(raw: bytes, headers: Message) -> bytes:
    encoding = str(headers.get("content-transfer-encoding", "")).strip().lower()
    if (decode := _TRANSFER.get(encoding)) is None:
        raise _broken("a part has an unknown transfer encoding")
    try:
        return decode(raw)
    except binascii.Error as e:
        raise _broken("a part does not fit its transfer encoding") from e


def _rewritable(data: bytes, headers: Message) -> str:
    """The charset in which data is text and comes out as it went in; empty for none."""
    if is_container(data):
        return ""
    for charset in (headers.get_content_charset(""), charset_of(data)):
        try:
            if charset and data.decode(charset).encode(charset) == data and not hides(data, charset):
                return charset
        except (LookupError, UnicodeError):
            continue
    return ""


def _broken(why: str) -> ViewError:
    return ViewError(f"the form data cannot be read: {why}", "broken_multipart")
