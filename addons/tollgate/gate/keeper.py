"""Keeps the policy: loads it, watches its files, and tells the rooms when it changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from mitmproxy import addonmanager, ctx, exceptions
from mitmproxy.utils import asyncio_utils

from tollgate.calls import Notice, Runtime
from tollgate.gate.guards import Harmless
from tollgate.policy import PolicySource
from tollgate.providers import Providers
from tollgate.store import Digester, load_key, state_folder

logger = logging.getLogger("tollgate")

RELOAD_SECONDS = 1.0
"""How often the policy's files are looked at."""


class Rooms(Protocol):
    """The rooms, as far as the policy concerns them."""

    def prepare(self, runtime: Runtime) -> None:
        """Build what a policy needs, in a thread. OSError or ValueError where it cannot be."""

    def setup(self, runtime: Runtime) -> None:
        """Put it in force. OSError or ValueError where it cannot be."""

    def notice(self, notice: Notice) -> None: ...


class Keeper:
    """The part of the gate that owns its options and its policy."""

    name = "tollgate-policy"

    def __init__(self, rooms: Rooms, every: float = RELOAD_SECONDS) -> None:
        self.source: PolicySource | None = None
        self.problem = ""
        """Why the policy files as they are now could not be loaded; empty where they are in force."""
        self._rooms = rooms
        self._every = every
        self._runtime: Runtime | None = None
        self._watch: asyncio.Task[None] | None = None

    def runtime(self) -> Runtime:
        """What is in force. Not a property: mitmproxy reads every attribute of an addon that it adds."""
        assert self._runtime is not None, "no call is taken before the policy is loaded"
        return self._runtime

    def load(self, loader: addonmanager.Loader) -> None:
        loader.add_option(
            "tollgate_policy", Sequence[str], [], "Policy files (YAML); later ones override earlier ones."
        )
        loader.add_option(
            "tollgate_state", str, "", "Folder for keys and the trail; empty for the user's state folder."
        )

    def configure(self, updated: set[str]) -> None:
        if not {"tollgate_policy", "tollgate_state"} & set(updated):
            return
        try:
            self.source = PolicySource([Path(p).expanduser() for p in ctx.options.tollgate_policy])
            self._runtime = self._candidate(state_folder(ctx.options.tollgate_state))
            if self._watch is not None:  # an option was changed while we run
                self._rooms.prepare(self._runtime)
                self._rooms.setup(self._runtime)
        except (OSError, ValueError) as e:  # a PolicyError is a ValueError
            raise exceptions.OptionsError(str(e)) from e

    def running(self) -> None:
        if self._runtime is None:
            self.configure({"tollgate_policy"})
        try:
            self._rooms.prepare(self.runtime())
            self._rooms.setup(self.runtime())
        except (OSError, ValueError) as e:
            logger.error("Tollgate cannot start: %s", e)  # on which mitmproxy's ErrorCheck ends the process
            raise exceptions.AddonHalt from e
        self._watch = asyncio_utils.create_task(self._reload(), name="policy watch", keep_ref=True)

    def done(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    def _candidate(self, state: Path) -> Runtime:
        assert self.source is not None
        policy = self.source.current
        providers = Providers.builtin().with_hosts(policy.file.hosts)
        return Runtime(policy, providers, state, Digester(load_key(state)))

    async def _reload(self) -> None:
        while self.source is not None:
            await asyncio.sleep(self._every)
            before = self.problem
            if await asyncio.to_thread(self.source.check):
                await self._swap(self.runtime())
            elif self.source.problem is not None:
                self.problem = str(self.source.problem)
            if self.problem and self.problem != before:
                self._tell(
                    "policy_invalid", f"the old policy stays in force: {self.problem}", logging.WARNING
                )

    async def _swap(self, before: Runtime) -> None:
        """Build all of the new beside the old; where something fails, the old stays."""
        try:
            new = self._candidate(before.state)
            await asyncio.to_thread(self._rooms.prepare, new)
            self._rooms.setup(new)
        except (OSError, ValueError) as e:
            self.problem = str(e)
            with Harmless("Going back to the old policy"):
                await asyncio.to_thread(self._rooms.prepare, before)  # what is built last is put in force
                self._rooms.setup(before)
        else:
            self.problem, self._runtime = "", new
            self._tell("policy_loaded", f"policy {new.policy.digest} is in force", logging.INFO)

    def _tell(self, code: str, text: str, level: int) -> None:
        logger.log(level, "Tollgate: %s", text)
        self._rooms.notice(Notice(code, text))
