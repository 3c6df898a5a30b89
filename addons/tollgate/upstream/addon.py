"""The addon that makes the calls: last in the chain, nearest the provider."""

from __future__ import annotations

from tollgate.calls import Answer, Call
from tollgate.calls.runtime import Runtime
from tollgate.upstream.attempt import attempt
from tollgate.upstream.client import Client


class Upstream:
    """Answers every call that no room above has answered, by asking the provider."""

    name = "upstream"
    llm_last = True
    """`Gate` sorts it behind every other addon, a user's own too."""

    def __init__(self) -> None:
        self._client: Client | None = None

    def llm_setup(self, runtime: Runtime) -> None:
        """Take over the policy's `upstream` part. ValueError, and no change, where it cannot be used."""
        settings = runtime.policy.file.upstream
        before = self._client
        if before is None or before.settings != settings:
            self._client = Client(settings)
            if before is not None:
                before.retire()

    async def llm_request(self, call: Call) -> None:
        if self._client is None:
            raise RuntimeError("the gate calls llm_setup before the first call")
        call.answer = await walk(self._client, call)

    def done(self) -> None:
        if self._client is not None:
            self._client.close()


async def walk(client: Client, call: Call) -> Answer:
    """Try the call's targets in order until one answers. There is one: the host that the client asked for."""
    return await attempt(client, call, call.request)
