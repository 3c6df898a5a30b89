"""A command behind a proxy of its own: its environment, exit code and signals, as real processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from support.detection import compiled
from support.processes import running, wait_until
from support.stage import without_proxies
from tollgate.cli.child import _told
from tollgate.gate.authority import BUNDLE_FILE, CERT_FILE

TIMEOUT = 90.0


class Folder:
    """Where a tollgate of its own has its files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state = path / "state"
        self.state.mkdir(mode=0o700)
        (self.state / "cache").symlink_to(compiled())

    def policy(self, **policy: Any) -> str:
        file = self.path / "policy.yaml"
        file.write_text(json.dumps(policy))
        return str(file)

    def command(self, name: str, *words: str) -> list[str]:
        return [sys.executable, "-m", "tollgate", name, "--state", str(self.state), *words]

    def run(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(name, *words),
            cwd=self.path,
            env=without_proxies(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_the_command_has_the_proxys_environment_and_its_own_exit_code(folder: Folder) -> None:
    told = "import json, os, sys; print(json.dumps(dict(os.environ))); sys.exit(7)"

    done = folder.run("run", "--", sys.executable, "-c", told)

    environ = json.loads(done.stdout)
    certs = folder.state / "certs"
    assert done.returncode == 7
    assert environ["HTTPS_PROXY"].startswith("http://127.0.0.1:")
    assert environ["SSL_CERT_FILE"] == str(certs / BUNDLE_FILE)
    assert environ["NODE_EXTRA_CA_CERTS"] == str(certs / CERT_FILE)


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [("no-such-command-at-all", 127, "there is no such command"), ("/", 126, "cannot be run")],
)
def test_a_command_that_cannot_be_run_is_told(folder: Folder, command: str, code: int, said: str) -> None:
    done = folder.run("run", "--", command)

    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_signals_go_on_to_the_command_and_its_end_is_told(folder: Folder) -> None:
    ready, log = folder.path / "ready", folder.path / "log"
    trap = (
        "import pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGUSR1, lambda *_: print('heard', flush=True))\n"
        f"pathlib.Path({str(ready)!r}).touch()\n"
        "time.sleep(60)"
    )
    with running(
        folder.command("run", "--", sys.executable, "-c", trap), log, env=without_proxies()
    ) as process:
        process.wait_for("the command is ready", ready.exists)
        process.popen.send_signal(signal.SIGUSR1)
        wait_until("the command hears it", lambda: "heard" in log.read_text())
        process.popen.send_signal(signal.SIGTERM)

        assert process.popen.wait(30) == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({}, "dlp.enabled is false"),
        ({"dlp": {"enabled": True}, "mode": "observe"}, "mode is observe"),
        ({"mode": "nonsense"}, "policy.yaml:1"),
    ],
)
def test_nothing_is_recorded_under_a_policy_that_redacts_nothing(
    folder: Folder, policy: dict[str, Any], said: str
) -> None:
    done = folder.run("record", "--policy", folder.policy(**policy), "--", "touch", "ran")

    assert done.returncode == 1
    assert said in done.stderr
    assert not (folder.path / "ran").exists()


def test_an_empty_folder_and_wrong_options_are_told(folder: Folder) -> None:
    empty = folder.run("replay", "--", "touch", "ran")
    wrong = folder.run("record", "--unredacted", "--ignore", "a[0]", "--", "touch", "ran")

    assert (empty.returncode, wrong.returncode) == (1, 1)
    assert "There are no recordings in" in empty.stderr
    assert "no path to ignore" in wrong.stderr
    assert not (folder.path / "ran").exists()


def test_where_the_policy_cannot_be_put_in_force_nothing_runs(folder: Folder) -> None:
    policy = folder.policy(upstream={"ca": str(folder.path / "gone.pem")})

    done = folder.run("run", "--policy", policy, "--", "touch", "ran")

    assert done.returncode == 1
    assert "gone.pem" in done.stderr.replace("\n", "").replace(" ", "")
    assert not (folder.path / "ran").exists()


class Tape:
    def __init__(self, **counts: int) -> None:
        self.counts = Counter(counts)


@pytest.mark.parametrize(
    ("counts", "code", "said", "ends_with"),
    [
        ({"recorded": 2}, 0, "2 recorded, 0 replayed", 0),
        ({"replayed": 1, "unknown": 1}, 3, "1 replayed, 1 unknown and refused", 3),
        ({"lost": 1, "left": 4}, 0, "0 replayed, 4 not recorded, 1 not written", 1),
    ],
)
def test_what_became_of_the_calls_is_told(
    counts: dict[str, int], code: int, said: str, ends_with: int
) -> None:
    out = StringIO()

    assert _told(Tape(**counts), code, Console(file=out, width=200)) == ends_with  # type: ignore[arg-type]
    assert out.getvalue() == f"tollgate: {said}\n"
