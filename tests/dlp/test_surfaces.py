from __future__ import annotations

from contextlib import nullcontext
from urllib.parse import unquote_plus, urlencode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from tollgate.calls import MODEL_PLACE, Body, Refused, Request
from tollgate.dlp.surfaces import (
    Header,
    Query,
    Surface,
    field_surfaces,
    form_surfaces,
    in_target,
    rewrite,
    surfaces,
)
from tollgate.dlp.views.multipart import parts
from tollgate.dlp.views.view import Piece

SECRETS = frozenset(("authorization", "x-api-key"))
PARAMETERS = frozenset(("key", "x-amz-signature"))


def request(target: str = "/", headers: dict[str, str] | None = None, body: object = None) -> Request:
    content = Body(orjson.dumps(body) if body is not None else b"")
    if body is not None:
        content.parse({})
    return Request("POST", "https", "api.x.io", 443, target, CIMultiDict(headers or {}), content)


def found(
    target: str = "/", headers: dict[str, str] | None = None, body: object = None
) -> list[tuple[str, ...]]:
    made = request(target, headers, body)
    return [surface[:3] for surface in surfaces(made, "", made.body.numbers, SECRETS, PARAMETERS)]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/", []),
        ("/v1/users/jane%40x.io", [("v1", "", 0), ("users", "", 1), ("jane@x.io", "", 2)]),
    ],
)
def test_the_path_is_read_segment_by_segment(target: str, expected: list[tuple[str, str, int]]) -> None:
    assert found(target) == [(text, key, f"path segment {n + 1}") for text, key, n in expected]


def test_the_query_is_read_with_its_names_but_not_its_credentials() -> None:
    assert found("/?q=jane%40x.io+now&Key=AIza&X-Amz-Signature=ab&ssn=&q=2") == [
        ("q", "", "query parameter name"),
        ("jane@x.io now", "q", "query parameter q"),
        ("ssn", "", "query parameter name"),
        ("q", "", "query parameter name"),
        ("2", "q", "query parameter q"),
    ]


def test_headers_are_read_but_not_credentials_and_those_of_the_connection() -> None:
    headers = {
        "X-Note": "jane@x.io",
        "Authorization": "Bearer x",
        "X-Api-Key": "k",
        "Host": "10.0.0.1",
        "X-E": "",
    }

    assert found(headers=headers) == [
        ("jane@x.io", "X-Note", "header X-Note"),
        ("X-Note Authorization X-Api-Key Host X-E", "", "the names of the headers"),
    ]


def test_headers_of_the_connection_may_say_more_than_they_should() -> None:
    headers = {
        "Content-Type": "multipart/form-data; Boundary=0123456789; note=jane@x.io",
        "Accept": "text/jane",
        "Date": "Mon, 23 Nov 2026 09:00:00 GMT",
    }

    assert [(text, place) for text, _, place in found(headers=headers)][:3] == [
        ("multipart/form-data; ; note=jane@x.io", "header Content-Type"),
        ("text/jane", "header Accept"),
        ("", "header Date"),
    ]


def test_the_model_is_read() -> None:
    made = request()

    assert [*surfaces(made, "jane@x.io", (), (), ())] == [Surface("jane@x.io", "", MODEL_PLACE)]


def test_the_fields_of_a_form_are_read_with_their_names() -> None:
    assert [surface[:3] for surface in field_surfaces("a=1+2&b%62=%4a&c")] == [
        ("1 2", "a", "form field a"),
        ("J", "bb", "form field bb"),
    ]


def test_numbers_of_the_body_are_read_with_their_keys() -> None:
    body = {
        "a": {"card": 4111111111111111, "ok": True, "small": 12345678, "none": None},
        "list": [{"n": -536228941}, [123456789]],
        "temperature": 0.7,
        "embedding": [0.1234567890123456, 4111111111111111.5],
        "text": "4111111111111111",
    }

    assert found(body=body) == [
        ("4111111111111111", "card", "a.card"),
        ("-536228941", "n", "list[0].n"),
        ("123456789", "list", "list[1][0]"),
    ]


def test_a_body_that_is_a_number_is_read() -> None:
    assert found(body=4111111111111111) == [("4111111111111111", "", "body")]


def test_names_of_fields_and_files_are_read() -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="jane@x.io.txt"\r\n\r\nx\r\n'
        b"--B\r\nContent-Type: text/plain\r\n\r\ny\r\n--B--"
    )

    found = parts(body, "multipart/form-data; boundary=B")
    assert list(form_surfaces(found)) == [
        Surface('Content-Disposition: form-data; name="file"; filename=""', "", "part 0, headers"),
        Surface("file", "", "part 0, name"),
        Surface("jane@x.io.txt", "", "part 0, file name", found[0]),
        Surface("Content-Type: text/plain", "", "part 1, headers"),
    ]


def test_a_file_name_that_cannot_be_rewritten_has_no_spot() -> None:
    body = b"--B\r\nContent-Disposition: form-data; name=f; filename*=UTF-8''a%40x.io\r\n\r\nx\r\n--B--"
    [_, _, filename] = form_surfaces(parts(body, "multipart/form-data; boundary=B"))

    assert (filename.text, filename.spot) == ("a@x.io", None)


def test_names_that_may_be_text_are_not_told() -> None:
    told = found("/a?jane@x.io=yes", {"x-1234567890": "b"})

    assert [place for _, _, place in told] == [
        *("path segment 1", "query parameter name", "query parameter …", "header …"),
        "the names of the headers",
    ]


# -- rewritten in place --------------------------------------------------------------------------------------


def query_rewritten(target: str, value: str, text: str) -> str:
    """The target with another text in the place of a value that stands in its query."""
    made = request(target)
    pieces = [
        piece
        for surface in surfaces(made, "", (), SECRETS, PARAMETERS)
        if isinstance(surface.spot, Query) and (at := surface.text.find(value)) >= 0
        for piece in in_target(surface.spot, [Piece(at, at + len(value), text)])
    ]
    rewrite(made, {}, pieces)
    return made.target


@pytest.mark.parametrize(
    ("target", "rewritten"),
    [
        ("/a?q=jane@x.io&b=%41", "/a?q=T%40i&b=%41"),
        ("/a?%71=%6aane%40x%2Eio+now&b=c+d", "/a?%71=T%40i+now&b=c+d"),
        ("/a?q=caf%C3%A9+%F0%9F%98%80jane%40x.io%21", "/a?q=caf%C3%A9+%F0%9F%98%80T%40i%21"),
        ("/a?x&=y&&q=100%+jane@x.io%zz&x=jane@x.io", "/a?x&=y&&q=100%+T%40i%zz&x=T%40i"),
        ("/a?q=%ffjane@x.io", "/a?q=%ffjane@x.io"),
    ],
)
def test_a_value_in_the_query_is_rewritten_and_all_else_stays(target: str, rewritten: str) -> None:
    assert query_rewritten(target, "jane@x.io", "T@i") == rewritten


@given(st.lists(st.text(st.sampled_from('aé😀 +%&=?/"\x00'), max_size=6), max_size=5))
def test_a_query_has_a_place_for_every_character(values: list[str]) -> None:
    target = "/v1?" + urlencode([("n", value) for value in values])
    spots = [s for s in surfaces(request(target), "", (), (), ()) if isinstance(s.spot, Query)]

    assert [surface.text for surface in spots] == [value for value in values if value]
    for surface in spots:
        assert isinstance(surface.spot, Query)
        assert len(surface.spot.starts) == len(surface.text) + 1
        first, last = surface.spot.starts[0], surface.spot.starts[-1]
        assert unquote_plus(target[first:last]) == surface.text


def test_only_the_header_that_is_meant_is_rewritten() -> None:
    made = request(headers={"X-A": "to jane@x.io", "X-B": "jane@x.io"})
    made.headers.add("x-a", "jane@x.io")
    before = made.headers
    rewrite(made, {Header(0, "x-a"): [Piece(3, 12, "T")]}, [])

    assert list(made.headers.items()) == [("X-A", "to T"), ("X-B", "jane@x.io"), ("x-a", "jane@x.io")]
    assert before["X-A"] == "to jane@x.io", "the client's own headers stay"


SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host;x-a, Signature=0"


@pytest.mark.parametrize(
    ("header", "query", "refused"),
    [("x-a", [], True), ("x-b", [], False), ("", [Piece(5, 6, "T")], True), ("", [], False)],
)
def test_what_the_client_signed_is_not_changed(header: str, query: list[Piece], refused: bool) -> None:
    made = request("/a?q=b", {"X-A": "jane", "X-B": "jane", "Authorization": SIGNED})
    headers = {Header(0 if header == "x-a" else 1, header): [Piece(0, 4, "T")]} if header else {}
    with pytest.raises(Refused, match="Signature Version 4") if refused else nullcontext():
        rewrite(made, headers, query)

    assert ("T" in made.target + "".join(made.headers.values())) is bool(header == "x-b")
