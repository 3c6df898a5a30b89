"""The certificate authority that clients are asked to trust, limited by name to LLM hosts.

A root that a company installs everywhere is a risk in itself. RFC 5280 name constraints keep this one from
ever vouching for a bank: clients refuse its certificates for any host outside the list. The files have
mitmproxy's own names, so that mitmproxy takes them from its confdir.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KEY_FILE = "mitmproxy-ca.pem"
CERT_FILE = "mitmproxy-ca-cert.pem"
BUNDLE_FILE = "ca-bundle.pem"
"""The public authorities and ours: for clients whose setting replaces their store (SSL_CERT_FILE)."""
YEARS = 3
SOON = datetime.timedelta(days=30)
"""A time in which an authority can be replaced on every machine."""
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)


def ensure_authority(folder: Path, hosts: Iterable[str]) -> bool:
    """Make an authority for these hosts (names or globs) where there is none; True where it made one.

    Processes that start at the same time have the same one. ValueError where a file holds none.
    """
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    made = not (folder / KEY_FILE).exists() and _make(folder / KEY_FILE, hosts)
    certificate = b"".join(_CERTIFICATE.findall((folder / KEY_FILE).read_bytes()))
    if not certificate:
        expected = "its private key and its certificate, both in PEM"
        raise ValueError(f"{folder / KEY_FILE} is no authority: it has to hold {expected}")
    _write(folder / CERT_FILE, certificate, 0o644)
    _write(folder / BUNDLE_FILE, Path(certifi.where()).read_bytes() + certificate, 0o644)
    return made


def make_authority(names: Iterable[str]) -> tuple[bytes, bytes]:
    """A new key and its certificate (PEM), for hosts at or below these names and for no address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tollgate (LLM hosts only)")])
    now = datetime.datetime.now(datetime.UTC)
    everywhere = [x509.IPAddress(ipaddress.ip_network(n)) for n in ("0.0.0.0/0", "::/0")]
    permitted = [x509.DNSName(n) for n in names]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=2))  # clocks differ
        .not_valid_after(now + datetime.timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_KEY_USAGE, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.NameConstraints(permitted, everywhere), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return secret, certificate.public_bytes(pem)


_KEY_USAGE = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def subtrees(hosts: Iterable[str]) -> list[str]:
    """The names under which these hosts stand, without addresses: a constraint holds for whole labels, so of
    a glob it is what follows the label with its last `*`."""
    names = {_above(host.lower()) for host in hosts}
    names = {n for n in names if n and not _is_address(n)}
    return sorted(n for n in names if not any(_below(n, other) for other in names if other != n))


def _above(host: str) -> str:
    _, star, rest = host.rpartition("*")
    return rest.partition(".")[2] if star else host


def uncovered(folder: Path, hosts: Iterable[str]) -> list[str]:
    """Those of the hosts for which the folder's authority may not vouch."""
    certificate = x509.load_pem_x509_certificate((folder / CERT_FILE).read_bytes())
    try:
        limits = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return []
    permitted = [n.value for n in limits.permitted_subtrees or () if isinstance(n, x509.DNSName)]
    return [n for n in subtrees(hosts) if not any(_below(n, p) for p in permitted)]


def ageing(folder: Path, now: datetime.datetime) -> str:
    """When the folder's authority ceases to be valid, where that is soon or has been; empty elsewhere."""
    certificate = x509.load_pem_x509_certificate((folder / CERT_FILE).read_bytes())
    end = certificate.not_valid_after_utc
    if end - now > SOON:
        return ""
    return f"{'expired' if end < now else 'expires'} on {end:%d %B %Y}"


def _below(name: str, parent: str) -> bool:
    return name == parent or name.endswith("." + parent)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _make(path: Path, hosts: Iterable[str]) -> bool:
    """Make an authority, unless another process is first; True where it did."""
    key, certificate = make_authority(subtrees(hosts))
    draft = _draft(path, key + certificate, 0o600)
    try:
        os.link(draft, path)  # unlike a rename it replaces nothing
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, and never readable by more than `mode` says."""
    _draft(path, content, mode).replace(path)


def _draft(path: Path, content: bytes, mode: int) -> Path:
    """A file of that content beside `path`, with a name that no other process has."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        os.fchmod(file.fileno(), mode)
    return Path(draft)
