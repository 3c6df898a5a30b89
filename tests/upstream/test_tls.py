from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from support.certs import Authority, server_context, written
from tollgate.policy import Upstream
from tollgate.policy.schema import Resolve
from tollgate.upstream.tls import contexts, public_context


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> ssl.SSLObject:
    """TLS between two contexts, in memory. ssl.SSLError where one does not want the other."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(down, up, server_hostname=host)
    theirs = server.wrap_bio(up, down, server_side=True)
    unfinished = [ours, theirs]
    while unfinished:
        for side in list(unfinished):
            try:
                side.do_handshake()
                unfinished.remove(side)
            except ssl.SSLWantReadError:
                continue
    return theirs


def test_an_extra_authority_is_trusted_besides_the_usual_ones(tmp_path: Path, authority: Authority) -> None:
    usual, _ = contexts(Upstream(ca=written(tmp_path / "ca.pem", authority.pem)))

    shake_hands(usual, server_context(tmp_path, authority, "api.x"), "api.x")
    assert usual.cert_store_stats()["x509_ca"] == public_context().cert_store_stats()["x509_ca"] + 1


def test_without_it_the_certificate_is_refused(tmp_path: Path, authority: Authority) -> None:
    usual, _ = contexts(Upstream())

    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(usual, server_context(tmp_path, authority, "api.x"), "api.x")


def test_names_are_checked_with_an_extra_authority_too(tmp_path: Path, authority: Authority) -> None:
    usual, _ = contexts(Upstream(ca=written(tmp_path / "ca.pem", authority.pem)))

    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(usual, server_context(tmp_path, authority, "api.x"), "api.y")


def test_a_companys_authority_need_not_follow_rfc_5280_to_the_letter(tmp_path: Path) -> None:
    flawed = Authority(strict=False)
    usual, _ = contexts(Upstream(ca=written(tmp_path / "ca.pem", flawed.pem)))

    shake_hands(usual, server_context(tmp_path, flawed, "api.x"), "api.x")


def test_a_hosts_own_authority_stands_in_place_of_all_others(tmp_path: Path, authority: Authority) -> None:
    path = written(tmp_path / "own.pem", authority.pem)
    settings = Upstream(
        resolve={"VLLM.corp": Resolve(address="10.0.0.1", ca=path), "x": Resolve(address="y")}
    )

    _, own = contexts(settings)

    assert list(own) == ["vllm.corp"]
    assert own["vllm.corp"].cert_store_stats()["x509_ca"] == 1
    shake_hands(own["vllm.corp"], server_context(tmp_path, authority, "vllm.corp"), "vllm.corp")


def test_a_client_certificate_is_shown_to_who_asks(tmp_path: Path, authority: Authority) -> None:
    ca = written(tmp_path / "ca.pem", authority.pem)
    settings = Upstream(
        ca=ca,
        client_cert=written(tmp_path / "me.pem", authority.issue("tollgate")),
        resolve={"b.x": Resolve(address="10.0.0.1", ca=ca)},
    )
    server = server_context(tmp_path, authority, "a.x", "b.x", clients=authority)

    usual, own = contexts(settings)

    assert shake_hands(usual, server, "a.x").getpeercert()
    assert shake_hands(own["b.x"], server, "b.x").getpeercert()


def test_where_the_system_has_no_authorities_mozillas_are_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent/ca.pem")
    monkeypatch.setenv("SSL_CERT_DIR", "/nonexistent")

    assert public_context().cert_store_stats()["x509_ca"] > 50


def test_only_http_1_is_offered(tmp_path: Path, authority: Authority) -> None:
    usual, _ = contexts(Upstream(ca=written(tmp_path / "ca.pem", authority.pem)))
    server = server_context(tmp_path, authority, "api.x")
    server.set_alpn_protocols(["h2", "http/1.1"])

    assert shake_hands(usual, server, "api.x").selected_alpn_protocol() == "http/1.1"


def _encrypted(authority: Authority) -> bytes:
    pem = authority.issue("tollgate")
    key = load_pem_private_key(pem, None)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"sesame"))
    return pem.partition(b"-----BEGIN PRIVATE")[0] + secret


def test_files_that_cannot_be_used_are_named_with_their_key(tmp_path: Path, authority: Authority) -> None:
    missing, garbage = tmp_path / "missing.pem", written(tmp_path / "garbage.pem", b"garbage")
    encrypted = written(tmp_path / "encrypted.pem", _encrypted(authority))
    cases = [
        (Upstream(ca=missing), r"upstream\.ca: .*missing\.pem .*No such file"),
        (Upstream(ca=garbage), r"upstream\.ca: .*garbage\.pem is no PEM file"),
        (Upstream(client_cert=missing), r"upstream\.client_cert: .*missing\.pem"),
        (Upstream(client_cert=garbage), r"upstream\.client_cert: .*garbage\.pem is not a PEM file with"),
        (Upstream(client_cert=encrypted), r"upstream\.client_cert: .*the key is encrypted"),
        (
            Upstream(resolve={"a.x": Resolve(address="10.0.0.1", ca=missing)}),
            r"upstream\.resolve\.a\.x\.ca: .*missing\.pem",
        ),
    ]
    for settings, message in cases:
        with pytest.raises(ValueError, match=message):
            contexts(settings)
