"""Requests that the client signed."""

from __future__ import annotations

import pytest

from support.upstream import make_request
from tollgate.calls.signature import signature_broken, signed_headers

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=AKIA/20261122/us-east-1/bedrock/aws4_request,"
    " SignedHeaders=accept-encoding;host;x-amz-date, Signature=0f"
)


@pytest.mark.parametrize(
    ("authorization", "target", "expected"),
    [
        (SIGNED, "/", {"accept-encoding", "host", "x-amz-date"}),
        ("", "/?X-Amz-SignedHeaders=host%3Bx-amz-date&X-Amz-Signature=0", {"host", "x-amz-date"}),
        ("Bearer SignedHeaders=host", "/", set()),
        ("", "/", set()),
    ],
)
def test_signed_headers_stand_in_a_header_or_in_the_query(
    authorization: str, target: str, expected: set[str]
) -> None:
    request = make_request(target=target, headers=[("Authorization", authorization)])

    assert signed_headers(request) == expected


def test_a_broken_signature_is_refused_whatever_the_mode() -> None:
    refused = signature_broken("bedrock.example")

    assert (refused.status, refused.code, refused.always) == (400, "signed_request_changed", True)
    assert "bedrock.example" in refused.message
