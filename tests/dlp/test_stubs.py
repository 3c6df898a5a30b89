"""What stands in the place of a document."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest

from tollgate.calls.contents import find_slots
from tollgate.dlp.stubs import NOTICE, Strings


def stubbed(tree: Any, document: str = "JVBERi0x") -> dict[str, str]:
    """What is written, by place."""
    [slot] = [slot for slot in find_slots(tree, None) if slot.text == document]
    return {slot.place: text for slot, text in Strings(tree).stub(slot)}


def test_a_document_of_anthropic_is_a_text_source() -> None:
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0x"}

    assert stubbed({"content": [{"type": "document", "source": source}]}) == {
        "content[0].source.data": NOTICE,
        "content[0].source.type": "text",
        "content[0].source.media_type": "text/plain",
    }


@pytest.mark.parametrize("names", [("inlineData", "mimeType"), ("inline_data", "mime_type")])
def test_a_document_of_gemini_is_plain_text(names: tuple[str, str]) -> None:
    blob, mime = names
    written = stubbed({"parts": [{blob: {mime: "application/pdf", "data": "JVBERi0x"}}]})

    assert written[f"parts[0].{blob}.{mime}"] == "text/plain"
    assert b64decode(written[f"parts[0].{blob}.data"]).decode() == NOTICE


def test_a_document_of_gemini_interactions_is_plain_text() -> None:
    written = stubbed({"input": [{"type": "document", "mime_type": "application/pdf", "data": "JVBERi0x"}]})

    assert written["input[0].mime_type"] == "text/plain"
    assert b64decode(written["input[0].data"]).decode() == NOTICE


def test_a_document_of_bedrock_is_a_text_file() -> None:
    document = {"format": "pdf", "name": "a", "source": {"bytes": "JVBERi0x"}}
    written = stubbed({"content": [{"document": document}]})

    assert written["content[0].document.format"] == "txt"
    assert b64decode(written["content[0].document.source.bytes"]).decode() == NOTICE


@pytest.mark.parametrize(
    "part",
    [
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0x"}},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0x"},
        {"type": "document_url", "document_url": "data:application/pdf;base64,JVBERi0x"},
    ],
)
def test_a_document_in_a_url_is_plain_text(part: dict[str, Any]) -> None:
    written = stubbed({"content": [part]}, "data:application/pdf;base64,JVBERi0x")

    (url,) = (text for text in written.values() if text.startswith("data:text/plain;base64,"))
    assert b64decode(url.partition(",")[2]).decode() == NOTICE
    assert [text for text in written.values() if text.endswith(".txt")] == ["removed.txt"] * (
        "document_url" not in part
    )


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "JVBERi0x"}},
        {"type": "image_url", "image_url": {"url": "JVBERi0x"}},
        {"source": {"data": "JVBERi0x"}},
        {"images": ["JVBERi0x"]},
    ],
)
def test_what_is_no_document_has_no_stub(part: dict[str, Any]) -> None:
    assert stubbed({"content": [part]}) == {}
