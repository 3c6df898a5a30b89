"""The addon that makes the calls: last in the chain, nearest the provider."""

from __future__ import annotations

from collections.abc import Mapping

from tollgate.calls import Answer, Call
from tollgate.calls.runtime import Runtime
from tollgate.upstream.attempt import attempt, untouched
from tollgate.upstream.checks import Checks, Doctor
from tollgate.upstream.checkups import subjects_of
from tollgate.upstream.client import Client
from tollgate.upstream.journey import Journey
from tollgate.upstream.keys import Keys
from tollgate.upstream.turns import Turns
from tollgate.upstream.visit import Visitor


class Upstream:
    """Answers every call that no room above has answered, by asking the provider."""

    name = "upstream"
    llm_last = True
    """`Gate` sorts it behind every other addon, a user's own too."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._visitor: Visitor | None = None
        self._keys = self._prepared = Keys({})
        self._turns = Turns()
        self._checks = Checks(())

    def llm_prepare(self, runtime: Runtime) -> None:
        """Read the policy's keys. ValueError where one cannot be had."""
        credentials = runtime.policy.file.credentials
        same = credentials == self._keys.credentials
        self._prepared = self._keys if same else Keys(credentials)

    def llm_setup(self, runtime: Runtime) -> None:
        """Take over the policy's `upstream` part. ValueError, and no change, where it cannot be used."""
        settings, subjects = runtime.policy.file.upstream, subjects_of(runtime)
        before = self._client
        if before is None or before.settings != settings:
            self._client = Client(settings)
            if before is not None:
                before.retire()
        assert self._client is not None
        self._keys = self._prepared
        self._visitor = Visitor(self._client, self._keys, self._turns, runtime.providers)
        self._checks.stop()
        self._checks = Checks(subjects, self._checks)
        self._checks.start(Doctor(self._client, self._keys, runtime.providers))
        runtime.checkups.update(self._checks.checkups)

    async def llm_request(self, call: Call) -> None:
        if self._client is None or self._visitor is None:
            raise RuntimeError("the gate calls llm_setup before the first call")
        call.answer = await walk(self._client, self._visitor, call)

    def llm_health(self) -> Mapping[str, object]:
        """How the targets do that are checked. A target that is left alone turns no call away by itself."""
        return {"ok": True, "targets": self._checks.health()}

    def done(self) -> None:
        self._checks.stop()
        if self._client is not None:
            self._client.close()


async def walk(client: Client, visitor: Visitor, call: Call) -> Answer:
    """Ask where the call may go: its plan; without one, the host that the client asked for, once."""
    if call.plan:
        return await Journey(call, visitor).run()
    return await attempt(client, call, *untouched(call))
