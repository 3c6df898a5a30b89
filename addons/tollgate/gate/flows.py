"""mitmproxy's requests and responses, and ours. Pure."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

from mitmproxy import http
from mitmproxy.net.http import status_codes
from multidict import CIMultiDict

from tollgate.calls import Body, Headers, Request

_CONNECTION_HEADERS = frozenset(
    ("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade")
)

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
    body = Body(
        request.raw_content or b"", encoding=request.headers.get("content-encoding", "").strip().lower()
    )
    return Request(
        method=request.method,
        scheme=request.scheme,
        host=host,
        port=request.port,
        target=request.path,
        headers=headers_of(request.headers.fields),
        body=body,
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
    response = http.Response(
        request.data.http_version,
        status,
        b"" if http2 else status_codes.RESPONSES.get(status, "").encode(),
        http.Headers(_fields(headers, lower=http2)),
        body,
        None,
        now,
        now,
    )
    if body is not None:
        if status >= 200 and status not in (204, 304) and request.method != "HEAD":
            response.headers["content-length"] = str(len(body))
    elif request.http_version == "HTTP/1.1":
        response.headers["transfer-encoding"] = "chunked"
    return response


def _fields(headers: Headers, *, lower: bool) -> list[tuple[bytes, bytes]]:
    kept = (
        (n, v)
        for n, v in headers.items()
        if n.lower() not in _CONNECTION_HEADERS and n.lower() != "content-length"
    )
    return [
        ((n.lower() if lower else n).encode("latin-1"), v.encode("utf-8", "surrogateescape")) for n, v in kept
    ]
