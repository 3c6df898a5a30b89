"""Puts a key of the policy's into a request, in place of the client's. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

from tollgate.calls import Refused, Request
from tollgate.calls.credentials import without_credentials
from tollgate.policy.routing import Credential
from tollgate.policy.targets import may_go_to
from tollgate.providers.table import Provider
from tollgate.upstream.headers import settle
from tollgate.upstream.sigv4 import parse_key, scope_of, sign

_KINDS: Mapping[str, str] = {"oauth": "bearer"}
"""Ways to show a key that clients have and we have not, and ours in their place."""

type Put = Callable[[Request, str], None]


def with_key(
    request: Request, name: str, credential: Credential, secret: str, provider: Provider | None
) -> Request:
    """A copy of the request with this key, and without any other. Refused where it may not go to that host,
    or cannot be used there; the message never holds it."""
    if not may_go_to(credential.hosts, request.host):
        message = f'The policy\'s credential "{name}" may not be sent to {request.host}'
        raise _refused(f"{message}: its hosts do not name it (credentials.{name}.hosts).")
    headers, target = without_credentials(request.headers, request.target)
    copy = replace(request, headers=headers, target=target)
    kind = credential.kind or _usual(provider)
    try:
        _PUT.get(kind, _in_header(kind))(copy, secret)
    except ValueError as e:
        raise _refused(f'The policy\'s credential "{name}" cannot be used: {e}.') from e
    return copy


def scrubbed(body: bytes, secret: str) -> bytes:
    """An error's body without the key, which some servers repeat."""
    return body.replace(secret.encode(), b"[key]")


def _usual(provider: Provider | None) -> str:
    """How a provider's clients show their key, as a rule."""
    kind = provider.auth[0] if provider and provider.auth else "bearer"
    return _KINDS.get(kind, kind)


def _bearer(request: Request, secret: str) -> None:
    request.headers["Authorization"] = f"Bearer {secret}"


def _in_header(name: str) -> Put:
    def put(request: Request, secret: str) -> None:
        request.headers[name] = secret

    return put


def _in_query(request: Request, secret: str) -> None:
    mark = "&" if "?" in request.target else "?"
    request.target = f"{request.target}{mark}key={quote(secret, safe='')}"


def _signed(request: Request, secret: str) -> None:
    settle(request)
    request.headers.setdefault("Host", request.host)  # HTTP/2 has no such header
    told = sign(
        parse_key(secret),
        scope_of(request.host),
        datetime.now(UTC),
        method=request.method,
        target=request.target,
        headers=[(name, text) for name, text in request.headers.items() if name.lower() in _SIGNED_HEADERS],
        body=request.body.wire,
    )
    request.headers.update(told)


_SIGNED_HEADERS = frozenset({"host", "content-type"})
_PUT: Mapping[str, Put] = {"bearer": _bearer, "query-key": _in_query, "sigv4": _signed}


def _refused(message: str) -> Refused:
    return Refused(message, code="credential_not_usable", always=True)
