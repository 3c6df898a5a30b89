"""Whom we trust on our way to the providers, and what we show them."""

from __future__ import annotations

import ssl
from pathlib import Path

import certifi

from tollgate.policy.schema import Upstream


def contexts(settings: Upstream) -> tuple[ssl.SSLContext, dict[str, ssl.SSLContext]]:
    """How to make TLS with any host, and with the hosts that have a CA of their own (names in lower case).

    ValueError, naming the key of the policy, where a file cannot be used.
    """
    usual = public_context()
    if settings.ca:
        _trust(usual, settings.ca, "upstream.ca")
    own = {
        host.lower(): _own_context(entry.ca, f"upstream.resolve.{host}.ca")
        for host, entry in settings.resolve.items()
        if entry.ca
    }
    if settings.client_cert:
        for context in (usual, *own.values()):
            _show(context, settings.client_cert)
    return usual, own


def public_context() -> ssl.SSLContext:
    """Trusts the system's authorities, in which companies install theirs; Mozilla's where there are none."""
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if not paths.cafile and not paths.capath:
        context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


def _own_context(ca: Path, key: str) -> ssl.SSLContext:
    """Trusts that file, and no one else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    _trust(context, ca, key)
    return context


def _trust(context: ssl.SSLContext, ca: Path, key: str) -> None:
    try:
        context.load_verify_locations(ca)
    except OSError as e:  # ssl.SSLError is one
        raise ValueError(f"{key}: {ca} is no PEM file of certificates ({_reason(e)})") from e
    # Since Python 3.13 certificates have to follow RFC 5280 to the letter, which those of many companies'
    # authorities do not (https://docs.python.org/3/whatsnew/3.13.html#ssl). One that the operator names is
    # meant to be trusted; signatures, dates and names are still checked.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT


def _show(context: ssl.SSLContext, client_cert: Path) -> None:
    try:
        context.load_cert_chain(client_cert, password=_no_password)
    except (OSError, ValueError) as e:
        expected = "a PEM file with a certificate and its unencrypted key"
        raise ValueError(f"upstream.client_cert: {client_cert} is not {expected} ({_reason(e)})") from e


def _no_password() -> str:
    """In place of OpenSSL's own question on the terminal, which would stop the proxy."""
    raise ValueError("the key is encrypted")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
