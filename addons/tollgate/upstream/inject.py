"""Puts a key of the policy's into a request, in place of the client's. Pure."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

from tollgate.calls import Answer, Event, Events, Refused, Request
from tollgate.calls.credentials import without_credentials
from tollgate.policy.routing import Credential
from tollgate.policy.targets import may_go_to
from tollgate.providers.table import Provider
from tollgate.upstream.headers import settle
from tollgate.upstream.sigv4 import parse_key, scope_of, sign

_KINDS: Mapping[str, str] = {"oauth": "bearer"}
"""Ways to show a key that clients have and we have not, and ours in their place."""

_REMOVED = b"[key]"

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


def scrub(answer: Answer, secret: str) -> None:
    """Take the key out of an answer: some servers repeat it, in errors above all."""
    key = secret.encode()
    for name in {name for name, value in answer.headers.items() if secret in value}:
        answer.headers[name] = answer.headers[name].replace(secret, _REMOVED.decode())
    answer.body = answer.body.replace(key, _REMOVED)
    if answer.events is not None:
        answer.events = _scrubbed(answer.events, key)


async def _scrubbed(events: Events, key: bytes) -> AsyncGenerator[Sequence[Event]]:
    try:
        async for batch in events:
            yield [_without(event, key) for event in batch]
    finally:
        await events.aclose()


def _without(event: Event, key: bytes) -> Event:
    if event.data is not None and key in event.data:
        return event.with_data(event.data.replace(key, _REMOVED))
    if event.raw is not None and key in event.raw:
        return Event(event.data, event.name, event.raw.replace(key, _REMOVED))
    return event


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
