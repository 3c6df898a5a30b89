"""Real agent CLIs, and what a simulated model has them do.

They are large and come from npm, so tests with them run only where TOLLGATE_TEST_AGENTS names the folder of
their commands. To install them, somewhere outside the checkout:

    npm install @anthropic-ai/claude-code @openai/codex @google/gemini-cli

and then TOLLGATE_TEST_AGENTS=…/node_modules/.bin scripts/test -k agent tests/e2e
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = os.environ.get("TOLLGATE_TEST_AGENTS", "")
TIMEOUT = 120.0


@dataclass(frozen=True)
class Agent:
    """One CLI."""

    name: str
    command: tuple[str, ...]
    """Its arguments; {asked} is what it is asked to do."""
    keys: Mapping[str, str]


AGENTS = {
    agent.name: agent
    for agent in (
        Agent(
            "claude",
            ("-p", "{asked}", "--permission-mode", "acceptEdits", "--model", "claude-sonnet-5-5"),
            {"ANTHROPIC_API_KEY": "sk-ant-test", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
        ),
        Agent(
            "codex",
            ("exec", "--skip-git-repo-check", "-s", "danger-full-access", "-m", "gpt-6", "{asked}"),
            {"OPENAI_API_KEY": "sk-test", "CODEX_API_KEY": "sk-test"},
        ),
        Agent(
            "gemini",
            ("-p", "{asked}", "--yolo", "-m", "gemini-3-flash"),
            {"GEMINI_API_KEY": "AIzaTest", "GEMINI_CLI_TRUST_WORKSPACE": "true"},
        ),
    )
}


@dataclass(frozen=True)
class Step:
    """A call that the model makes where what was said since its last answer matches."""

    tool: str
    when: str
    arguments: Mapping[str, str]
    """{out} is the file, `$1` the first group of `when`."""


def steps(folder: Path, *task: Step) -> str:
    """What the simulated model does, as its behaviour has it."""
    out = str(_file(folder))
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


def installed(name: str) -> Path:
    """An agent's command; where there is none, the test is left out."""
    if not FOLDER:
        pytest.skip("TOLLGATE_TEST_AGENTS does not name the folder of the agents' commands")
    program = Path(FOLDER) / name
    if not program.exists():
        pytest.skip(f"there is no {name} in {FOLDER}")
    return program


def drive(
    name: str, asked: str, folder: Path, environ: Mapping[str, str], before: Sequence[object] = ()
) -> str:
    """Let an agent do what it is asked, in an empty folder and home; gives the end of what it says. `before`
    is the command that starts it."""
    agent = AGENTS[name]
    work, home = folder / "work", folder / "home"
    for emptied in (work, home):
        shutil.rmtree(emptied, ignore_errors=True)
        emptied.mkdir()
    (home / ".codex").mkdir()
    arguments = [asked if word == "{asked}" else word for word in agent.command]
    done = subprocess.run(
        [*map(str, before), installed(name), *arguments],
        cwd=work,
        env={**environ, **agent.keys, "HOME": str(home), "CODEX_HOME": str(home / ".codex")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    return (done.stdout + done.stderr)[-3000:]


def written(folder: Path) -> str:
    """What stands in the file that the agent was to write; empty where there is none."""
    out = _file(folder)
    return out.read_text() if out.exists() else ""


def _file(folder: Path) -> Path:
    return folder / "work" / "out.txt"
