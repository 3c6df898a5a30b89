"""From a request's head to a call: who speaks to whom, about what, under which policy."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, replace

from mitmproxy import http

from tollgate.access import identify
from tollgate.calls import METHODS, Call, Coverage, Headers, Identity, Refused, Runtime, Sight
from tollgate.dialects import dialect
from tollgate.gate.connections import disagreement, host_name, is_address
from tollgate.gate.flows import headers_of, request_of
from tollgate.policy import Facts, Settings
from tollgate.providers import Match

_VERSION_HEADERS = {"anthropic-messages": "anthropic-version"}
"""Dialects whose codec depends on the API version, and the header that says it."""
_GRPC_METHOD = re.compile(r"/[\w-]+(?:\.[\w-]+)+/\w+", re.ASCII)
"""package.Service and Method."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What the head of a request to an LLM host tells."""

    host: str
    """The name that all of CONNECT, SNI and Host agree on."""
    match: Match
    identity: Identity
    groups: tuple[str, ...]
    headers: Headers
    settings: Settings
    """The policy as far as it does not depend on a model that stands in the body."""
    refusal: Refused | None = None
    """Set where the call is refused whatever its body says."""
    native: Sight | None = None
    """Set where mitmproxy carries the request itself, unseen."""
    why: str = ""

    @property
    def body_limit(self) -> int | None:
        """Bytes of a body from which on it is dropped; None where it is kept whatever its size."""
        bodies, observed = self.settings.bodies, self.settings.mode == "observe"
        return None if observed or bodies.oversize == "pass" else bodies.max_size


def open_request(flow: http.HTTPFlow, runtime: Runtime) -> Opening | None:
    """Read a request's head. None where it goes to no LLM host, or is no call on a host that serves more."""
    request = flow.request
    names = _names(flow)
    host = next((host_name(n) for n in names.values() if n and not is_address(n)), host_name(request.host))
    match = next((m for n in (host, *names.values()) if n and (m := _match(runtime, n, request))), None)
    if match is None:
        return None
    headers = headers_of(request.headers.fields)
    identity = _identity(flow, headers, runtime)
    groups = runtime.policy.groups_of(identity.user)
    settings = runtime.policy.settings_for(
        _facts(host, match, identity, groups, headers, match.params.get("model"))
    )
    if match.provider.shared and not match.known and settings.bodies.unknown_path == "inspect":
        return None
    native, refusal, why = _fate(request, names, match, settings, runtime)
    return Opening(host, match, identity, groups, headers, settings, refusal, native, why)


def open_call(flow: http.HTTPFlow, opening: Opening) -> Call:
    """The call for a complete request, its body not yet read."""
    request = request_of(flow.request, opening.host)
    match = opening.match
    version = request.headers.get(_VERSION_HEADERS.get(match.dialect, ""), "")
    return Call(
        id=new_id(),
        time=time.time(),
        identity=opening.identity,
        provider=match.provider.id,
        dialect=dialect(match.dialect, version),
        operation=match.operation,
        model=match.params.get("model", ""),
        stream=False,
        params=match.params,
        policy=opening.settings,
        client_request=replace(request, headers=request.headers.copy()),
        request=request,
        coverage=_coverage(opening),
        bytes_in=len(request.body.wire),
    )


def _coverage(opening: Opening) -> Coverage:
    if opening.refusal and opening.refusal.code == "websocket_refused":
        return "websocket"
    return "generic" if opening.match.dialect == "generic" else "inspected"


def settle(opening: Opening, runtime: Runtime, call: Call) -> Settings:
    """The effective policy of a call whose model is known."""
    o = opening
    return runtime.policy.settings_for(_facts(o.host, o.match, o.identity, o.groups, o.headers, call.model))


def new_id() -> str:
    """A call id: UUID version 7 (RFC 9562), so that ids sort by time."""
    stamp = time.time_ns() // 1_000_000
    number = stamp << 80 | 0x7 << 76 | int.from_bytes(os.urandom(10)) & ~(0xF << 76)
    number = number & ~(0b11 << 62) | 0b10 << 62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def user_of(flow: http.HTTPFlow) -> str:
    """The proxy user; empty where there is none. Drops the password that mitmproxy keeps with the name."""
    credentials = flow.metadata.get("proxyauth")
    if isinstance(credentials, tuple):
        flow.metadata["proxyauth"] = credentials = str(credentials[0])
    return credentials or ""


def _names(flow: http.HTTPFlow) -> dict[str, str]:
    """What each layer calls the host: the CONNECT or request line, the TLS handshake, the Host header."""
    header = flow.request.host_header or ""
    name = header if header.endswith("]") else header.rpartition(":")[0] if _has_port(header) else header
    return {"CONNECT": flow.request.host, "SNI": flow.client_conn.sni or "", "Host": name}


def _has_port(header: str) -> bool:
    return header.rpartition(":")[2].isdecimal() and ":" in header


def _match(runtime: Runtime, host: str, request: http.Request) -> Match | None:
    return runtime.providers.recognise(host_name(host), request.port, request.method, request.path)


def _identity(flow: http.HTTPFlow, headers: Headers, runtime: Runtime) -> Identity:
    rules = runtime.policy.file.identification
    peer = flow.client_conn.peername
    return identify(
        headers,
        flow.request.path.partition("?")[2],
        peer[0] if peer else "",
        user_of(flow),
        runtime.digester,
        rules.session_headers,
        rules.project_headers,
    )


def _facts(
    host: str, match: Match, identity: Identity, groups: tuple[str, ...], headers: Headers, model: str | None
) -> Facts:
    return Facts(
        user=identity.user,
        groups=groups,
        client=identity.address,
        user_agent=headers.get("user-agent", ""),
        tool=identity.tool,
        host=host,
        provider=match.provider.id,
        dialect=match.dialect,
        operation=match.operation,
        model=model,
        headers=headers,
    )


def _fate(
    request: http.Request, names: dict[str, str], match: Match, settings: Settings, runtime: Runtime
) -> tuple[Sight | None, Refused | None, str]:
    """Whether mitmproxy carries the request itself, or it is refused on sight, and why."""
    if reason := disagreement(names):
        return None, Refused(reason, code="host_mismatch", always=True), ""
    if not request.path.startswith("/") or "#" in request.path:
        # Appended to the host, it would lead to another one; and what stands behind a "#" would not be sent,
        # so that another path would arrive than the one that was recognised.
        return None, Refused("The request's target is not a path.", code="bad_target", always=True), ""
    if request.method not in METHODS:
        message = f"Tollgate passes on no request with a method but {', '.join(sorted(METHODS))}."
        return None, Refused(message, code="bad_method", always=True), ""
    if _is_websocket(request):
        return _websocket(settings)
    if match.opaque or _is_grpc(request, match):
        return _opaque(runtime)
    if not match.known and settings.bodies.unknown_path == "refuse":
        message = "Tollgate's policy refuses paths that it does not know (bodies.unknown_path)"
        told = f"{message}: {request.method} {request.path.partition('?')[0]}"
        return None, Refused(told, code="unknown_path", record=f"{message}."), ""
    return None, None, ""


def _is_websocket(request: http.Request) -> bool:
    """True for a handshake, which is a GET. Whatever else offers to upgrade is a call all the same."""
    return request.method == "GET" and request.headers.get("upgrade", "").strip().lower() == "websocket"


def _is_grpc(request: http.Request, match: Match) -> bool:
    """True for gRPC (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). What has a path of
    another API is none, whatever it calls itself: it would pass unseen."""
    said = request.headers.get("content-type", "").strip().lower()
    is_method = _GRPC_METHOD.fullmatch(request.path) is not None and not match.known
    return is_method and said.startswith("application/grpc")


def _websocket(settings: Settings) -> tuple[Sight | None, Refused | None, str]:
    if settings.websocket == "pass" or settings.mode == "observe":
        return "websocket", None, "policy"
    message = "Tollgate's policy refuses WebSockets (websocket: refuse). Use the same API over HTTP."
    return None, Refused(message, code="websocket_refused", status=426, always=True), ""


def _opaque(runtime: Runtime) -> tuple[Sight | None, Refused | None, str]:
    if runtime.policy.file.connections.opaque_hosts == "tunnel":
        return "opaque", None, "grpc"
    message = (
        "Tollgate's policy refuses calls that it cannot inspect, such as gRPC (connections.opaque_hosts)."
    )
    return None, Refused(message, code="opaque_refused"), ""
