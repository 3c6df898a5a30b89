"""The simulated provider and Tollgate as real processes, for end-to-end tests."""

from __future__ import annotations

import base64
import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from simulator.providers import HOSTS
from support.processes import Process, running, wait_until
from tollgate.gate.authority import CERT_FILE

SIMULATOR = Path(__file__).resolve().parent.parent / "simulator"
LOOPBACK = "127.0.0.1"
PLAIN = {"ollama.test": 11434}
"""Hosts of the simulated provider that are spoken to without TLS, and the port that clients name."""

_http = build_opener(ProxyHandler({}))  # whatever the environment says, this stays on the loopback


def fetch(url: str, method: str = "GET", data: bytes | None = None, timeout: float = 15.0) -> bytes:
    """OSError where nobody answers, or with an error."""
    with _http.open(Request(url, data, method=method), timeout=timeout) as answer:
        return bytes(answer.read())


@dataclass(frozen=True)
class Provider:
    """A running simulated provider. Its methods block: where a loop has to go on, call them in a thread."""

    port: int
    plain_port: int
    control_port: int
    ca: Path

    def control(self, path: str, method: str = "GET", data: bytes | None = None) -> bytes:
        return fetch(f"http://{LOOPBACK}:{self.control_port}{path}", method, data)

    def journal(self, count: int = 0, until: str = "ended", timeout: float = 10.0) -> list[dict[str, Any]]:
        """What arrived, once that many requests have that moment behind them; else TimeoutError."""
        try:
            entries = json.loads(self.control(f"/journal?count={count}&until={until}&timeout={timeout}"))
        except HTTPError as e:
            raise TimeoutError(f"no {count} requests {until} in {timeout} s: {e.read().decode()}") from e
        return [{**entry, "body": base64.b64decode(entry["body"])} for entry in entries]

    def forget(self) -> None:
        self.control("/journal", "DELETE")

    def behave(self, **behaviour: Any) -> None:
        """How requests are answered from now on that bring no behaviour of their own."""
        self.control("/behaviour", "PUT", json.dumps(behaviour).encode())

    def release(self, name: str) -> None:
        self.control(f"/release/{quote(name)}", "POST")

    def resolved(self) -> dict[str, Any]:
        """`upstream.resolve` of a policy for which every host is this provider."""
        tls = {"address": LOOPBACK, "port": self.port, "ca": str(self.ca)}
        plain = {"address": LOOPBACK, "port": self.plain_port}
        return {host: plain if host in PLAIN else tls for host in HOSTS}


@contextmanager
def simulated_provider(folder: Path) -> Iterator[Provider]:
    ready = folder / "provider.json"
    with running([sys.executable, SIMULATOR, "--ready-file", ready], folder / "provider.log") as process:
        process.wait_for("the provider is ready", ready.exists)
        told = json.loads(ready.read_text())
        yield Provider(**{**told, "ca": Path(told["ca"])})


@dataclass(frozen=True)
class Tollgate:
    """A running `tollgate up`."""

    url: str
    admin: str
    ca: Path
    trail: Path
    process: Process

    def records(self, count: int, kind: str = "call") -> list[dict[str, Any]]:
        """The trail's records of that kind by the time their calls began, once there are that many."""
        found: list[dict[str, Any]] = []

        def enough() -> bool:
            lines = self.trail.read_text().splitlines() if self.trail.exists() else []
            found[:] = [record for record in map(json.loads, lines) if record["kind"] == kind]
            return len(found) >= count

        wait_until(f"{count} records of kind {kind}", enough, detail=lambda: f"there are {len(found)}")
        return sorted(found, key=lambda record: record["time"])


@contextmanager
def tollgate(
    folder: Path, provider: Provider, policy: Mapping[str, Any] | None = None, state: Path | None = None
) -> Iterator[Tollgate]:
    """Tollgate in front of that provider, with all its files in the folder, unless another one shares its
    `state`; `policy` is added to its own."""
    listen, admin = (f"{LOOPBACK}:{free_port()}" for _ in range(2))
    hosts = [{"host": host, "provider": "ollama", "port": port} for host, port in PLAIN.items()]
    settings = {"hosts": hosts, "upstream": {"resolve": provider.resolved()}, **(policy or {})}
    file, state, certs = folder / "policy.yaml", state or folder / "state", folder / "certs"
    file.write_text(json.dumps(settings))
    command = [sys.executable, "-m", "tollgate", "up", "--quiet", "--listen", listen, "--admin", admin]
    folders = ["--policy", file, "--state", state, "--certs", certs]
    with running([*command, *folders], folder / "tollgate.log", env=without_proxies()) as process:
        process.wait_for("tollgate is ready", lambda: _answers(f"http://{admin}/readyz"))
        trail = state / "trail" / "calls.jsonl"
        yield Tollgate(f"http://{listen}", f"http://{admin}", certs / CERT_FILE, trail, process)


def _answers(url: str) -> bool:
    try:
        return bool(fetch(url, timeout=2.0))
    except OSError:
        return False


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
AUTHORITIES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
)

STEADY = {"AWS_EC2_METADATA_DISABLED": "true", "PYTHONHASHSEED": "0"}
"""What makes two runs of a client equal: boto3 writes a set into its user agent."""


def without_proxies() -> dict[str, str]:
    """This process's environment without what sends clients through a proxy or changes whom they trust."""
    unwanted = {*PROXIES, *AUTHORITIES, "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_DIR"}
    return {name: value for name, value in os.environ.items() if name not in unwanted}


def through(proxy: str, ca: Path) -> dict[str, str]:
    """The environment of a client that goes through that proxy and trusts that authority."""
    settings = {**dict.fromkeys(PROXIES, proxy), **dict.fromkeys(AUTHORITIES, str(ca))}
    return {**without_proxies(), **settings, **STEADY, "NODE_USE_ENV_PROXY": "1"}
