"""Real agent CLIs write a file that the model tells them to: it holds the value that the provider never saw.
They do so again from recordings, on another machine and day, where there is no provider.

They are large and come from npm, so this runs only where TOLLGATE_TEST_AGENTS names the folder of their
commands. To install them, somewhere outside the checkout:

    npm install @anthropic-ai/claude-code @openai/codex @google/gemini-cli

and then TOLLGATE_TEST_AGENTS=…/node_modules/.bin scripts/test tests/e2e/test_agents.py
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.detection import compiled
from support.stage import Provider, simulated_provider, through, tollgate, without_proxies

pytestmark = pytest.mark.xdist_group("clients")

FOLDER = os.environ.get("TOLLGATE_TEST_AGENTS", "")
TIMEOUT = 120.0
VALUE = "ghp_n0rT3aLt0k3nOfAnybodyAtAllReally7777"
"""Nobody's."""
ASKED = f"The deploy token is {VALUE} and nothing else. Write it into the file out.txt"
WHEN = r"The deploy token is (\S+) and nothing else"


@dataclass(frozen=True)
class Agent:
    """One CLI, and the tool of its own with which it writes a file."""

    command: tuple[str, ...]
    tool: str
    arguments: dict[str, Any]
    """`$1` is the value, {out} the file."""
    keys: dict[str, str]


AGENTS = {
    "claude": Agent(
        ("-p", ASKED, "--permission-mode", "acceptEdits", "--model", "claude-sonnet-5-5"),
        "Write",
        {"file_path": "{out}", "content": "$1"},
        {"ANTHROPIC_API_KEY": "sk-ant-test", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
    ),
    "codex": Agent(
        ("exec", "--skip-git-repo-check", "-s", "danger-full-access", "-m", "gpt-6", ASKED),
        "exec_command",
        {"cmd": "printf %s '$1' > '{out}'"},
        {"OPENAI_API_KEY": "sk-test", "CODEX_API_KEY": "sk-test"},
    ),
    "gemini": Agent(
        ("-p", ASKED, "--yolo", "-m", "gemini-3-flash"),
        "write_file",
        {"file_path": "{out}", "content": "$1"},
        {"GEMINI_API_KEY": "AIzaTest", "GEMINI_CLI_TRUST_WORKSPACE": "true"},
    ),
}


OFFLINE = "Pacific/Kiritimati"
"""A day ahead of us for most of the day: what agents say of the date is another one."""


@pytest.fixture(params=AGENTS)
def agent(request: pytest.FixtureRequest) -> tuple[Agent, Path]:
    """An agent, and its command."""
    if not FOLDER:
        pytest.skip("TOLLGATE_TEST_AGENTS does not name the folder of the agents' commands")
    program = Path(FOLDER) / request.param
    if not program.exists():
        pytest.skip(f"there is no {request.param} in {FOLDER}")
    return AGENTS[request.param], program


def test_a_file_that_an_agent_writes_holds_the_value(agent: tuple[Agent, Path], tmp_path: Path) -> None:
    policy = {"dlp": {"enabled": True}, "connections": {"other_hosts": "refuse"}}
    with simulated_provider(tmp_path) as provider, tollgate(tmp_path, provider, policy) as gateway:
        behave(provider, agent[0], tmp_path)
        said = drive(
            agent, tmp_path, (), {**through(gateway.url, gateway.ca), "CODEX_CA_CERTIFICATE": str(gateway.ca)}
        )
        heard = [entry["body"] for entry in provider.journal()]

    assert written(tmp_path) == VALUE, said
    assert heard
    assert [body for body in heard if VALUE.encode() in body] == []


def test_an_agent_does_the_same_from_recordings(agent: tuple[Agent, Path], tmp_path: Path) -> None:
    cassettes = tmp_path / "cassettes"
    with simulated_provider(tmp_path) as provider:
        behave(provider, agent[0], tmp_path)
        upstream = {"upstream": {"resolve": provider.resolved()}}
        recorded = drive(agent, tmp_path, tollgate_word("record", tmp_path, upstream), without_proxies())
    first, files = written(tmp_path), [path.read_text() for path in cassettes.iterdir()]
    elsewhere = {**without_proxies(), "TZ": OFFLINE}
    replayed = drive(agent, tmp_path, tollgate_word("replay", tmp_path, {}), elsewhere)

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


def behave(provider: Provider, agent: Agent, folder: Path) -> None:
    """Have the model tell the agent to write the file."""
    out = str(folder / "work" / "out.txt")
    arguments = {key: text.replace("{out}", out) for key, text in agent.arguments.items()}
    call = {"tool": agent.tool, "when": WHEN, "arguments": arguments}
    provider.behave(call=json.dumps(call), forbidden=VALUE)


def written(folder: Path) -> str:
    out = folder / "work" / "out.txt"
    return out.read_text() if out.exists() else ""


def drive(
    agent: tuple[Agent, Path], folder: Path, before: tuple[object, ...], environ: dict[str, str]
) -> str:
    """Let the agent do what it is asked, in an empty folder and home; gives the end of what it says."""
    chosen, program = agent
    work, home = folder / "work", folder / "home"
    for emptied in (work, home):
        shutil.rmtree(emptied, ignore_errors=True)
        emptied.mkdir()
    (home / ".codex").mkdir()
    done = subprocess.run(
        [*map(str, before), program, *chosen.command],
        cwd=work,
        env={**environ, **chosen.keys, "HOME": str(home), "CODEX_HOME": str(home / ".codex")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    return (done.stdout + done.stderr)[-3000:]
