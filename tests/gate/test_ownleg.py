"""mitmproxy's own connections: whom they trust, and where they go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import certifi
import pytest
from aiohttp import web
from mitmproxy.connection import Server

from support.certs import Authority, server_context, written
from support.proxy import KEY, LOOPBACK, Provider, tollgate
from tollgate.gate.ownleg import prepare, trusted_authorities, two_ways
from tollgate.policy import PolicyFile, Upstream


def upstream(**settings: Any) -> Upstream:
    return PolicyFile.model_validate({"upstream": settings}).upstream


def test_it_trusts_the_public_authorities_where_the_policy_names_no_other(tmp_path: Path) -> None:
    assert trusted_authorities(upstream(resolve={"a.test": {"address": LOOPBACK}}), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_it_trusts_those_of_the_policy_besides_the_public_ones(tmp_path: Path) -> None:
    one, two = written(tmp_path / "one.pem", b"one"), written(tmp_path / "two.pem", b"two")
    places = {"a.test": {"address": LOOPBACK, "ca": two}, "b.test": {"address": LOOPBACK, "ca": two}}

    bundle = trusted_authorities(upstream(ca=one, resolve=places), tmp_path)

    assert bundle is not None
    public = Path(certifi.where()).read_bytes()
    assert bundle.read_bytes() == public + b"\none\ntwo"


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"ca": "nope.pem"}, "upstream.ca"),
        ({"resolve": {"a.test": {"address": "b.test", "ca": "nope.pem"}}}, "upstream.resolve.a.test.ca"),
    ],
)
def test_a_file_that_is_not_there_is_told_with_its_key(
    tmp_path: Path, settings: dict[str, Any], key: str
) -> None:
    with pytest.raises(ValueError, match=f"{key}: nope.pem cannot be read: No such file"):
        trusted_authorities(upstream(**settings), tmp_path)


@pytest.mark.parametrize(
    ("place", "address"),
    [({"address": "192.0.2.1"}, ("192.0.2.1", 443)), ({"address": "x.test", "port": 8443}, ("x.test", 8443))],
)
async def test_it_goes_where_the_policy_says(place: dict[str, Any], address: tuple[str, int]) -> None:
    server = Server(address=("API.openai.com", 443))

    await prepare(server, upstream(resolve={"api.OpenAI.com": place}))

    assert (server.address, server.error) == (address, None)


@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "fe80::1"])
async def test_it_goes_to_no_forbidden_address(host: str) -> None:
    server = Server(address=(host, 80))

    await prepare(server, upstream())

    assert "link-local or cloud-metadata" in (server.error or "")


@pytest.mark.parametrize("host", [LOOPBACK, "name.invalid"])
async def test_other_hosts_are_left_to_mitmproxy(host: str) -> None:
    server = Server(address=(host, 80))

    await prepare(server, upstream())

    assert (server.address, server.error) == ((host, 80), None)


async def test_behind_an_egress_proxy_names_are_not_looked_up_here() -> None:
    server = Server(address=("169.254.169.254", 80), via=("http", ("proxy.test", 3128)))

    await prepare(server, upstream())

    assert server.error is None


async def test_a_connection_without_a_target_has_nothing_to_prepare() -> None:
    server = Server(address=None)

    await prepare(server, upstream())

    assert server.error is None


async def test_a_websocket_that_the_policy_lets_through_reaches_its_server(
    tmp_path: Path, provider: Provider
) -> None:
    authority, host = Authority("realtime"), "api.openai.com"
    runner = web.AppRunner(echo_app(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0, ssl_context=server_context(tmp_path, authority, host)).start()
    ca = written(tmp_path / "realtime.pem", authority.pem)
    place = {"address": LOOPBACK, "port": runner.addresses[0][1], "ca": str(ca)}
    policy = {"websocket": "pass", "upstream": {"resolve": {host: place}}}

    async with tollgate(tmp_path, provider, policy) as proxy:
        async with proxy.client().ws_connect(f"https://{host}/v1/realtime?model=gpt-6", headers=KEY) as ws:
            await ws.send_str("hello")
            await ws.send_bytes(b"\x00\xff")
            echoed = [(await ws.receive()).data for _ in range(2)]
        [record] = await proxy.records()
        coverage = proxy.master.gate.report()["coverage"]
    await runner.cleanup()

    assert echoed == ["hello", b"\x00\xff"]
    assert (record["kind"], record["sight"], record["host"]) == ("connection", "websocket", host)
    assert coverage == {"websocket": 1}


def echo_app() -> web.Application:
    async def echo(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async for message in ws:
            if message.type is aiohttp.WSMsgType.TEXT:
                await ws.send_str(message.data)
            else:
                await ws.send_bytes(message.data)
        return ws

    app = web.Application()
    app.router.add_get("/v1/realtime", echo)
    return app


EGRESS = "http://proxy.test:3128"


@pytest.mark.parametrize(
    ("proxy", "modes", "said"),
    [
        (None, ["regular"], ""),
        (EGRESS, [f"upstream:{EGRESS}/"], ""),
        (EGRESS, [f"upstream:{EGRESS}@8080"], ""),
        (EGRESS, ["regular"], f"calls leave through {EGRESS}, as upstream.proxy says, but tunnels"),
        (
            None,
            ["regular", f"upstream:{EGRESS}"],
            "calls leave straight, as upstream.proxy says, but tunnels",
        ),
        (EGRESS, ["upstream:http://old.test"], "gRPC through http://old.test. Start Tollgate anew"),
    ],
)
def test_that_calls_leave_another_way_than_the_rest_is_told(
    proxy: str | None, modes: list[str], said: str
) -> None:
    told = two_ways(upstream(proxy=proxy), modes)

    assert said in told
    assert bool(said) == bool(told)
