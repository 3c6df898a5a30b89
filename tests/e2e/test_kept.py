"""What a provider keeps, through a real proxy: later calls name it by an id, and have the values again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from simulator.providers import HOSTS
from support.certs import Authority, server_context, written
from support.proxy import KEY, tollgate
from support.proxy import Provider as Place
from support.wire import LAST_CHUNK, Peer, Wire, answer, chunk, head
from tollgate.calls.standins import SHAPE

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("echo")]

API = "https://api.openai.com/v1"
MAIL = "ada.lovelace@analytical-engines.io"
CARD = "4111 1111 1111 1111"
"""Nobody's."""


@dataclass
class Keeping:
    """A provider that keeps all that it is sent, and says all of it to whoever asks for anything."""

    kept: list[str] = field(default_factory=list)
    made: dict[str, str] = field(default_factory=dict)
    """More fields of its next answer."""

    async def script(self, peer: Peer) -> None:
        body = peer.request.body.decode()
        assert MAIL not in body
        assert CARD not in body
        self.kept += (found[0] for found in SHAPE.finditer(body))
        said = json.dumps({**self.made, "said": self.kept}).encode()
        if "/content " not in peer.request.line:
            await peer.send(answer(said))
            return
        await peer.send(head("application/octet-stream"))
        for at in range(0, len(said), 9):
            await peer.send(chunk(said[at : at + 9]))
        await peer.send(LAST_CHUNK)


@dataclass
class Stage:
    client: aiohttp.ClientSession
    provider: Keeping

    async def ask(self, path: str, body: Any = None, **made: str) -> list[str]:
        """The values that come back. GET without a body; `made` are fields of the answer."""
        self.provider.made = made
        sent = {"data": body} if isinstance(body, aiohttp.FormData) else {"json": body}
        method, sent = ("POST", sent) if body else ("GET", {})
        async with self.client.request(method, API + path, headers=KEY, **sent) as response:
            text = await response.read()
        assert response.status == 200, text
        said: list[str] = json.loads(text)["said"]
        return said


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder, authority, provider = tmp_path_factory.mktemp("kept"), Authority(), Keeping()
    ca = written(folder / "provider-ca.pem", authority.pem)
    async with Wire(provider.script, server_context(folder, authority, *HOSTS)) as wire:
        place = Place(None, wire.port, 0, ca)  # type: ignore[arg-type]  # nobody simulates here
        async with tollgate(folder, place, {"dlp": {"enabled": True}}) as proxy:
            yield Stage(proxy.client(), provider)


async def test_a_response_is_fetched_and_gone_on_from_with_its_values(stage: Stage) -> None:
    stage.provider.kept.clear()
    await stage.ask("/responses", {"model": "gpt-6", "input": f"I am {MAIL}"}, id="resp_1")

    assert await stage.ask("/responses/resp_1") == [MAIL]
    more = {"model": "gpt-6", "input": CARD, "previous_response_id": "resp_1"}
    assert await stage.ask("/responses", more, id="resp_2") == [MAIL, CARD]
    assert await stage.ask("/responses/resp_2/input_items") == [MAIL, CARD]


async def test_what_is_added_to_a_conversation_does_not_make_it_forget(stage: Stage) -> None:
    stage.provider.kept.clear()
    await stage.ask("/conversations", {"items": [{"content": MAIL}]}, id="conv_1")

    assert await stage.ask("/conversations/conv_1/items", {"items": [{"content": CARD}]}) == [MAIL, CARD]
    assert await stage.ask("/responses", {"model": "gpt-6", "input": "?", "conversation": "conv_1"}) == [
        MAIL,
        CARD,
    ]
    assert await stage.ask("/conversations/conv_1/items") == [MAIL, CARD]


async def test_the_results_of_a_batch_have_the_values_of_its_file(stage: Stage) -> None:
    stage.provider.kept.clear()
    form = aiohttp.FormData()
    form.add_field("purpose", "batch")
    lines = json.dumps({"body": {"messages": [{"content": f'"{MAIL}"'}]}}) + "\n"
    form.add_field("file", lines.encode(), filename="in.jsonl", content_type="application/jsonl")
    await stage.ask("/files", form, id="file-in")
    await stage.ask("/batches", {"input_file_id": "file-in", "endpoint": "/v1/x"}, id="batch_1")
    await stage.ask("/batches/batch_1", id="batch_1", output_file_id="file-out")

    assert await stage.ask("/files/file-out/content") == [MAIL]
