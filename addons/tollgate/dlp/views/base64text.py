"""Base64 that is plain text inside, as `data:` URLs and uploaded documents have it: such can be rewritten."""

from __future__ import annotations

import binascii
import re
from base64 import b64encode
from typing import NamedTuple, Self

from tollgate.dlp.views.documents import is_container, plain_text

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_LINE_END = re.compile(r"\r?\n[ \t]*")


class Base64Text(NamedTuple):
    """A run of base64 and how it is written."""

    text: str
    """What it holds."""
    url_safe: bool
    padded: bool
    width: int
    """Characters in a line; 0 for a single line."""
    line_end: str

    @classmethod
    def read(cls, run: str) -> Self | None:
        """None for what is no text, or would not come back to the letter."""
        line_end = _LINE_END.search(run)
        packed = "".join(run.split())
        try:
            data = binascii.a2b_base64(_padded(packed.encode("ascii")).translate(_STANDARD), strict_mode=True)
            text = data.decode()
        except ValueError:
            return None
        if is_container(data) or plain_text(data) != text:
            return None
        read = cls(
            text,
            url_safe="-" in packed or "_" in packed,
            padded=packed.endswith("=") or len(data) % 3 == 0,
            width=line_end.start() if line_end else 0,
            line_end=line_end[0] if line_end else "",
        )
        return read if read.write(text) == run else None

    def write(self, text: str) -> str:
        """Another text, written in the same way."""
        packed = b64encode(text.encode())
        if self.url_safe:
            packed = packed.translate(_URL_SAFE)
        written = (packed if self.padded else packed.rstrip(b"=")).decode()
        if not self.width:
            return written
        return self.line_end.join(written[at : at + self.width] for at in range(0, len(written), self.width))


def _padded(packed: bytes) -> bytes:
    return packed if packed.endswith(b"=") else packed + b"=" * (-len(packed) % 4)
