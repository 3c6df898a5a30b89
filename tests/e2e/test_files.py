"""The official SDKs as agents that write files: the provider sees no value, and the files hold them all."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support import environment
from support.stage import simulated_provider, through, tollgate

pytestmark = pytest.mark.xdist_group("clients")

AGENT = Path(__file__).resolve().parent.parent / "clients" / "files.py"
AGENTS = [
    f"{name}-{how}" for name in ("chat", "responses", "claude", "gemini") for how in ("whole", "streamed")
]
PLANTED = (
    "ada.lovelace@analytical-engines.io",
    "4111 1111 1111 1111",
    "ghp_n0rT3aLt0k3nOfAnybodyAtAllReally7777",
    "DE89 3704 0044 0532 0130 00",
)
"""Nobody's."""
ASKED = "Please write_file with:\n" + "\n".join(f'"{value}" is \\ {n}' for n, value in enumerate(PLANTED))
TIMEOUT = 90.0


def test_files_that_an_sdk_is_told_to_write_hold_the_values(tmp_path: Path) -> None:
    python, work = environment.ensure(), tmp_path / "work"
    work.mkdir()
    with (
        simulated_provider(tmp_path) as provider,
        tollgate(tmp_path, provider, {"dlp": {"enabled": True}}) as gateway,
    ):
        provider.behave(forbidden="\n".join(PLANTED))
        said = subprocess.run(
            [python, AGENT],
            input=ASKED,
            cwd=work,
            env=through(gateway.url, gateway.ca),
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
        assert said.returncode == 0, said.stderr[-2000:]
        heard = [entry["body"].decode() for entry in provider.journal(len(AGENTS))]

    assert {path.name: path.read_text("utf-8") for path in work.iterdir()} == dict.fromkeys(AGENTS, ASKED)
    assert len(heard) == len(AGENTS)
    assert [value for value in PLANTED for body in heard if value in body] == []
