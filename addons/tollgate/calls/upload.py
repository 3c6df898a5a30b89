"""Uploads in pieces, whose size was told before: https://ai.google.dev/api/files"""

from __future__ import annotations

from collections.abc import Mapping

_COMMAND = "x-goog-upload-command"
"""Says "start", "upload" or "upload, finalize"."""


def is_piece(headers: Mapping[str, str]) -> bool:
    """Whether a request's body is a piece of a file, whatever its content type says: Google's Python SDK
    calls all of them JSON."""
    return "upload" in headers.get(_COMMAND, "")
