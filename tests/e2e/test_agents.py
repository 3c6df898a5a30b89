"""Real agent CLIs write a file that the model tells them to: it holds the value that the provider never saw.
They do so again from recordings, on another machine and day, where there is no provider."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from support.agents import AGENTS, Step, drive, installed, steps, written
from support.detection import compiled
from support.stage import simulated_provider, through, tollgate, without_proxies

pytestmark = pytest.mark.xdist_group("clients")

VALUE = "ghp_n0rT3aLt0k3nOfAnybodyAtAllReally7777"
"""Nobody's."""
ASKED = f"The deploy token is {VALUE} and nothing else. Write it into the file out.txt"
WHEN = r"The deploy token is (\S+) and nothing else"

WRITES = {
    "claude": Step("Write", WHEN, {"file_path": "{out}", "content": "$1"}),
    "codex": Step("exec_command", WHEN, {"cmd": "printf %s '$1' > '{out}'"}),
    "gemini": Step("write_file", WHEN, {"file_path": "{out}", "content": "$1"}),
}
"""With which tool of its own each agent writes a file."""

OFFLINE = "Pacific/Kiritimati"
"""A day ahead of us for most of the day: what agents say of the date is another one."""


@pytest.fixture(params=AGENTS)
def agent(request: pytest.FixtureRequest) -> str:
    installed(request.param)
    name: str = request.param
    return name


def test_a_file_that_an_agent_writes_holds_the_value(agent: str, tmp_path: Path) -> None:
    policy = {"dlp": {"enabled": True}, "connections": {"other_hosts": "refuse"}}
    with simulated_provider(tmp_path) as provider, tollgate(tmp_path, provider, policy) as gateway:
        provider.behave(call=steps(tmp_path, WRITES[agent]), forbidden=VALUE)
        ways = {**through(gateway.url, gateway.ca), "CODEX_CA_CERTIFICATE": str(gateway.ca)}
        said = drive(agent, ASKED, tmp_path, ways)
        heard = [entry["body"] for entry in provider.journal()]

    assert written(tmp_path) == VALUE, said
    assert heard
    assert [body for body in heard if VALUE.encode() in body] == []


def test_an_agent_does_the_same_from_recordings(agent: str, tmp_path: Path) -> None:
    cassettes = tmp_path / "cassettes"
    with simulated_provider(tmp_path) as provider:
        provider.behave(call=steps(tmp_path, WRITES[agent]), forbidden=VALUE)
        upstream = {"upstream": {"resolve": provider.resolved()}}
        recording = tollgate_word("record", tmp_path, upstream)
        recorded = drive(agent, ASKED, tmp_path, without_proxies(), recording)
    first, files = written(tmp_path), [path.read_text() for path in cassettes.iterdir()]
    elsewhere = {**without_proxies(), "TZ": OFFLINE}
    replayed = drive(agent, ASKED, tmp_path, elsewhere, tollgate_word("replay", tmp_path, {}))

    assert (first, written(tmp_path)) == (VALUE, VALUE), recorded + replayed
    assert len(files) > 1, recorded
    assert f"{len(files)} replayed" in replayed
    assert [text for text in files if VALUE in text] == []


def tollgate_word(word: str, folder: Path, policy: dict[str, Any]) -> tuple[object, ...]:
    """`tollgate record` or `replay`, each as on a machine of its own."""
    file, state = folder / f"{word}.yaml", folder / word
    file.write_text(json.dumps({"dlp": {"enabled": True}, **policy}))
    state.mkdir(mode=0o700)
    (state / "cache").symlink_to(compiled())
    options = ("--cassettes", folder / "cassettes", "--policy", file, "--state", state)
    return sys.executable, "-m", "tollgate", word, *options, "--"
