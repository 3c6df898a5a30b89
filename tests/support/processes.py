"""Real processes for end-to-end tests: started, awaited, and ended by their own id."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

GRACE = 10.0
"""Seconds that a process has to end by itself."""


class ProcessError(RuntimeError):
    """A process that did not do what it should, with the end of what it said."""


@contextmanager
def running(command: Sequence[object], log: Path, env: Mapping[str, str] | None = None) -> Iterator[Process]:
    """A process that is ended when the block is left; what it says goes to `log`."""
    with log.open("wb") as out:
        popen = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env
        )
    process = Process(popen, log)
    try:
        yield process
    finally:
        process.stop()


class Process:
    def __init__(self, popen: subprocess.Popen[bytes], log: Path) -> None:
        self.popen = popen
        self.log = log

    def wait_for(self, what: str, ready: Callable[[], bool], timeout: float = 60.0) -> None:
        """Until `ready`. ProcessError where the process ends before that, or takes too long."""
        wait_until(what, lambda: self._ended(what) or ready(), timeout, detail=self.said)

    def _ended(self, what: str) -> bool:
        if self.popen.poll() is not None:
            raise ProcessError(f"ended with {self.popen.returncode} before {what}:\n{self.said()}")
        return False

    def said(self, longest: int = 4000) -> str:
        return self.log.read_text(errors="replace")[-longest:]

    def stop(self) -> None:
        """Ask it to end, and end it where it does not."""
        if self.popen.poll() is None:
            self.popen.terminate()
        try:
            self.popen.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait(GRACE)
            raise ProcessError(f"had to be killed:\n{self.said()}") from None


def wait_until(
    what: str, true: Callable[[], bool], timeout: float = 10.0, detail: Callable[[], str] = str
) -> None:
    """Until a condition holds that nobody tells us of. ProcessError where that takes too long."""
    deadline = time.monotonic() + timeout
    while not true():
        if time.monotonic() > deadline:
            raise ProcessError(f"no {what} after {timeout} s\n{detail()}")
        time.sleep(0.02)


def run(command: Sequence[object], timeout: float, env: Mapping[str, str] | None = None) -> str:
    """What a command prints. ProcessError where it fails or takes too long."""
    try:
        done = subprocess.run(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=env,
        )
    except subprocess.TimeoutExpired as e:
        raise ProcessError(f"{command[0]} did not end in {timeout} s") from e
    if done.returncode:
        raise ProcessError(
            f"{command[0]} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-4000:]}"
        )
    return done.stdout
