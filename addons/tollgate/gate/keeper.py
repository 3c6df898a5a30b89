"""Keeps the policy: loads it, watches its files, and tells the rooms when it changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from mitmproxy import addonmanager, ctx, exceptions
from mitmproxy.utils import asyncio_utils

from tollgate.calls import Notice, Runtime
from tollgate.policy import PolicyError, PolicySource
from tollgate.providers import Providers
from tollgate.store import Digester, load_key, state_folder

logger = logging.getLogger("tollgate")

RELOAD_SECONDS = 1.0
"""How often the policy's files are looked at."""


class Keeper:
    """The part of the gate that owns its options and its policy."""

    name = "tollgate-policy"

    def __init__(self, changed: Callable[[Notice | None], None]) -> None:
        self.source: PolicySource | None = None
        self.problem = ""
        """Why the policy files as they are now could not be loaded; empty where they are in force."""
        self._changed = changed
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
            self._take(state_folder(ctx.options.tollgate_state))
        except (PolicyError, OSError) as e:
            raise exceptions.OptionsError(str(e)) from e

    def running(self) -> None:
        if self._runtime is None:
            self.configure({"tollgate_policy"})
        self._changed(None)
        self._watch = asyncio_utils.create_task(self._reload(), name="policy watch", keep_ref=True)

    def done(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    def _take(self, state: Path) -> None:
        assert self.source is not None
        policy = self.source.current
        providers = Providers.builtin().with_hosts(policy.file.hosts)
        self.problem = ""
        self._runtime = Runtime(policy, providers, state, Digester(load_key(state)))

    async def _reload(self) -> None:
        while self.source is not None:
            await asyncio.sleep(RELOAD_SECONDS)
            before = self.problem
            if await asyncio.to_thread(self.source.check):
                self._swap()
            elif self.source.problem is not None:
                self.problem = str(self.source.problem)
            if self.problem and self.problem != before:
                self._tell(
                    "policy_invalid", f"the policy is unchanged, its files are not valid: {self.problem}"
                )

    def _swap(self) -> None:
        try:
            self._take(self.runtime().state)
        except (OSError, ValueError) as e:
            self.problem = str(e)
        else:
            self._tell("policy_loaded", f"policy {self.runtime().policy.digest} is in force")

    def _tell(self, code: str, text: str) -> None:
        logger.log(logging.WARNING if code == "policy_invalid" else logging.INFO, "Tollgate: %s", text)
        self._changed(Notice(code, text))
