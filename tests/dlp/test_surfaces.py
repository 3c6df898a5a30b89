from __future__ import annotations

import orjson
import pytest
from multidict import CIMultiDict

from tollgate.calls import Body, Request
from tollgate.dlp.surfaces import Surface, form_surfaces, surfaces
from tollgate.dlp.views.multipart import parts

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
    return [tuple(surface) for surface in surfaces(request(target, headers, body), SECRETS, PARAMETERS)]


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

    assert found(headers=headers) == [("jane@x.io", "X-Note", "header X-Note")]


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

    assert list(form_surfaces(parts(body, "multipart/form-data; boundary=B"))) == [
        Surface("file", "", "part 0, name"),
        Surface("jane@x.io.txt", "", "part 0, file name"),
    ]
