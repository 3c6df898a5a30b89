"""Pieces of files."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from tollgate.calls.upload import is_piece


@pytest.mark.parametrize(
    ("command", "expected"),
    [("start", False), ("query", False), ("upload", True), ("upload, finalize", True)],
)
def test_a_piece_is_told_by_its_command(command: str, expected: bool) -> None:
    assert is_piece(CIMultiDict({"X-Goog-Upload-Command": command})) is expected


def test_other_requests_are_none() -> None:
    assert not is_piece(CIMultiDict({"Content-Type": "application/json"}))
