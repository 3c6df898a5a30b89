"""mitmproxy's requests and responses, and ours. Pure."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator

from mitmproxy import http
from mitmproxy.net.http import status_codes
from multidict import CIMultiDict

from tollgate.calls import Body, Headers, Request

_REPLACED = frozenset(
    ("connection", "content-length", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade")
)
"""Headers of an answer that are those of its way to us."""

_QUOTED = re.compile(r"""[:\s]*(?:bytearray\()?b?(["']).*""", re.DOTALL)


def headers_of(fields: Iterable[tuple[bytes, bytes]]) -> Headers:
    """mitmproxy's raw header fields, in order, duplicates and case kept."""
    return CIMultiDict((name.decode("latin-1"), _text(value)) for name, value in fields)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def http_headers(headers: Headers) -> http.Headers:
    """Ours as mitmproxy's."""
    fields = ((n.encode("latin-1"), v.encode("utf-8", "surrogateescape")) for n, v in headers.items())
    return http.Headers(fields)


def request_of(request: http.Request, host: str) -> Request:
    """A complete request as ours. `host` is the name that all of CONNECT, SNI and Host agreed on."""
    headers = headers_of(request.headers.fields)
    encoding = ", ".join(headers.getall("content-encoding", ())).strip().lower()
    return Request(
        method=request.method,
        scheme=request.scheme,
        host=host,
        port=request.port,
        target=request.path,
        headers=headers,
        body=Body(request.raw_content or b"", encoding=encoding),
    )


def failure_of(flow: http.HTTPFlow) -> str:
    """Why a flow ended, for the trail; empty where it did well. Without what mitmproxy quotes of the traffic:
    the line of a prompt that stands where a chunk's length should."""
    return _QUOTED.sub("", flow.error.msg) if flow.error else ""


def response_of(request: http.Request, status: int, headers: Headers, body: bytes | None) -> http.Response:
    """An answer's head as mitmproxy's, with the body if it is whole; None means that it follows in pieces."""
    now = time.time()
    http2 = request.is_http2 or request.is_http3
    if body and (request.method == "HEAD" or status in (204, 304)):
        body = b""  # such an answer has none: what follows its head would be taken for the next one
    fields = list(_fields(headers, lower=http2))
    if body is None:
        if request.http_version == "HTTP/1.1":
            fields.append((b"transfer-encoding", b"chunked"))
    elif status >= 200 and status not in (204, 304) and request.method != "HEAD":
        fields.append((b"content-length", b"%d" % len(body)))
    reason = b"" if http2 else status_codes.RESPONSES.get(status, "").encode()
    return http.Response(
        request.data.http_version, status, reason, http.Headers(fields), body, None, now, now
    )


def _fields(headers: Headers, *, lower: bool) -> Iterator[tuple[bytes, bytes]]:
    for name, value in headers.items():
        low = name.lower()
        if low not in _REPLACED:
            yield (low if lower else name).encode("latin-1"), value.encode("utf-8", "surrogateescape")
