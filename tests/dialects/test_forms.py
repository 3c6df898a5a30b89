"""The model that a form names."""

from __future__ import annotations

import pytest

from tollgate.dialects.forms import model_of_form

TYPE = "multipart/form-data; boundary=b0"
FILE = 'Content-Disposition: form-data; name="file"; filename="model"\r\nContent-Type: audio/mpeg\r\n\r\n\x00'
MODEL = 'Content-Disposition: form-data; name="model"\r\n\r\nwhisper-1'


def form(*parts: str, boundary: str = "b0") -> bytes:
    lines = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f"{lines}--{boundary}--\r\n".encode("latin-1")


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (form(MODEL, FILE), TYPE),
        (form(FILE, MODEL), TYPE),
        (
            form(FILE, MODEL, boundary="----WebKit'7"),
            'multipart/form-data; charset=utf-8; boundary="----WebKit\'7"',
        ),
        (form(f"Content-Type: text/plain\r\n{MODEL}"), TYPE),
        (
            form(MODEL.replace("\r\n\r\n", "\r\nContent-Type: text/plain\r\n\r\n").replace('"', "")),
            TYPE.upper().lower(),
        ),
        (form(MODEL).replace(b"\r\n", b"\n"), TYPE),
    ],
    ids=[
        "before the file",
        "behind it",
        "another boundary",
        "more headers",
        "headers behind",
        "bare newlines",
    ],
)
def test_a_form_names_its_model(content: bytes, content_type: str) -> None:
    assert model_of_form(content, content_type) == "whisper-1"


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (form(FILE), TYPE),
        (form(MODEL, MODEL.replace("whisper-1", "other")), TYPE),
        (form(MODEL), "multipart/form-data"),
        (form(MODEL), "multipart/form-data; boundary=other"),
        (form(MODEL), "application/json"),
        (form(MODEL.replace("whisper-1", "x" * 300)), TYPE),
        (form(MODEL.replace("whisper-1", "")), TYPE),
        (form(FILE + '\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-6\r\n'), TYPE),
        (b"", TYPE),
    ],
    ids=[
        "none",
        "two",
        "no boundary",
        "other boundary",
        "no form",
        "long",
        "empty",
        "within a file",
        "nothing",
    ],
)
def test_what_names_none_or_two_names_none(content: bytes, content_type: str) -> None:
    assert model_of_form(content, content_type) == ""
