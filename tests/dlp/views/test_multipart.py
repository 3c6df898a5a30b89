from __future__ import annotations

import gzip
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollgate.dlp.views.multipart import is_multipart, parts, rewrite, with_filename, with_text
from tollgate.dlp.views.view import ViewError

FORM = "multipart/form-data; boundary=B"
SECRET = "AKIAQYLPMN5HFIQR7XYA"
BODY = (
    b'--B\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
    b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\nkey " + SECRET.encode() + b"\r\nend\r\n--B--\r\n"
)


def form(content: bytes, *headers: str) -> bytes:
    head = "\r\n".join(('Content-Disposition: form-data; name="f"', *headers)).encode()
    return b"--B\r\n" + head + b"\r\n\r\n" + content + b"\r\n--B--\r\n"


def refusal(body: bytes, content_type: str = FORM) -> str:
    with pytest.raises(ViewError, match="form data cannot be read") as error:
        parts(body, content_type)
    return error.value.code


def test_fields_and_files_are_found_with_their_places() -> None:
    purpose, file = parts(BODY, FORM)

    assert (purpose.name, purpose.filename, purpose.text) == ("purpose", "", "assistants")
    assert (file.name, file.filename, file.text) == ("file", "a.txt", f"key {SECRET}\r\nend")
    assert [BODY[part.start : part.end] for part in (purpose, file)] == [purpose.data, file.data]


def test_a_part_is_rewritten_and_all_else_stays() -> None:
    purpose, file = parts(BODY, FORM)

    assert rewrite(BODY, []) == BODY
    edits = [*with_text(file, "key TOKEN"), *with_text(purpose, "p")]
    assert rewrite(BODY, edits) == (
        BODY.replace(b"assistants", b"p").replace(SECRET.encode() + b"\r\nend", b"TOKEN")
    )


def test_a_part_shows_no_text_in_logs() -> None:
    assert SECRET not in repr(parts(BODY, FORM))


@pytest.mark.parametrize(
    ("headers", "name", "filename"),
    [
        ('name="f"; filename="a b.txt"', "f", "a b.txt"),
        ("name=f; filename=a.txt", "f", "a.txt"),
        ("name=f; filename*=UTF-8''na%C3%AFve.txt", "f", "naïve.txt"),
        ('name="ü"; filename="ü.txt"', "ü", "ü.txt"),
        ("name*=UTF-8''%C3%BC", "ü", ""),
        ("filename=a.txt", "", "a.txt"),
    ],
)
def test_names_are_read(headers: str, name: str, filename: str) -> None:
    (part,) = parts(f"--B\r\nContent-Disposition: form-data; {headers}\r\n\r\nx\r\n--B--".encode(), FORM)

    assert (part.name, part.filename) == (name, filename)


@pytest.mark.parametrize(
    ("content", "header", "text"),
    [
        ("straße".encode(), "Content-Type: text/plain", "straße"),
        ("straße".encode("latin-1"), "Content-Type: text/plain; charset=latin-1", "straße"),
        ("straße".encode("utf-16"), "Content-Type: application/octet-stream", "straße"),
        ("straße".encode("latin-1"), "Content-Type: text/plain", None),
        (b"text", "Content-Type: text/plain; charset=no-such", "text"),
        (b"the key is " + SECRET.encode(), "Content-Type: text/plain; charset=cp037", f"the key is {SECRET}"),
        (b"\xff\xfethe key is " + SECRET.encode() + b".", "Content-Type: text/plain; charset=utf-16", None),
        (bytes(range(256)), "Content-Type: image/png", None),
        (gzip.compress(b"text"), "Content-Type: text/plain; charset=latin-1", None),
    ],
)
def test_text_that_can_be_rewritten_is_known(content: bytes, header: str, text: str | None) -> None:
    (part,) = parts(form(content, header), FORM)

    assert (part.data, part.text) == (content, text)


@pytest.mark.parametrize(
    ("encoding", "content", "data"),
    [
        ("base64", b"QUtJQQ==", b"AKIA"),
        ("Quoted-Printable", b"=41KIA", b"AKIA"),
        ("binary", b"AKIA", b"AKIA"),
        ("8BIT", b"AKIA", b"AKIA"),
    ],
)
def test_transfer_encodings_are_undone(encoding: str, content: bytes, data: bytes) -> None:
    (part,) = parts(form(content, f"Content-Transfer-Encoding: {encoding}"), FORM)

    assert part.data == data
    assert part.text == ("AKIA" if content == data else None)


def test_line_feeds_alone_part_lines_too() -> None:
    (part,) = parts(form(b"x\ny").replace(b"\r\n", b"\n"), FORM)

    assert part.data == b"x\ny"


def test_a_boundary_within_a_line_is_content() -> None:
    (part,) = parts(form(b"x --B-- y"), FORM)

    assert part.data == b"x --B-- y"


def test_an_empty_part_is_one() -> None:
    assert [part.text for part in parts(form(b""), FORM)] == [""]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", FORM),
        (b"no boundary", FORM),
        (b"--B--", FORM),
        (form(b"x"), "multipart/form-data"),
        (form(b"x"), "multipart/form-data; boundary=B; boundary=C"),
        (form(b"x"), "multipart/form-data; boundary="),
        (form(b"x").removesuffix(b"--B--\r\n"), FORM),
        (form(b"x") + form(b"y"), FORM),
        (b"hidden\r\n" + form(b"x"), FORM),
        (form(b"x") + b"hidden", FORM),
        (b"--B\r\nno headers\r\n--B--", FORM),
        (form(b"x", 'Content-Disposition: form-data; name="g"'), FORM),
        (form(b"x", "no header"), FORM),
        (form(b"x", "Content-Transfer-Encoding: x-uuencode"), FORM),
        (form(b"QUtJQ", "Content-Transfer-Encoding: base64"), FORM),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(body: bytes, content_type: str) -> None:
    assert refusal(body, content_type) == "broken_multipart"


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [(FORM, True), (" Multipart/Mixed; boundary=x", True), ("application/json", False), ("", False)],
)
def test_form_data_is_known_by_its_content_type(content_type: str, expected: bool) -> None:
    assert is_multipart(content_type) is expected


@settings(deadline=None)
@given(st.binary(max_size=120), st.text(max_size=40))
def test_nothing_but_a_view_error_is_raised(content: bytes, header: str) -> None:
    for body in (content, form(content), form(content, header), BODY[: len(content)] + content):
        with suppress(ViewError):
            parts(body, FORM)


@settings(deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="-"), max_size=30), max_size=5))
def test_any_texts_come_back(texts: list[str]) -> None:
    body = b"".join(form(text.encode()).removesuffix(b"--B--\r\n") for text in ["first", *texts]) + b"--B--"
    found = parts(body, FORM)

    assert [part.data.decode() for part in found] == ["first", *texts]
    edits = [edit for part in found if part.text is not None for edit in with_text(part, part.text)]
    assert rewrite(body, edits) == body


def test_the_length_that_a_part_tells_is_kept_right() -> None:
    body = form(b"a secret", "Content-Length: 8", "X-Other: 8")
    [part] = parts(body, FORM)

    assert rewrite(body, with_text(part, "a longer one")) == form(
        b"a longer one", "Content-Length: 12", "X-Other: 8"
    )


@pytest.mark.parametrize(
    ("filename", "rewritten"),
    [
        (b'filename="jane@x.io.txt"', b'filename="T"'),
        (b"filename=jane@x.io.txt", b"filename=T"),
        ('filename="jän.txt"'.encode(), b'filename="T"'),
        (b"filename*=UTF-8''jane%40x.io.txt", None),
        (b'filename="a\\"b.txt"', None),
        (b"filename=\"a.txt\"; filename*=UTF-8''a.txt", None),
    ],
)
def test_a_file_name_is_rewritten_where_it_stands_but_once(filename: bytes, rewritten: bytes | None) -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="f"; ' + filename + b"\r\n\r\nx\r\n--B--\r\n"
    [part] = parts(body, FORM)

    assert rewrite(body, with_filename(part, "T")) == body.replace(filename, rewritten or filename)
