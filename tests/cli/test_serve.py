"""The proxy as a process: it runs until it is told to stop, and says why it cannot."""

from __future__ import annotations

import io
import json
import os
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from support.certs import written
from support.processes import wait_until
from support.stage import LOOPBACK, fetch, free_port
from tollgate.calls import Runtime
from tollgate.cli.launch import Launch
from tollgate.cli.main import app
from tollgate.cli.serve import Greeting, exports, place_of, rooms, stopping
from tollgate.gate.authority import BUNDLE_FILE, CERT_FILE, ensure_authority
from tollgate.policy.reader import load
from tollgate.providers import Providers
from tollgate.store import Digester


def invoke(tmp_path: Path, *options: str) -> Result:
    folders = ["--state", str(tmp_path / "state"), "--certs", str(tmp_path / "certs")]
    return CliRunner().invoke(app, ["up", *folders, *options])


@contextmanager
def stopped_once_ready(
    admin: str, told: list[bytes], number: signal.Signals = signal.SIGTERM
) -> Iterator[None]:
    """Notes what /healthz says, then sends this process the signal that the command listens for."""

    def look() -> bool:
        try:
            return bool(fetch(f"http://{admin}/readyz", timeout=2.0))
        except (HTTPError, URLError, OSError):
            return False

    def stop() -> None:
        wait_until("ready proxy", look)
        told.append(fetch(f"http://{admin}/healthz"))
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=stop)
    before = signal.signal(number, lambda *_: None)  # so that a late signal ends nothing
    thread.start()
    try:
        yield
    finally:
        thread.join()
        signal.signal(number, before)


@pytest.mark.parametrize(("number", "quiet"), [(signal.SIGTERM, []), (signal.SIGHUP, ["--quiet"])])
def test_it_runs_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals, quiet: list[str]) -> None:
    listen, admin = (f"{LOOPBACK}:{free_port()}" for _ in range(2))
    policy, told = tmp_path / "policy.yaml", list[bytes]()
    policy.write_text("mode: observe\n")
    with stopped_once_ready(admin, told, number):
        result = invoke(tmp_path, "--listen", listen, "--admin", admin, "--policy", str(policy), *quiet)

    said = result.output.replace("\n", "")
    assert result.exit_code == 0, result.output
    assert json.loads(told[0])["ok"] is True
    assert f"export HTTPS_PROXY=http://{listen}" in said
    assert f"SSL_CERT_FILE={tmp_path / 'certs' / BUNDLE_FILE}" in said
    assert "redaction off, cache off, costs off" in said
    assert (tmp_path / "state").is_dir()
    assert ssl.create_default_context(cafile=tmp_path / "certs" / BUNDLE_FILE)


def test_a_terminal_that_closes_stops_nothing_under_nohup() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert stopping() == [signal.SIGINT, signal.SIGTERM]
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_a_rule_turns_on_is_on(tmp_path: Path) -> None:
    rule = {"name": "one", "when": {"model": "m"}, "set": {"cache": {"enabled": True}}}
    file = written(tmp_path / "policy.yaml", json.dumps({"dlp": {"enabled": True}, "rules": [rule]}).encode())

    assert rooms(load([file])) == ["redaction on", "cache on", "costs off"]


def test_hosts_that_the_authority_may_not_vouch_for_are_told(tmp_path: Path) -> None:
    admin, told = f"{LOOPBACK}:{free_port()}", list[bytes]()
    ensure_authority(tmp_path / "certs", ["api.openai.com"])
    with stopped_once_ready(admin, told):
        result = invoke(tmp_path, "--listen", f"{LOOPBACK}:{free_port()}", "--admin", admin)

    assert result.exit_code == 0
    assert "may not vouch for" in result.output
    assert "anthropic.com" in result.output


@pytest.mark.parametrize(
    ("listen", "proxy"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("[::]:8080", "http://[::1]:8080"),
        ("proxy.test:8080", "http://proxy.test:8080"),
    ],
)
def test_the_shell_is_told_where_the_proxy_is(tmp_path: Path, listen: str, proxy: str) -> None:
    folder = tmp_path / "my certs"

    lines = exports(listen, folder)

    assert [shlex.split(line)[1] for line in lines] == [
        f"HTTPS_PROXY={proxy}",
        f"SSL_CERT_FILE={folder / BUNDLE_FILE}",
        f"NODE_EXTRA_CA_CERTS={folder / CERT_FILE}",
    ]


def test_what_the_authority_does_not_cover_is_told_when_a_policy_is_saved(tmp_path: Path) -> None:
    said = io.StringIO()
    launch = Launch("127.0.0.1:8080", [], tmp_path, tmp_path / "certs", "", [], [], 1.0, False)
    greeting = Greeting(Console(file=said, width=200), launch, place_of(launch))
    file = written(tmp_path / "p.yaml", b"hosts: [{host: vllm.test, provider: x, dialect: openai-chat}]")
    runtime = Runtime(load([file]), Providers.builtin(), tmp_path, Digester(b"k" * 32))

    greeting.llm_setup(runtime)  # at start, before it listens
    greeting.running()
    before = said.getvalue()
    greeting.llm_setup(runtime)

    assert "may not vouch" not in before
    assert "may not vouch for vllm.test: clients will refuse them" in said.getvalue()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--listen", "8080"], "is not host:port"),
        (["--listen", "127.0.0.1:http"], "is not host:port"),
        (["--admin", "127.0.0.1:99999"], "is not host:port"),
        (["--set", "emudhra=true"], "signs certificates with a leaked key"),
        (["--policy", "{tmp}/gone.yaml"], "gone.yaml"),
        (["--policy", "{tmp}/wrong.yaml"], "wrong.yaml:1"),
        (["--certs", "{tmp}/wrong.yaml"], "wrong.yaml"),
        (["--set", "no_such_option=1"], "no_such_option"),
    ],
)
def test_it_says_why_it_cannot_run(tmp_path: Path, options: list[str], said: str) -> None:
    (tmp_path / "wrong.yaml").write_text("mode: no such mode\n")

    result = invoke(tmp_path, *(option.format(tmp=tmp_path) for option in options))

    assert result.exit_code == 1
    assert said in result.output.replace("\n", "")
    assert "Traceback" not in result.output


@pytest.mark.parametrize("option", ["--listen", "--admin"])
def test_a_port_that_is_taken_is_said_before_anything_is_built(tmp_path: Path, option: str) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        place = f"{LOOPBACK}:{taken.getsockname()[1]}"
        result = invoke(tmp_path, "--listen", f"{LOOPBACK}:{free_port()}", "--admin", "", option, place)

    assert result.exit_code == 1
    assert result.output == (
        f"tollgate up: {option} {place}: Address already in use; say {option} with another host:port\n"
    )


def test_what_a_policy_needs_and_cannot_have_is_said_and_nothing_listens(tmp_path: Path) -> None:
    credential = {"env": "TOLLGATE_TEST_NOT_SET", "hosts": ["x.test"]}
    file = written(tmp_path / "policy.yaml", json.dumps({"credentials": {"k": credential}}).encode())

    command = [sys.executable, "-m", "tollgate", "up", "--admin", "", "--policy", str(file)]
    command += ["--listen", f"{LOOPBACK}:{free_port()}", "--state", str(tmp_path), "--certs", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    said = result.stdout + result.stderr
    assert result.returncode == 1
    assert "TOLLGATE_TEST_NOT_SET" in said.replace("\n", "")
    assert "Traceback" not in said
    assert "listens" not in said
