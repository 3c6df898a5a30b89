"""Real agent CLIs do a task of several steps whose model is another vendor's, in another dialect."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.agents import Step, drive, installed, steps, written
from support.stage import simulated_provider, through, tollgate

pytestmark = pytest.mark.xdist_group("clients")

ASKED = "Please change the colours of the house, one by one."
DONE = "door: blue\nroof: grey\n"
TASKS = {
    "claude": (
        Step("Write", "(change the colours)", {"file_path": "{out}", "content": "door: red\nroof: grey\n"}),
        Step(
            "Edit",
            "(created successfully)",
            {"file_path": "{out}", "old_string": "door: red", "new_string": "door: blue"},
        ),
        Step("Read", "(has been updated)", {"file_path": "{out}"}),
    ),
    "codex": (
        Step(
            "exec_command",
            "(change the colours)",
            {"cmd": "printf 'door: red\\nroof: grey\\n' > '{out}'; echo it is writ''ten"},
        ),
        Step("exec_command", "(it is written)", {"cmd": "sed -i s/red/blue/ '{out}'; echo it is chan''ged"}),
        Step("exec_command", "(it is changed)", {"cmd": "cat '{out}'"}),
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
"""By dialect: the target, and how the paths of its calls begin."""


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
    installed(name)
    monkeypatch.setenv("COMPANY_KEY", "company-key-of-nobody")
    place, path = PLACES[target]
    elsewhere = {
        "name": "elsewhere",
        "when": {"operation": ["chat", "responses"]},
        "set": {"route": {"targets": ["t"]}},
    }
    policy = {
        "connections": {"other_hosts": "refuse"},
        "credentials": {"k": {"env": "COMPANY_KEY", "hosts": "*"}},
        "targets": {"t": {**place, "credential": "k"}},
        "rules": [elsewhere],
    }
    with simulated_provider(tmp_path) as provider, tollgate(tmp_path, provider, policy) as gateway:
        provider.behave(call=steps(tmp_path, *TASKS[name]))
        ways = {**through(gateway.url, gateway.ca), "CODEX_CA_CERTIFICATE": str(gateway.ca)}
        said = drive(name, ASKED, tmp_path, ways)
        heard = [entry["target"] for entry in provider.journal() if entry["method"] == "POST"]

    assert written(tmp_path) == DONE, said
    assert sum(asked.startswith(path) for asked in heard) > len(TASKS[name]), heard
    others = {begins for _, begins in PLACES.values() if begins != path}
    assert not [asked for asked in heard if any(asked.startswith(other) for other in others)]
