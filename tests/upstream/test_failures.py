from __future__ import annotations

import errno
import socket
import ssl

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey, RequestInfo
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from tollgate.calls import Failed, Refused
from tollgate.policy.schema import Timeouts
from tollgate.upstream.failures import ForbiddenAddress, Where, before_the_head, forbidden, within_the_body

WHERE = Where("api.x", Timeouts(connect=3, first_byte=20, idle=30), "proxy.corp:3128")
KEY = ConnectionKey("api.x", 443, True, True, None, None, None)
INFO = RequestInfo(URL("https://api.x/v1/secret"), "POST", CIMultiDictProxy(CIMultiDict()))
UNTRUSTED = ssl.SSLCertVerificationError(1, "certificate verify failed")
UNTRUSTED.verify_message = "self-signed certificate"
REFUSED = OSError(errno.ECONNREFUSED, "Connect call failed ('10.0.0.1', 443)")


PROXY = KEY._replace(host="proxy.corp", port=3128)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            aiohttp.ClientConnectorDNSError(PROXY, socket.gaierror(-2, "Name or service not known")),
            "The name of the egress proxy proxy.corp:3128 could not be resolved (proxy.corp: ",
        ),
        (
            aiohttp.ClientConnectorCertificateError(PROXY, UNTRUSTED),
            "The certificate of the egress proxy proxy.corp:3128 cannot be trusted (self-signed",
        ),
    ],
)
def test_what_is_the_egress_proxys_fault_is_not_laid_to_the_provider(error: Exception, said: str) -> None:
    assert before_the_head(error, WHERE).message.startswith(said)


@pytest.mark.parametrize(
    ("error", "code", "status", "words"),
    [
        (
            aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(-2, "Name or service not known")),
            "provider_unreachable",
            502,
            ["api.x: Name or service not known", "upstream.resolve"],
        ),
        (
            aiohttp.ClientConnectorCertificateError(KEY, UNTRUSTED),
            "provider_tls",
            502,
            ["(self-signed certificate)", "upstream.ca"],
        ),
        (
            aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "wrong version number")),
            "provider_tls",
            502,
            ["wrong version number"],
        ),
        (
            aiohttp.ClientProxyConnectionError(KEY, REFUSED),
            "provider_unreachable",
            502,
            ["proxy.corp:3128", "(Connection refused)", "upstream.proxy"],
        ),
        (
            aiohttp.ClientHttpProxyError(INFO, (), status=407, message="secret"),
            "provider_unreachable",
            502,
            ["proxy.corp:3128", "HTTP 407", "upstream.proxy_password_env"],
        ),
        (aiohttp.ConnectionTimeoutError(), "provider_timeout", 504, ["within 3 s (timeouts.connect)"]),
        (
            aiohttp.ClientConnectorError(KEY, REFUSED),
            "provider_unreachable",
            502,
            ["(Connection refused)", "firewall"],
        ),
        (
            aiohttp.ClientConnectorError(KEY, OSError("Multiple exceptions")),
            "provider_unreachable",
            502,
            ["(Multiple exceptions)"],
        ),
        (aiohttp.SocketTimeoutError(), "provider_timeout", 504, ["within 20 s (timeouts.first_byte)"]),
        (TimeoutError(), "provider_timeout", 504, ["within 20 s (timeouts.first_byte)"]),
        (aiohttp.InvalidURL("https://127.1/secret"), "provider_unreachable", 502, ["api.x is no host"]),
        (
            aiohttp.ClientResponseError(INFO, (), status=400, message="secret"),
            "provider_garbled",
            502,
            ["not HTTP"],
        ),
        (aiohttp.ServerDisconnectedError(), "provider_disconnected", 502, ["before it answered"]),
        (aiohttp.ClientOSError(104, "reset"), "provider_disconnected", 502, ["before it answered"]),
    ],
)
def test_a_request_without_an_answer_says_what_happened_and_what_to_check(
    error: Exception, code: str, status: int, words: list[str]
) -> None:
    failed = before_the_head(error, WHERE)

    assert isinstance(failed, Failed)
    assert (failed.code, failed.status) == (code, status)
    assert all(word in failed.message for word in ["api.x", *words])
    assert "secret" not in failed.message


def test_tls_alerts_that_come_in_place_of_an_answer_are_tls_failures() -> None:
    """TLS 1.3 says that it wants a client certificate only after the handshake."""
    error = aiohttp.ClientOSError(1, "alert")
    error.__cause__ = ssl.SSLError(1, "tlsv13 alert certificate required")

    failed = before_the_head(error, WHERE)

    assert failed.code == "provider_tls"
    assert "certificate required" in failed.message
    assert "upstream.client_cert" in failed.message


def test_an_address_that_may_never_be_a_target_is_a_refusal() -> None:
    refused = before_the_head(aiohttp.ClientConnectorError(KEY, ForbiddenAddress("metadata")), WHERE)

    assert isinstance(refused, Refused)
    assert (refused.code, refused.always) == ("forbidden_address", True)
    assert refused.message == forbidden("api.x").message


@pytest.mark.parametrize(
    ("error", "code", "status", "words"),
    [
        (aiohttp.SocketTimeoutError(), "provider_timeout", 504, "for 30 s (timeouts.idle)"),
        (aiohttp.ClientPayloadError(), "provider_disconnected", 502, "in the middle of its answer"),
        (aiohttp.ClientOSError(104, "reset"), "provider_disconnected", 502, "in the middle of its answer"),
    ],
)
def test_an_answer_that_breaks_off_says_so(error: Exception, code: str, status: int, words: str) -> None:
    failed = within_the_body(error, WHERE)

    assert (failed.code, failed.status) == (code, status)
    assert words in failed.message
