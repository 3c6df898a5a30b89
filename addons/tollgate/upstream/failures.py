"""What went wrong on the way to a provider, in words for the person who has to do something about it."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus

import aiohttp

from tollgate.calls import CallError, Failed, Refused
from tollgate.policy.schema import Timeouts


class ForbiddenAddress(OSError):
    """A name led to an address that is never a target."""


@dataclass(frozen=True, slots=True)
class Where:
    """What a message about a failure needs to know. No path, header or body is ever part of one."""

    host: str
    timeouts: Timeouts
    proxy: str = ""
    """The egress proxy that was used; empty for none."""


@dataclass(frozen=True, slots=True)
class _Row:
    error: type[BaseException]
    code: str
    message: str
    """May use {host}, {proxy}, {timeouts} and {reason}."""
    reason: Callable[[BaseException], str] = lambda error: ""
    status: int = HTTPStatus.BAD_GATEWAY


def _os_reason(error: BaseException) -> str:
    os_error = getattr(error, "os_error", error)
    number = getattr(os_error, "errno", None)
    return os.strerror(number) if number and number > 0 else str(os_error)


def _dns_reason(error: BaseException) -> str:
    return f"{getattr(error, 'host', '')}: {getattr(error, 'strerror', None) or 'not found'}"


def _tls_reason(error: BaseException) -> str:
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", error)
    return getattr(cause, "verify_message", None) or getattr(cause, "reason", None) or str(cause)


def _proxy_status(error: BaseException) -> str:
    return str(getattr(error, "status", ""))


_NO_TLS = _Row(
    aiohttp.ClientConnectorSSLError,
    "provider_tls",
    "TLS with {host} could not be set up ({reason}). Check that it speaks TLS on that port, and whether a"
    " firewall interferes or upstream.client_cert is asked for.",
    _tls_reason,
)
_BEFORE = (
    _Row(
        aiohttp.ClientConnectorDNSError,
        "provider_unreachable",
        "The name of {host} could not be resolved ({reason}). Check the name and this machine's DNS; behind a"
        " company proxy set upstream.proxy, in a private network upstream.resolve.",
        _dns_reason,
    ),
    _Row(
        aiohttp.ClientConnectorCertificateError,
        "provider_tls",
        "The certificate of {host} cannot be trusted ({reason}). If a proxy or firewall of your network opens"
        " TLS, set upstream.ca to its authority's PEM file; for a private endpoint set upstream.resolve.",
        _tls_reason,
    ),
    _NO_TLS,
    _Row(
        aiohttp.ClientProxyConnectionError,
        "provider_unreachable",
        "The egress proxy {proxy} could not be reached for {host} ({reason}). Check upstream.proxy.",
        _os_reason,
    ),
    _Row(
        aiohttp.ClientHttpProxyError,
        "provider_unreachable",
        "The egress proxy {proxy} refused a tunnel to {host} with HTTP {reason}. Check what it allows, and"
        " upstream.proxy_user and upstream.proxy_password_env.",
        _proxy_status,
    ),
    _Row(
        aiohttp.ConnectionTimeoutError,
        "provider_timeout",
        "No connection to {host} within {timeouts.connect:g} s (timeouts.connect). Check whether a firewall"
        " is in the way or a proxy is needed (upstream.proxy).",
        status=HTTPStatus.GATEWAY_TIMEOUT,
    ),
    _Row(
        aiohttp.ClientConnectorError,
        "provider_unreachable",
        "No connection to {host} ({reason}). Check that it is up, and whether a firewall is in the way or a"
        " proxy is needed (upstream.proxy).",
        _os_reason,
    ),
    _Row(
        TimeoutError,
        "provider_timeout",
        "{host} took the request but did not begin to answer within {timeouts.first_byte:g} s"
        " (timeouts.first_byte).",
        status=HTTPStatus.GATEWAY_TIMEOUT,
    ),
    _Row(
        aiohttp.InvalidURL,
        "provider_unreachable",
        "{host} is no host that can be connected to. Check how the client spells it.",
    ),
    _Row(
        aiohttp.ClientResponseError,
        "provider_garbled",
        "{host} answered with something that is not HTTP. Check that a model API listens there.",
    ),
    _Row(
        aiohttp.ClientError,
        "provider_disconnected",
        "{host} closed the connection before it answered. Trying again may help; if it goes on, check for a"
        " proxy or firewall that cuts connections.",
    ),
)

_WITHIN = (
    _Row(
        TimeoutError,
        "provider_timeout",
        "{host} went silent in the middle of its answer, for {timeouts.idle:g} s (timeouts.idle).",
        status=HTTPStatus.GATEWAY_TIMEOUT,
    ),
    _Row(
        aiohttp.ClientError,
        "provider_disconnected",
        "{host} closed the connection in the middle of its answer.",
    ),
)

EXPECTED = (aiohttp.ClientError, TimeoutError)
"""All that aiohttp raises for a connection or an answer that fails."""


def before_the_head(error: BaseException, where: Where) -> CallError:
    """A request that got no answer at all."""
    if isinstance(getattr(error, "os_error", None), ForbiddenAddress):
        return forbidden(where.host)
    if isinstance(error.__cause__, ssl.SSLError) and not isinstance(error, aiohttp.ClientConnectorError):
        # TLS 1.3 servers reject a client's certificate only after the handshake, in place of an answer.
        return _say(_NO_TLS, error.__cause__, where)
    return _say(_row(_BEFORE, error), error, _whose(error, where))


def _whose(error: BaseException, where: Where) -> Where:
    """With the egress proxy in the host's place, where its own name or certificate is what is wrong."""
    proxys_own = isinstance(error, aiohttp.ClientConnectorDNSError | aiohttp.ClientConnectorCertificateError)
    if proxys_own and where.proxy and getattr(error, "host", "") == where.proxy.rpartition(":")[0]:
        return replace(where, host=f"the egress proxy {where.proxy}")
    return where


def within_the_body(error: BaseException, where: Where) -> Failed:
    """An answer that began and did not end."""
    return _say(_row(_WITHIN, error), error, where)


def forbidden(host: str) -> Refused:
    """A target that no policy can allow."""
    message = f"{host} is, or leads to, a link-local or cloud-metadata address, which is never a target."
    return Refused(message, code="forbidden_address", always=True)


def _row(rows: tuple[_Row, ...], error: BaseException) -> _Row:
    return next(row for row in rows if isinstance(error, row.error))


def _say(row: _Row, error: BaseException, where: Where) -> Failed:
    message = row.message.format(
        host=where.host, proxy=where.proxy, timeouts=where.timeouts, reason=row.reason(error)
    )
    return Failed(message, code=row.code, status=row.status)
