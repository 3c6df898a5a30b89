"""Real agent CLIs write a file that the model tells them to: it holds the value that the provider never saw;
and they do a task of several steps whose model is another vendor's, in another dialect.

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

from support.stage import Tollgate, simulated_provider, through, tollgate

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


@dataclass(frozen=True)
class Step:
    """A call that the model makes where what was said since its last answer matches."""

    tool: str
    when: str
    arguments: dict[str, Any]
    """{out} is the file, `$1` the first group of `when`."""


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
    program, work = installed(name), tmp_path / "work"
    work.mkdir()
    policy = {"dlp": {"enabled": True}, "connections": {"other_hosts": "refuse"}}
    agent = AGENTS[name]
    with simulated_provider(tmp_path) as provider, tollgate(tmp_path, provider, policy) as gateway:
        provider.behave(call=steps(work, Step(agent.tool, WHEN, agent.arguments)), forbidden=VALUE)
        said = drive(agent.command, agent.keys, program, work, gateway)
        heard = [entry["body"] for entry in provider.journal()]

    out = work / "out.txt"
    assert out.exists(), said
    assert out.read_text() == VALUE, said
    assert heard
    assert [body for body in heard if VALUE.encode() in body] == []


TASK = "Please change the colours of the house, one by one."
TASKS = {
    "claude": (
        ("-p", TASK, "--permission-mode", "acceptEdits", "--model", "claude-sonnet-5-5"),
        {"ANTHROPIC_API_KEY": "sk-ant-test", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
        (
            Step(
                "Write", "(change the colours)", {"file_path": "{out}", "content": "door: red\nroof: grey\n"}
            ),
            Step(
                "Edit",
                "(created successfully)",
                {"file_path": "{out}", "old_string": "door: red", "new_string": "door: blue"},
            ),
            Step("Read", "(has been updated)", {"file_path": "{out}"}),
        ),
    ),
    "codex": (
        ("exec", "--skip-git-repo-check", "-s", "danger-full-access", "-m", "gpt-6", TASK),
        {"OPENAI_API_KEY": "sk-test", "CODEX_API_KEY": "sk-test"},
        (
            Step(
                "exec_command",
                "(change the colours)",
                {"cmd": "printf 'door: red\\nroof: grey\\n' > '{out}'; echo it is writ''ten"},
            ),
            Step(
                "exec_command", "(it is written)", {"cmd": "sed -i s/red/blue/ '{out}'; echo it is chan''ged"}
            ),
            Step("exec_command", "(it is changed)", {"cmd": "cat '{out}'"}),
        ),
    ),
}
PLACES = {
    "openai-chat": (
        {"provider": "openai", "dialect": "openai-chat", "model": "gpt-6"},
        "/v1/chat/completions",
    ),
    "anthropic-messages": ({"provider": "anthropic", "model": "claude-sonnet-5-5"}, "/v1/messages"),
    "gemini": (
        {"provider": "gemini", "dialect": "gemini", "model": "gemini-3-flash"},
        "/v1beta/models/gemini-3-flash:stream",
    ),
}


@pytest.mark.parametrize(
    ("name", "target"),
    [
        *(("claude", "openai-chat"), ("claude", "gemini")),
        *(("codex", "anthropic-messages"), ("codex", "gemini")),
    ],
)
def test_an_agent_does_a_task_with_another_vendors_model(
    name: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPANY_KEY", "company-key-of-nobody")
    program, work = installed(name), tmp_path / "work"
    work.mkdir()
    place, path = PLACES[target]
    policy = {
        "connections": {"other_hosts": "refuse"},
        "credentials": {"k": {"env": "COMPANY_KEY", "hosts": "*"}},
        "targets": {"t": {**place, "credential": "k"}},
        "rules": [
            {
                "name": "elsewhere",
                "when": {"operation": ["chat", "responses"]},
                "set": {"route": {"targets": ["t"]}},
            }
        ],
    }
    command, keys, task = TASKS[name]
    with simulated_provider(tmp_path) as provider, tollgate(tmp_path, provider, policy) as gateway:
        provider.behave(call=steps(work, *task))
        said = drive(command, keys, program, work, gateway)
        heard = [entry["target"] for entry in provider.journal() if entry["method"] == "POST"]

    out = work / "out.txt"
    assert out.exists(), said
    assert out.read_text() == "door: blue\nroof: grey\n", said
    assert sum(asked.startswith(path) for asked in heard) > len(task), heard
    others = {path for path in (place[1] for place in PLACES.values()) if path != PLACES[target][1]}
    assert not [asked for asked in heard if any(asked.startswith(other) for other in others)]


def installed(name: str) -> Path:
    """The agent's command; where there is none, the test is left out."""
    if not FOLDER:
        pytest.skip("TOLLGATE_TEST_AGENTS does not name the folder of the agents' commands")
    program = Path(FOLDER) / name
    if not program.exists():
        pytest.skip(f"there is no {name} in {FOLDER}")
    return program


def steps(work: Path, *task: Step) -> str:
    """What the simulated model does, as its behaviour has it."""
    out = str(work / "out.txt")
    return json.dumps(
        [
            {
                "tool": step.tool,
                "when": step.when,
                "arguments": {key: text.replace("{out}", out) for key, text in step.arguments.items()},
            }
            for step in task
        ]
    )


def drive(
    command: tuple[str, ...], keys: dict[str, str], program: Path, work: Path, gateway: Tollgate
) -> str:
    """Let the agent do what it is asked; gives the end of what it says."""
    home = work.parent / "home"
    (home / ".codex").mkdir(parents=True)
    done = subprocess.run(
        [program, *command],
        cwd=work,
        env={
            **through(gateway.url, gateway.ca),
            **keys,
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
