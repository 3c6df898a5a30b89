"""What stands in the place of a document that has to go: one that says so, which the API still takes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tollgate.calls import Slot
from tollgate.calls.contents import find_slots

NOTICE = "[This document was removed: it holds what a policy lets not leave.]"
_PACKED = b64encode(NOTICE.encode()).decode()
_URL = f"data:text/plain;base64,{_PACKED}"

type Path = tuple[str | int, ...]


class Stub(NamedTuple):
    """How a dialect says that a document is plain text."""

    data: str
    """What stands where the document stood."""
    beside: Mapping[Path, str] = {}
    """Strings near it that have to fit: their paths from the object that holds the data; ".." leads up."""


_STUBS: Mapping[Path, Stub] = {
    # https://platform.claude.com/docs/en/build-with-claude/citations#plain-text-documents
    ("document", "source", "data"): Stub(NOTICE, {("type",): "text", ("media_type",): "text/plain"}),
    # https://ai.google.dev/api/caching#Blob
    ("inlineData", "data"): Stub(_PACKED, {("mimeType",): "text/plain"}),
    ("inline_data", "data"): Stub(_PACKED, {("mime_type",): "text/plain"}),
    # https://ai.google.dev/gemini-api/docs/interactions
    ("document", "data"): Stub(_PACKED, {("mime_type",): "text/plain"}),
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html
    ("document", "source", "bytes"): Stub(_PACKED, {("..", "format"): "txt"}),
    # https://platform.openai.com/docs/guides/pdf-files
    ("file_data",): Stub(_URL, {("filename",): "removed.txt"}),
    # https://docs.mistral.ai/capabilities/document_ai/document_qna
    ("document_url",): Stub(_URL),
}
"""By how a path ends; "document" is also an object of that type."""


class Strings:
    """All strings of a body, by their paths."""

    def __init__(self, tree: object) -> None:
        self._by_path = {slot.path: slot for slot in find_slots(tree, None) if slot.kind != "key"}

    def stub(self, document: Slot) -> Iterator[tuple[Slot, str]]:
        """What to write in which place so that a document is gone; nothing for what is none, or not known."""
        above = document.path[:-1]
        stub = next((stub for end, stub in _STUBS.items() if self._ends_with(document.path, end)), None)
        if stub is None:
            return
        yield document, stub.data
        for path, text in stub.beside.items():
            ups = path.count("..")
            if slot := self._by_path.get((*above[: len(above) - ups], *path[ups:])):
                yield slot, text

    def _ends_with(self, path: Path, end: Path) -> bool:
        if path[-len(end) :] == end:
            return True
        if end[0] != "document" or path[1 - len(end) :] != end[1:]:
            return False
        kind = self._by_path.get((*path[: 1 - len(end)], "type"))
        return kind is not None and kind.text == "document"
