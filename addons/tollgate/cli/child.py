"""Runs a command behind a proxy in this process: its environment, its signals, its exit code."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mitmproxy import exceptions
from mitmproxy.utils import asyncio_utils
from rich.console import Console

from tollgate.cache.cassettes.addon import Cassettes
from tollgate.calls import Runtime
from tollgate.cli.launch import Launch
from tollgate.cli.serve import Place, addon_options, log_to, options_of, place_of, variables
from tollgate.gate.master import TollgateMaster
from tollgate.policy import Policy

NUMBERED = {"detection": {"tokens": "numbered"}}
"""Laid over the policy for recordings: see `dlp.tokens.Numbered`."""
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
FROM_THE_KEYBOARD = frozenset((signal.SIGINT, signal.SIGQUIT))
"""What a terminal sends to all of its foreground processes: the command has it already."""

# What shells say of a command that cannot be run, and of one that a signal ended: 128 and its number.
# https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02
NOT_FOUND, NOT_RUN, SIGNALLED = 127, 126, 128


class NotRun(Exception):
    """The command was not run; the message says why."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def run_behind(launch: Launch, command: Sequence[str], cassettes: Mapping[str, Any]) -> int:
    """Run a command; gives its exit code, or says why it was not run."""
    console = Console(stderr=True)
    log_to(console, logging.WARNING)
    try:
        with contextlib.ExitStack() as stack:
            if cassettes:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tollgate-")))
                launch = replace(launch, policy=[*launch.policy, _numbered(folder)])
            place = place_of(launch)
            _refuse_unredacted(place.policy, cassettes)
            return asyncio.run(_run(launch, place, command, cassettes, console))
    except (OSError, ValueError, NotRun) as e:  # a PolicyError is a ValueError
        console.print(f"[bold red]tollgate:[/] {e}", highlight=False, soft_wrap=True)
        return e.code if isinstance(e, NotRun) else 1


def _numbered(folder: Path) -> Path:
    path = folder / "recordings.yaml"
    path.write_text(json.dumps(NUMBERED))  # JSON is YAML
    return path


def _refuse_unredacted(policy: Policy, cassettes: Mapping[str, Any]) -> None:
    """NotRun where the policy redacts nothing at all. A single call that is not redacted is refused later."""
    if cassettes.get("tollgate_cassette_unredacted", True):
        return
    enabled = policy.file.dlp.enabled or any(rule.set.dlp.enabled for rule in policy.file.rules)
    if not enabled or policy.file.mode == "observe":
        why = "mode is observe" if enabled else "dlp.enabled is false"
        raise NotRun(
            f"the policy redacts nothing ({why}), so recordings would hold prompts and keys as they are."
            " Turn redaction on in the policy (dlp: {enabled: true}), or say --unredacted."
        )


async def _run(
    launch: Launch, place: Place, command: Sequence[str], cassettes: Mapping[str, Any], console: Console
) -> int:
    opts = options_of(launch, place)
    child = Child(command, place.authority)
    master = TollgateMaster(opts, grace=launch.grace, more=[child])
    child.master = master
    try:
        opts.update(**addon_options(launch, place), **cassettes)
        opts.set(*launch.settings)
        tape = master.addons.get("cache").addons
        await master.run()
    except exceptions.OptionsError as e:
        raise NotRun(str(e)) from e
    if child.problem is not None:
        raise child.problem
    return _told(tape[0], child.code, console) if tape else child.code


def _told(tape: Cassettes, code: int, console: Console) -> int:
    """Say what became of the calls; a call that could not be written fails what went well otherwise."""
    counts = tape.counts
    words = {"recorded": "", "replayed": "", "unknown": "red", "left": "yellow", "lost": "red"}
    told = ", ".join(
        f"[{style}]{counts[word]} {_WORDS.get(word, word)}[/]" if style else f"{counts[word]} {word}"
        for word, style in words.items()
        if counts[word] or word == "replayed"
    )
    console.print(f"[bold]tollgate:[/] {told}", highlight=False)
    return code or int(bool(counts["lost"]))


_WORDS = {"left": "not recorded", "lost": "not written", "unknown": "unknown and refused"}


class Child:
    """Starts the command once the proxy listens, and stops the proxy once the command has ended."""

    name = "tollgate-child"

    def __init__(self, command: Sequence[str], authority: Path) -> None:
        self.code = 1
        self.problem: NotRun | None = None
        self.master: TollgateMaster | None = None
        self._command = command
        self._authority = authority
        self._ready = False
        self._process: asyncio.subprocess.Process | None = None
        self._sent: list[signal.Signals] = []

    def llm_setup(self, runtime: Runtime) -> None:
        """All rooms were set up: this stands behind them."""
        self._ready = True

    async def running(self) -> None:
        loop = asyncio.get_running_loop()
        for number in PASSED_ON:
            loop.add_signal_handler(number, self._pass_on, number)
        asyncio_utils.create_task(self._see_through(), name="command", keep_ref=True)

    async def _see_through(self) -> None:
        assert self.master is not None
        try:
            if not self._ready:
                raise NotRun("the policy cannot be put in force, as is said above")
            self._process = await self._start(self.master)
            for number in self._sent:
                self._process.send_signal(number)
            code = await self._process.wait()
            self.code = SIGNALLED - code if code < 0 else code
        except NotRun as e:
            self.problem = e
        finally:
            self.master.stop()

    async def _start(self, master: TollgateMaster) -> asyncio.subprocess.Process:
        """NotRun where there is no such command."""
        host, port = master.addons.get("proxyserver").listen_addrs()[0][:2]
        environ = {**os.environ, **variables(f"{host}:{port}", self._authority)}
        try:
            return await asyncio.create_subprocess_exec(*self._command, env=environ)
        except FileNotFoundError as e:
            raise NotRun(f"{self._command[0]}: there is no such command", NOT_FOUND) from e
        except OSError as e:
            raise NotRun(f"{self._command[0]} cannot be run: {e.strerror}", NOT_RUN) from e

    def _pass_on(self, number: signal.Signals) -> None:
        if self._process is None:
            self._sent.append(number)
        elif self._process.returncode is None and not (number in FROM_THE_KEYBOARD and sys.stdin.isatty()):
            self._process.send_signal(number)
