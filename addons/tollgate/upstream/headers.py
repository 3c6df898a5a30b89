"""What a request takes along to the provider, and what an answer brings back: pure functions on headers."""

from __future__ import annotations

from collections.abc import Iterable

from multidict import CIMultiDict

from tollgate.calls import Body, Headers, Request
from tollgate.calls.signature import signature_broken, signed_headers

HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""For one connection only: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1"""

_NOT_SENT = HOP_BY_HOP | {"expect"}  # the body is here already, so nobody waits for "100 Continue"
_NOT_RETURNED = HOP_BY_HOP | {"content-length"}  # the gate counts what it sends
_OF_THE_OLD_BODY = frozenset(("content-encoding", "content-md5", "content-digest", "repr-digest", "digest"))


def outgoing(request: Request) -> tuple[Headers, bytes]:
    """The headers and the body as they go to the provider. Refused where that would break a signature.

    Case, order and duplicates stay as the client sent them. An answer in no encoding is asked for, so that
    none has to be undone, unless the client signed what it asked for.
    """
    body = request.body
    signed = signed_headers(request)
    if body.edited and signed:
        raise signature_broken(request.host)
    content = body.render() if body.edited else body.wire
    dropped = _NOT_SENT | named_by_connection(request.headers) | (_OF_THE_OLD_BODY if body.edited else set())
    headers: Headers = CIMultiDict()
    for name, value in request.headers.items():
        match name.lower():
            case lower if lower in dropped:
                continue
            case "content-length":
                value = str(len(content))
            case "accept-encoding" if "accept-encoding" not in signed:
                value = "identity"
        headers.add(name, value)
    return headers, content


def settle(request: Request) -> None:
    """Take a body with its edits for the body itself, as it has to be before the request is signed."""
    body = request.body
    if body.edited:
        request.body = Body(body.render())
        for name in _OF_THE_OLD_BODY:
            request.headers.popall(name, None)


def returned(received: Iterable[tuple[str, str]], *, decoded: bool) -> Headers:
    """An answer's headers for the client; `decoded` says that its content-encoding was undone."""
    headers = CIMultiDict(received)
    dropped = _NOT_RETURNED | named_by_connection(headers) | ({"content-encoding"} if decoded else set())
    for name in dropped:
        headers.popall(name, None)
    return headers


def named_by_connection(headers: Headers) -> set[str]:
    """The headers, in lower case, that `Connection` declares to be for one connection only."""
    if "connection" not in headers:
        return set()
    return {name.strip().lower() for value in headers.getall("connection") for name in value.split(",")}
