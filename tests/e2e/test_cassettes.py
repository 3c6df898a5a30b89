"""Official SDKs are told the same by recordings as they were by the provider, which is gone by then."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support import environment
from support.detection import compiled
from support.stage import STEADY, simulated_provider, without_proxies

pytestmark = pytest.mark.xdist_group("cached")

CLIENTS = Path(__file__).resolve().parent.parent / "clients"
TIMEOUT = 120.0
SECRETS = ("jane.planted", "acme-mail", "ghp_n0r", "sk-test", "sk-ant-test", "AIzaTest", "co-test")
"""What clients send that must not be in a recording."""


@dataclass
class Ended:
    code: int
    said: dict[str, Any]
    """Call to what its SDK made of the answer."""
    errors: str


def tollgate(name: str, folder: Path, state: str, policy: dict[str, Any], program: str) -> Ended:
    """Run a program of the clients; `state` is the folder of one machine."""
    (folder / "policy.yaml").write_text(json.dumps({"dlp": {"enabled": True}, **policy}))
    if not (folder / state).exists():
        (folder / state).mkdir(mode=0o700)
        (folder / state / "cache").symlink_to(compiled())
    options = ["--cassettes", "cassettes", "--policy", "policy.yaml", "--state", state]
    done = subprocess.run(
        [sys.executable, "-m", "tollgate", name, *options, "--", environment.ensure(), CLIENTS / program],
        cwd=folder,
        env={**without_proxies(), **STEADY},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return Ended(done.returncode, {line["call"]: line["events"] for line in lines}, done.stderr)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, Ended, Path]:
    """Recorded on one machine, then replayed on another one, when there is no provider any more."""
    folder = tmp_path_factory.mktemp("cassettes")
    with simulated_provider(folder) as provider:
        upstream = {"upstream": {"resolve": provider.resolved()}}
        recorded = tollgate("record", folder, "one", upstream, "recorded_calls.py")
    replayed = tollgate("replay", folder, "another", {}, "recorded_calls.py")
    return recorded, replayed, folder


def test_everything_is_recorded_and_answered(ended: tuple[Ended, Ended, Path]) -> None:
    recorded, replayed, folder = ended
    number = len(list((folder / "cassettes").iterdir()))

    assert (recorded.code, replayed.code) == (0, 0), recorded.errors + replayed.errors
    assert number > 30
    assert f"{number} recorded, 0 replayed" in recorded.errors
    assert f"{number} replayed" in replayed.errors


def test_each_sdk_is_told_the_same_again(ended: tuple[Ended, Ended, Path]) -> None:
    recorded, replayed, _ = ended

    assert recorded.said
    assert replayed.said.keys() == recorded.said.keys()
    for call, events in recorded.said.items():
        assert replayed.said[call] == events, call


def test_a_recording_holds_neither_keys_nor_what_was_redacted(ended: tuple[Ended, Ended, Path]) -> None:
    recorded, _, folder = ended
    files = {path.name: path.read_text() for path in (folder / "cassettes").iterdir()}

    assert "jane.planted@acme-mail.com" in json.dumps(recorded.said)
    assert [(name, word) for name, text in files.items() for word in SECRETS if word in text] == []


def test_another_program_is_told_what_it_asks_differently(ended: tuple[Ended, Ended, Path]) -> None:
    done = tollgate("replay", ended[2], "another", {}, "unrecorded_call.py")

    assert done.code == 3
    [text] = done.said["unrecorded"]
    assert 'body.messages[0].content: recorded "I am Jane, ' in text
    assert 'asked "I am John, ' in text
    assert "john.planted" not in text
    assert "1 unknown and refused" in done.errors
    trail = (ended[2] / "another" / "trail" / "calls.jsonl").read_text()
    assert "differs in body.messages[0].content." in trail
    assert [kept for kept in (trail, done.errors) if "I am J" in kept] == []
