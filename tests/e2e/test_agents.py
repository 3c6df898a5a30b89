"""Real agent CLIs write a file that the model tells them to: it holds the value that the provider never saw.

They are large and come from npm, so this runs only where TOLLGATE_TEST_AGENTS names the folder of their
commands. To install them, somewhere outside the checkout:

    npm install @anthropic-ai/claude-code @openai/codex @google/gemini-cli

and then TOLLGATE_TEST_AGENTS=…/node_modules/.bin scripts/test tests/e2e/test_agents.py
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.stage import Provider, Tollgate, simulated_provider, through, tollgate

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


@pytest.mark.parametrize("name", AGENTS)
def test_a_file_that_an_agent_writes_holds_the_value(name: str, tmp_path: Path) -> None:
    if not FOLDER:
        pytest.skip("TOLLGATE_TEST_AGENTS does not name the folder of the agents' commands")
    program = Path(FOLDER) / name
    if not program.exists():
        pytest.skip(f"there is no {name} in {FOLDER}")
    work = tmp_path / "work"
    work.mkdir()
    policy = {"dlp": {"enabled": True}, "connections": {"other_hosts": "refuse"}}
    with simulated_provider(tmp_path) as provider, tollgate(tmp_path, provider, policy) as gateway:
        said = drive(AGENTS[name], program, work, provider, gateway)
        heard = [entry["body"] for entry in provider.journal()]

    out = work / "out.txt"
    assert out.exists(), said
    assert out.read_text() == VALUE, said
    assert heard
    assert [body for body in heard if VALUE.encode() in body] == []


def drive(agent: Agent, program: Path, work: Path, provider: Provider, gateway: Tollgate) -> str:
    """Let the agent do what it is asked; gives the end of what it says."""
    home, out = work.parent / "home", work / "out.txt"
    (home / ".codex").mkdir(parents=True)
    arguments = {key: text.replace("{out}", str(out)) for key, text in agent.arguments.items()}
    call = {"tool": agent.tool, "when": WHEN, "arguments": arguments}
    provider.behave(call=json.dumps(call), forbidden=VALUE)
    done = subprocess.run(
        [program, *agent.command],
        cwd=work,
        env={
            **through(gateway.url, gateway.ca),
            **agent.keys,
            "HOME": str(home),
            "CODEX_HOME": str(home / ".codex"),
            "CODEX_CA_CERTIFICATE": str(gateway.ca),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    return (done.stdout + done.stderr)[-3000:]
