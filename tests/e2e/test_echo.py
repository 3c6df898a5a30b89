"""Whole calls in every dialect, through a real proxy, to a provider whose model is an echo.

Whatever a text holds and however the answer is cut: the provider sees no value, and the client gets back what
it sent, as text and within a tool's arguments.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import aiohttp
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.providers import HOSTS
from support.certs import Authority, server_context, written
from support.dialect_wire import ASKED, Asked
from support.echoes import pieces
from support.proxy import Provider as Place
from support.proxy import Proxy, tollgate
from support.wire import LAST_CHUNK, Peer, Wire, answer, chunk, head

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("echo")]

EXAMPLES = 30
PLANTED = (
    "ada.lovelace@analytical-engines.io",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "+44 20 7946 0958",
    "ghp_n0rT3aLt0k3nOfAnybodyAtAllReally7777",
    "postgres://app:n0t-A-r3al-pa55@db.acme.corp/x",
)
"""Nobody's."""
KEYS = {"authorization": "Bearer nobody", "x-api-key": "k", "anthropic-version": "2023-06-01"}
TEXTS = st.lists(st.one_of(st.text(max_size=12), st.sampled_from(PLANTED)), min_size=1, max_size=8)
CUTS = st.lists(st.integers(0, 300), max_size=20)


@dataclass
class Echoing:
    """The provider: answers as the example that is under way says."""

    asked: Asked
    text: Sequence[int] = ()
    arguments: Sequence[int] = ()
    wire: Sequence[int] = ()
    """Where the text, the arguments and the bytes of the answer are cut."""
    seen: list[bytes] = field(default_factory=list)

    async def script(self, peer: Peer) -> None:
        self.seen.append(peer.request.body)
        said = self.asked.answer(peer.request.body, self.text, self.arguments)
        if self.asked.framing is None:
            await peer.send(answer(said))
            return
        await peer.send(head(self.asked.framing.content_type))
        for piece in pieces(said.decode("latin-1"), self.wire):
            await peer.send(chunk(piece.encode("latin-1")) if piece else b"")
        await peer.send(LAST_CHUNK)


@dataclass
class Stage:
    proxy: Proxy
    provider: Echoing
    client: aiohttp.ClientSession

    async def call(self, text: str) -> bytes:
        asked = self.provider.asked
        async with self.client.post(asked.url, json=asked.body(text), headers=KEYS) as response:
            body = await response.read()
        assert response.status == 200, body
        return body


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder, authority = tmp_path_factory.mktemp("echo"), Authority()
    provider = Echoing(next(iter(ASKED.values())))
    ca = written(folder / "provider-ca.pem", authority.pem)
    policy = {
        "hosts": [{"host": "ollama.test", "provider": "ollama"}],
        "dlp": {"enabled": True, "on_unrewritable": "allow"},  # the texts are wild, and no refusal is meant
    }
    async with Wire(provider.script, server_context(folder, authority, *HOSTS)) as wire:
        place = Place(None, wire.port, 0, ca)  # type: ignore[arg-type]  # nobody simulates here
        async with tollgate(folder, place, policy) as proxy:
            yield Stage(proxy, provider, proxy.client())


@pytest.mark.parametrize("name", ASKED)
async def test_what_an_echo_says_comes_back_and_no_value_left(name: str, stage: Stage) -> None:
    loop, provider = asyncio.get_running_loop(), stage.provider
    provider.asked = ASKED[name]

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(parts=TEXTS, text=CUTS, arguments=CUTS, wire=CUTS)
    def examples(parts: list[str], text: list[int], arguments: list[int], wire: list[int]) -> None:
        provider.text, provider.arguments, provider.wire = text, arguments, wire
        said = "\n\n".join(parts)
        body = asyncio.run_coroutine_threadsafe(stage.call(said), loop).result(10)

        got, in_arguments = provider.asked.read(body)
        assert got == said
        assert in_arguments in (None, [said])
        sent = provider.seen[-1].decode()
        assert [value for value in PLANTED if value in parts and value in sent] == []

    await asyncio.to_thread(examples)
