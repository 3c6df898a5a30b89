"""What is measured: no proxy, bare mitmdump and Tollgate as real processes, and what they use."""

from __future__ import annotations

import json
import socket
import ssl
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from benchmark import lag
from benchmark.line import HOST, LOOPBACK, Route
from benchmark.requests import MODEL, UNKEPT_MODEL
from support.certs import Authority, written
from support.processes import Process, running
from support.stage import free_port, without_proxies
from tollgate.gate.authority import CERT_FILE

DIRECT, MITMDUMP, STREAMING, TOLLGATE = "direct", "mitmdump", "mitmdump, streaming", "Tollgate"
DETECTING = "with detection"
PRICED, BUDGETED = "with costs", "with a budget"
CACHE, UNKEPT = "with a cache", "not kept ²"

POLICIES: dict[str, dict[str, object]] = {
    TOLLGATE: {"cost": {"enabled": False}},
    PRICED: {"cost": {"enabled": True}},
    BUDGETED: {
        "cost": {"enabled": True, "budgets": [{"name": "all", "limit": 1e6, "per": ["user", "model"]}]}
    },
    CACHE: {
        "cost": {"enabled": False},
        "cache": {"enabled": True},
        "rules": [
            {"name": "keep none", "when": {"model": UNKEPT_MODEL}, "set": {"cache": {"enabled": False}}}
        ],
    },
}
"""The policies of our own setups."""
_PUT_OFF = 1.2
"""Seconds until the cache has written what it keeps."""

STREAM_ADDON = """\
def responseheaders(flow):
    flow.response.stream = flow.response.headers.get("content-type", "").startswith("text/event-stream")
"""
"""Without it mitmproxy holds a stream back until it has ended."""


type Command = list[str | Path]


@dataclass(frozen=True)
class Setup:
    """A way to the provider, and the process that stands in it."""

    route: Route
    process: Process | None = None
    model: str = MODEL
    """Which is asked."""
    rest: float = 0.0
    """Seconds until it has done what it puts off."""

    def cpu(self) -> float:
        """Seconds of processor time, user and system, that the proxy has used; 0 where there is none."""
        if self.process is None:
            return 0.0
        # As clock_getcpuclockid(3) makes it: nanoseconds, where /proc has ticks of 10 ms.
        return time.clock_gettime(~self.process.popen.pid << 3 | 2)

    def memory(self) -> tuple[float, float]:
        """Resident memory of the proxy in MB, now and at its peak."""
        assert self.process is not None, "without a proxy nothing is used"
        lines = Path(f"/proc/{self.process.popen.pid}/status").read_text().splitlines()
        told = dict(line.split(":", 1) for line in lines)
        return _megabytes(told["VmRSS"]), _megabytes(told["VmHWM"])

    def watch(self) -> None:
        """Begin to note how late the proxy's loop comes, or end it: see `lag`."""
        assert self.process is not None, "without a proxy there is no loop"
        self.process.popen.send_signal(lag.TOGGLE)

    def lags(self) -> list[tuple[float, float]]:
        """What was noted between the last two calls of `watch`: ms late, and ms of that at work."""
        assert self.process is not None, "without a proxy there is no loop"
        file = lag.file_of(self.process.popen.pid)
        self.process.wait_for("the loop's figures", file.exists)
        noted: list[tuple[float, float]] = json.loads(file.read_bytes())
        file.unlink()
        return noted


def _megabytes(kilobytes: str) -> float:
    return int(kilobytes.split()[0]) / 1024


@contextmanager
def setups(folder: Path) -> Iterator[Mapping[str, Setup]]:
    """All of them, running, with their files in the folder. ProcessError where one does not start."""
    with ExitStack() as stack:
        ca, port = _provider(folder, stack)
        ours = {name: tollgate(folder / name, stack, ca, port, policy) for name, policy in POLICIES.items()}
        ours[CACHE] = replace(ours[CACHE], rest=_PUT_OFF)
        ours[UNKEPT] = replace(ours[CACHE], model=UNKEPT_MODEL)  # in the same process: two of one sort differ
        yield {
            DIRECT: Setup(_direct(ca, port)),
            MITMDUMP: _mitmdump(folder / "mitmdump", stack, ca, port),
            STREAMING: _mitmdump(folder / "streaming", stack, ca, port, addon=STREAM_ADDON),
            **ours,
        }


def _provider(folder: Path, stack: ExitStack) -> tuple[Path, int]:
    authority, port = Authority(), free_port()
    certificate = written(folder / "provider.pem", authority.issue(HOST))
    command = [sys.executable, "-m", "benchmark.provider", str(port), certificate]
    process = stack.enter_context(running(command, folder / "provider.log"))
    process.wait_for("the provider listens", lambda: listens(port))
    return written(folder / "ca.pem", authority.pem), port


def _mitmdump(folder: Path, stack: ExitStack, ca: Path, provider: int, addon: str = "") -> Setup:
    folder.mkdir()
    settings: dict[str, object] = {
        "confdir": folder,
        "flow_detail": 0,
        "connection_strategy": "lazy",
        "listen_host": LOOPBACK,
        "listen_port": (port := free_port()),
        "ssl_verify_upstream_trusted_ca": ca,
    }
    command: Command = [Path(sys.executable).parent / "mitmdump", "-q"]
    command += [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    if addon:
        command += ["-s", written(folder / "addon.py", addon.encode())]
    return _proxy(command, folder, stack, folder / "mitmproxy-ca-cert.pem", provider, port)


@contextmanager
def detection_setups(folder: Path) -> Iterator[tuple[Mapping[str, Route], Mapping[str, Setup]]]:
    """Ways without Tollgate, the direct one first, and Tollgate without and with detection. The addon that
    watches their loops is there, and sleeps."""
    with ExitStack() as stack:
        ca, port = _provider(folder, stack)
        # mitmproxy puts a script's folder on the path, and in this one there is a module `requests`
        script = written(folder / "lag.py", Path(lag.__file__).read_bytes())
        watched = partial(tollgate, stack=stack, ca=ca, provider=port, scripts=[script])
        bare = _mitmdump(folder / "streaming", stack, ca, port, addon=STREAM_ADDON)
        yield (
            {DIRECT: _direct(ca, port), MITMDUMP: bare.route},
            {
                TOLLGATE: watched(folder / "off", policy={}),
                DETECTING: watched(folder / "on", policy={"dlp": {"enabled": True}}),
            },
        )


def _direct(ca: Path, port: int) -> Route:
    return Route(port, ssl.create_default_context(cafile=str(ca)))


def start_ups(folder: Path) -> Mapping[str, float]:
    """Seconds from the start of a Tollgate with detection until it takes connections."""
    took = {}
    with ExitStack() as stack:
        ca, port = _provider(folder, stack)
        for name in ("cold", "warm"):
            began = time.perf_counter()
            with ExitStack() as own:
                tollgate(folder / "on", own, ca, port, {"dlp": {"enabled": True}})
                took[name] = time.perf_counter() - began
    return took


def tollgate(
    folder: Path,
    stack: ExitStack,
    ca: Path,
    provider: int,
    policy: Mapping[str, object],
    scripts: Sequence[Path] = (),
) -> Setup:
    folder.mkdir(exist_ok=True)
    hosts = [{"host": HOST, "provider": "openai"}]
    text = json.dumps({"hosts": hosts, "upstream": {"ca": str(ca)}, **policy})
    port = free_port()
    command: Command = [sys.executable, "-m", "tollgate", "up", "--quiet", "--admin", ""]
    command += [
        "--listen",
        f"{LOOPBACK}:{port}",
        "--policy",
        written(folder / "policy.yaml", text.encode()),
    ]
    command += ["--state", folder, "--certs", folder]
    command += [word for script in scripts for word in ("--script", script)]
    return _proxy(command, folder, stack, folder / CERT_FILE, provider, port)


def _proxy(command: Command, folder: Path, stack: ExitStack, ca: Path, provider: int, port: int) -> Setup:
    process = stack.enter_context(running(command, folder / "log", env=without_proxies()))
    process.wait_for("the proxy answers", lambda: _answers(port))
    return Setup(Route(provider, ssl.create_default_context(cafile=str(ca)), port), process)


def _answers(port: int) -> bool:
    """A port is open before the policy is loaded: until then nobody reads from it."""
    if not listens(port):
        return False
    with socket.create_connection((LOOPBACK, port), 60.0) as probe:
        probe.sendall(b"NONSENSE\r\n\r\n")
        return bool(probe.recv(1))


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
