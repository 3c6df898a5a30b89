"""The authority: what its certificates are good for, and that clients enforce it."""

from __future__ import annotations

import multiprocessing
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from mitmproxy.certs import CertStore
from mitmproxy.options import KEY_SIZE

from support.certs import Authority
from tollgate.gate.authority import (
    BUNDLE_FILE,
    CERT_FILE,
    KEY_FILE,
    ageing,
    ensure_authority,
    make_authority,
    subtrees,
    uncovered,
)

HOSTS = ["api.openai.com", "*.openai.azure.com", "*-aiplatform.googleapis.com"]


def handshake(folder: Path, name: str) -> str:
    """What a client that trusts the authority says to mitmproxy's certificate for that name: "" for yes."""
    store = CertStore.from_store(folder, "mitmproxy", KEY_SIZE)
    entry = store.get_cert(name, [x509.DNSName(name)])
    pem = folder / "leaf.pem"
    pem.write_bytes(
        entry.privatekey.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + entry.cert.to_pem()
    )
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(pem)
    client_side = ssl.create_default_context(cafile=folder / BUNDLE_FILE)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    client = client_side.wrap_bio(to_client, to_server, server_hostname=name)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as e:
                return e.verify_message
    return ""


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("api.openai.com", ""),
        ("my-company.openai.azure.com", ""),
        ("us-east5-aiplatform.googleapis.com", ""),
        ("bank.example", "permitted subtree violation"),
        ("openai.com", "permitted subtree violation"),
        ("notapi.openai.com", "permitted subtree violation"),
    ],
)
def test_clients_take_its_certificates_for_llm_hosts_only(tmp_path: Path, name: str, complaint: str) -> None:
    ensure_authority(tmp_path, HOSTS)

    assert handshake(tmp_path, name) == complaint


def test_it_vouches_for_no_address() -> None:
    _, pem = make_authority(["example.org"])

    limits = x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    excluded = [str(name.value) for name in limits.value.excluded_subtrees or ()]
    assert excluded == ["0.0.0.0/0", "::/0"]


def test_only_its_owner_can_read_the_key(tmp_path: Path) -> None:
    ensure_authority(tmp_path / "certs", HOSTS)

    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "certs").iterdir()}
    assert modes == {KEY_FILE: 0o600, CERT_FILE: 0o644, BUNDLE_FILE: 0o644}


def test_one_that_is_there_is_kept(tmp_path: Path) -> None:
    made = ensure_authority(tmp_path, HOSTS)
    key, certificate = ((tmp_path / name).read_bytes() for name in (KEY_FILE, CERT_FILE))
    (tmp_path / BUNDLE_FILE).unlink()

    made_again = ensure_authority(tmp_path, ["other.example"])

    assert (made, made_again) == (True, False)
    assert ((tmp_path / KEY_FILE).read_bytes(), (tmp_path / CERT_FILE).read_bytes()) == (key, certificate)
    assert (tmp_path / BUNDLE_FILE).read_bytes().endswith(certificate)


def test_a_companys_own_key_needs_no_other_file(tmp_path: Path) -> None:
    key, certificate = make_authority(["corp.example"])
    (tmp_path / KEY_FILE).write_bytes(key + certificate)

    assert not ensure_authority(tmp_path, HOSTS)
    assert (tmp_path / KEY_FILE).read_bytes() == key + certificate
    assert (tmp_path / CERT_FILE).read_bytes() == certificate


def test_hosts_it_may_not_vouch_for_are_named(tmp_path: Path) -> None:
    ensure_authority(tmp_path, HOSTS)

    assert uncovered(tmp_path, [*HOSTS, "eu.api.openai.com"]) == []
    assert uncovered(tmp_path, ["vllm.corp.example", "192.0.2.1", "*.azure.com"]) == [
        "azure.com",
        "vllm.corp.example",
    ]


def test_an_authority_without_limits_vouches_for_all(tmp_path: Path) -> None:
    (tmp_path / CERT_FILE).write_bytes(Authority().pem)

    assert uncovered(tmp_path, ["bank.example"]) == []


@pytest.mark.parametrize(
    ("hosts", "names"),
    [
        (["api.openai.com"], ["api.openai.com"]),
        (["API.OpenAI.com", "api.openai.com"], ["api.openai.com"]),
        (["*.openai.azure.com", "x.openai.azure.com"], ["openai.azure.com"]),
        (["bedrock-runtime.*.amazonaws.com"], ["amazonaws.com"]),
        (["*-aiplatform.googleapis.com", "aiplatform.googleapis.com"], ["googleapis.com"]),
        (["**.example.org", "a.example.org", "notexample.org"], ["example.org", "notexample.org"]),
        (["127.0.0.1", "[::1]", "::1", "*"], []),
    ],
)
def test_globs_become_the_names_above_them(hosts: list[str], names: list[str]) -> None:
    assert subtrees(hosts) == names


def start_at(barrier: Any, folder: Path, made: Any) -> None:
    barrier.wait()
    made.put(ensure_authority(folder, HOSTS))


def test_processes_that_start_together_have_the_same_one(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    barrier, made = context.Barrier(4), context.Queue()
    processes = [context.Process(target=start_at, args=(barrier, tmp_path, made)) for _ in range(4)]
    for process in processes:
        process.start()
    told = [made.get(timeout=30) for _ in processes]
    for process in processes:
        process.join(30)

    certificate = (tmp_path / CERT_FILE).read_bytes()
    assert sorted(told) == [False, False, False, True]
    assert (tmp_path / KEY_FILE).read_bytes().endswith(certificate)
    assert (tmp_path / BUNDLE_FILE).read_bytes().endswith(certificate)
    assert {p.name for p in tmp_path.iterdir()} == {KEY_FILE, CERT_FILE, BUNDLE_FILE}


def test_who_comes_second_takes_the_first_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_authority(tmp_path, HOSTS)
    first = (tmp_path / KEY_FILE).read_bytes()
    monkeypatch.setattr(Path, "exists", lambda path: False)  # as it was a moment ago

    assert not ensure_authority(tmp_path, HOSTS)
    assert (tmp_path / KEY_FILE).read_bytes() == first


def test_a_file_that_holds_no_authority_is_told(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text("not PEM")

    with pytest.raises(ValueError, match="is no authority: it has to hold its private key"):
        ensure_authority(tmp_path, HOSTS)


@pytest.mark.parametrize(
    ("days", "said"),
    [(0, ""), (365 * 3 - 31, ""), (365 * 3 - 29, "expires on "), (365 * 3 + 1, "expired on ")],
)
def test_an_authority_that_ends_soon_is_told(tmp_path: Path, days: int, said: str) -> None:
    ensure_authority(tmp_path, HOSTS)

    age = ageing(tmp_path, datetime.now(UTC) + timedelta(days=days))

    assert age.startswith(said)
    assert bool(age) == bool(said)
