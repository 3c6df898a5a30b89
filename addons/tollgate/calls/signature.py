"""Requests that the client signed (AWS Signature Version 4): what the signature covers must not change."""

from __future__ import annotations

import re
from urllib.parse import unquote

from tollgate.calls.call import Request
from tollgate.calls.verdict import Refused

_SIGNED = re.compile(r"SignedHeaders=([^,&\s]+)")


def signed_headers(request: Request) -> frozenset[str]:
    """The headers, in lower case, that an AWS signature covers, beside target and body; empty for a request
    without one.

    It stands in a header or in the query: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
    """
    authorization = request.headers.get("authorization", "")
    found = _SIGNED.search(authorization if authorization.startswith("AWS4-") else request.target)
    return frozenset(unquote(found[1]).lower().split(";")) if found else frozenset()


def signature_broken(host: str) -> Refused:
    """Why a request that was signed and then changed does not leave."""
    return Refused(
        f"This request to {host} is signed (AWS Signature Version 4), and the policy had to change its text,"
        " which would break the signature. Remove the sensitive text from the request, or use an API key.",
        code="signed_request_changed",
        always=True,
    )
