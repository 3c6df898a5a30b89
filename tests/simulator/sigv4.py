"""AWS Signature Version 4, checked. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"""

from __future__ import annotations

import hashlib
import hmac
import re
from urllib.parse import quote

from simulator.exchange import Ask, Mistake

ALGORITHM = "AWS4-HMAC-SHA256"
ACCESS_KEY = "AKIATESTTESTTESTTEST"
SECRET_KEY = "simulated/secret+of/the+simulated/provider"
"""The one pair of credentials that the simulated provider knows."""

_FIELDS = re.compile(
    rf"{ALGORITHM} Credential=(?P<key>[^/]+)/(?P<scope>[^,]+), ?"
    r"SignedHeaders=(?P<names>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


def verify(ask: Ask) -> None:
    """`Mistake` 403 unless the request is signed with the known credentials, as it arrived."""
    if not (fields := _FIELDS.fullmatch(ask.headers.get("authorization", ""))):
        raise _refusal("IncompleteSignatureException", "Authorization header is not a SigV4 one.")
    if fields["key"] != ACCESS_KEY:
        raise _refusal(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    request = canonical(ask, fields["names"].split(";"))
    if not hmac.compare_digest(
        sign(request, fields["scope"], ask.headers.get("x-amz-date", "")), fields["signature"]
    ):
        message = "The request signature we calculated does not match the signature you provided."
        raise _refusal("InvalidSignatureException", message)


def _refusal(code: str, message: str) -> Mistake:
    return Mistake(403, message, code=code)


def canonical(ask: Ask, names: list[str]) -> str:
    """What was signed. The path is percent-encoded once more: only S3 is signed as sent."""
    query = "&".join(sorted(pair if "=" in pair else f"{pair}=" for pair in ask.raw_query.split("&") if pair))
    headers = "".join(f"{name}:{_values(ask, name)}\n" for name in names)
    path = quote(ask.path, safe="/-_.~")
    return "\n".join(
        [ask.method, path, query, headers, ";".join(names), hashlib.sha256(ask.body).hexdigest()]
    )


def _values(ask: Ask, name: str) -> str:
    return ",".join(" ".join(value.split()) for key, value in ask.raw_headers if key.lower() == name)


def sign(request: str, scope: str, date: str) -> str:
    """The signature of a canonical request; the scope is date/region/service/aws4_request."""
    key = f"AWS4{SECRET_KEY}".encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    digest = hashlib.sha256(request.encode()).hexdigest()
    return _mac(key, "\n".join([ALGORITHM, date, scope, digest])).hex()


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
