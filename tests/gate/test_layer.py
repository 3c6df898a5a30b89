"""The stream layer among mitmproxy's own hooks: other addons see, change and end flows as always."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from mitmproxy import http
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers import http as layers
from mitmproxy.proxy.layers.tls import ClientTLSLayer

from support.h2client import h2_client
from support.proxy import CHAT, KEY, Provider, Proxy, behave, chat, tollgate
from tollgate.calls import Call
from tollgate.gate import layer
from tollgate.gate.tidy import Tidy
from tollgate.gate.waiting import wait_for

STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
CUT = {"route": {"broken_stream": "cut"}}


class Other:
    """An addon of mitmproxy's, which notes its hooks, and does in each what it is told."""

    def __init__(self, **acts: Any) -> None:
        self.acts = acts
        self.seen: list[str] = []
        self.flow: http.HTTPFlow | None = None

    def _act(self, hook: str, flow: http.HTTPFlow) -> None:
        self.seen.append(hook)
        self.flow = flow
        if act := self.acts.get(hook):
            act(flow)

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        self._act("requestheaders", flow)

    def request(self, flow: http.HTTPFlow) -> None:
        self._act("request", flow)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        self._act("responseheaders", flow)

    def response(self, flow: http.HTTPFlow) -> None:
        self._act("response", flow)

    def error(self, flow: http.HTTPFlow) -> None:
        self._act("error", flow)


def test_nothing_is_missing_in_this_mitmproxy() -> None:
    assert layer.problem() == ""


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "_NEEDED", {layers.HttpStream: ("send_response", "gone"), dict: ("lost",)})

    assert layer.problem() == "this mitmproxy has no HttpStream.gone, dict.lost"


@STREAM
async def test_other_addons_see_a_call_as_any_flow(tmp_path: Path, provider: Provider, stream: bool) -> None:
    other = Other(responseheaders=lambda flow: flow.response.headers.update({"x-seen": "yes"}))
    async with (
        tollgate(tmp_path, provider, {}, other) as proxy,
        proxy.client().post(CHAT, json=chat(stream=stream), headers=KEY) as response,
    ):
        await response.read()

    assert other.seen == ["requestheaders", "request", "responseheaders", "response"]
    assert response.headers["x-seen"] == "yes"


@STREAM
@pytest.mark.parametrize("store", [True, False])
async def test_a_streamed_body_is_kept_where_mitmproxy_is_told_to(
    tmp_path: Path, provider: Provider, stream: bool, store: bool
) -> None:
    other = Other()
    async with (
        tollgate(tmp_path, provider, {}, other, store_streamed_bodies=store) as proxy,
        proxy.client().post(CHAT, json=chat(stream=stream), headers=KEY) as response,
    ):
        body = await response.read()

    assert other.flow is not None
    assert other.flow.response is not None
    assert other.flow.response.raw_content == (body if store or not stream else None)


@STREAM
async def test_a_flow_that_is_killed_at_its_answer_ends_the_call(
    tmp_path: Path, provider: Provider, stream: bool
) -> None:
    other = Other(responseheaders=lambda flow: flow.kill())
    async with tollgate(tmp_path, provider, {}, other) as proxy:
        with pytest.raises(aiohttp.ClientError):
            await proxy.client().post(CHAT, json=chat(stream=stream), headers=behave(hold="never"))
        records = await proxy.records()

    assert other.seen[-1] == "error"
    assert [record["outcome"] for record in records] == ["abandoned" if stream else "answered"]


@pytest.mark.parametrize("hook", ["requestheaders", "request"])
async def test_where_another_addon_answers_nobody_is_asked(
    tmp_path: Path, provider: Provider, hook: str
) -> None:
    def answer(flow: http.HTTPFlow) -> None:
        flow.response = http.Response.make(418, "mine")

    async with (
        tollgate(tmp_path, provider, {}, Other(**{hook: answer})) as proxy,
        proxy.client().post(CHAT, json=chat(), headers=KEY) as response,
    ):
        text = await response.text()

    assert (response.status, text) == (418, "mine")
    assert provider.simulator.journal.entries == []


async def test_a_flow_that_is_killed_at_its_request_leaves_nothing(
    tmp_path: Path, provider: Provider
) -> None:
    async with tollgate(tmp_path, provider, {}, Other(request=lambda flow: flow.kill())) as proxy:
        with pytest.raises(aiohttp.ClientError):
            await proxy.client().post(CHAT, json=chat(), headers=KEY)

    assert provider.simulator.journal.entries == []


async def test_a_broken_stream_of_bytes_is_cut_for_the_client_too(proxy: Proxy, provider: Provider) -> None:
    """A type that nobody looks into has no way to say an error but to end early."""
    headers = behave(cut=0, content_type="audio/mpeg")
    async with proxy.client().post(CHAT, json=chat(), headers=headers) as response:
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()

    [record] = await proxy.records()
    assert (response.status, record["outcome"]) == (200, "failed")


async def test_one_client_may_ask_again_on_the_same_connection(proxy: Proxy, provider: Provider) -> None:
    client = proxy.client()
    for stream in (True, False, True):
        async with client.post(CHAT, json=chat(stream=stream), headers=KEY) as response:
            assert b"hello" in await response.read()

    assert [r["outcome"] for r in await proxy.records(3)] == ["answered"] * 3


async def test_a_reset_of_one_http2_stream_cancels_only_that_call(proxy: Proxy, provider: Provider) -> None:
    body, journal = json.dumps(chat(stream=True)).encode(), provider.simulator.journal
    async with h2_client(proxy.port, "api.openai.com", proxy.trust) as client:
        leaves, stays = [
            await client.ask("/v1/chat/completions", body, behave(hold="gate")) for _ in range(2)
        ]
        await client.until(lambda: bool(leaves.body and stays.body))
        await client.reset(leaves)
        async with asyncio.timeout(1):
            await journal.wait(1, "disconnected")
        provider.simulator.gates.release("gate")
        await client.until(lambda: stays.ended)

    assert stays.body.endswith(b"data: [DONE]\n\n")
    assert sorted(r["outcome"] for r in await proxy.records(2)) == ["abandoned", "answered"]
    assert sum(bool(entry.disconnected) for entry in journal.entries) == 1


async def test_a_broken_stream_is_cut_for_a_client_of_http1(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, CUT) as proxy:
        async with proxy.client().post(CHAT, json=chat(stream=True), headers=behave(cut=1)) as response:
            first = await response.content.readany()
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()
        [record] = await proxy.records()

    assert (response.status, b"error" in first) == (200, False)
    assert (record["outcome"], record["code"]) == ("failed", "stream_cut")


async def test_a_broken_stream_is_reset_for_a_client_of_http2(tmp_path: Path, provider: Provider) -> None:
    """The connection's other streams go on."""
    async with (
        tollgate(tmp_path, provider, CUT) as proxy,
        h2_client(proxy.port, "api.openai.com", proxy.trust) as client,
        asyncio.timeout(10),
    ):
        body = json.dumps(chat(stream=True)).encode()
        stays = await client.ask("/v1/chat/completions", body, behave(hold="gate"))
        await client.until(lambda: bool(stays.body))
        broken = await client.ask("/v1/chat/completions", body, behave(cut=1))
        await client.until(lambda: broken.reset)
        provider.simulator.gates.release("gate")
        await client.until(lambda: stays.ended)

    assert (broken.status, broken.ended, b"error" in broken.body) == (200, False, False)
    assert b"data: " in broken.body
    assert stays.body.endswith(b"data: [DONE]\n\n")


async def test_an_error_to_a_head_request_leaves_the_connection_usable(proxy: Proxy) -> None:
    """Its body must not be sent: on HTTP/2 it would end the connection with all its streams."""
    async with h2_client(proxy.port, "api.openai.com", proxy.trust) as client:
        head = await client.ask("*", headers=KEY, method="HEAD")
        await client.until(lambda: head.ended)
        get = await client.ask("/v1/models", headers=KEY, method="GET")
        await client.until(lambda: get.ended)

    assert (head.status, bytes(head.body), get.status) == (400, b"", 200)


@pytest.mark.parametrize(
    ("stream", "how"),
    [(False, {}), (True, {}), (False, {"refuse": True})],
    ids=["whole", "streamed", "refused"],
)
async def test_an_ended_call_goes_without_the_collector(
    tmp_path: Path, provider: Provider, stream: bool, how: dict[str, Any]
) -> None:
    flows: list[weakref.ref[http.HTTPFlow]] = []

    class Notes:
        def requestheaders(self, flow: http.HTTPFlow) -> None:
            flows.append(weakref.ref(flow))

    gc.disable()
    try:
        async with tollgate(tmp_path, provider, {}, Tidy(), Notes()) as proxy:
            async with proxy.client().post(CHAT, json=chat(stream=stream), headers=behave(**how)) as response:
                await response.read()
            assert await wait_for(lambda: flows[0]() is None and not _calls(), seconds=5)
    finally:
        gc.enable()


def _calls() -> list[object]:
    """The calls that there are, but for those from before `Tidy` froze what there was."""
    return [thing for thing in gc.get_objects() if isinstance(thing, Call)]


def test_only_tls_that_lies_on_the_socket_itself_is_written_through() -> None:
    inner, outer = object.__new__(ClientTLSLayer), object.__new__(ClientTLSLayer)

    assert layer.only_tls(cast(Context, SimpleNamespace(layers=[object(), inner, object()]))) is inner
    assert layer.only_tls(cast(Context, SimpleNamespace(layers=[outer, object(), inner]))) is None
    assert layer.only_tls(cast(Context, SimpleNamespace(layers=[object()]))) is None
