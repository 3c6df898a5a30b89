"""Calls that are recorded and answered from recordings, through a whole proxy."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from mitmproxy import connection, exceptions
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from support.proxy import CHAT, KEY, LOOPBACK, Provider, Proxy, behave, chat, simulated_provider, tollgate
from support.upstream import make_call
from tollgate.cache.addon import Cache
from tollgate.cache.cassettes.addon import Cassettes, Settings, redacted, secrets_of
from tollgate.calls import Runtime
from tollgate.policy import Policy
from tollgate.policy.schema import PolicyFile
from tollgate.providers import Providers
from tollgate.store import Digester

PLANTED = "jane.planted@acme-mail.com"
ON: dict[str, Any] = {"dlp": {"enabled": True}, "detection": {"tokens": "numbered"}}
MODELS = "https://api.openai.com/v1/models"
FORMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[Provider]:
    async with simulated_provider(tmp_path) as provider:
        yield provider


class Tape:
    """A proxy with cassettes."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy

    @property
    def counts(self) -> dict[str, int]:
        cache: Cache = self.proxy.master.addons.get("cache")
        return dict(cache.addons[0].counts)

    async def ask(
        self, body: Mapping[str, Any], headers: Mapping[str, str] = KEY, url: str = CHAT
    ) -> tuple[int, str]:
        async with self.proxy.client().post(url, json=body, headers=headers) as response:
            return response.status, await response.text()


@asynccontextmanager
async def tape(
    folder: Path, provider: Provider, mode: str, policy: Mapping[str, Any] = ON, **options: Any
) -> AsyncIterator[Tape]:
    chosen = {f"tollgate_cassette_{name}": value for name, value in options.items()}
    cassettes = str(folder / "cassettes")
    async with tollgate(
        folder, provider, policy, tollgate_cassettes=cassettes, tollgate_cassette_mode=mode, **chosen
    ) as proxy:
        yield Tape(proxy)


def files(folder: Path) -> list[str]:
    return [path.read_text() for path in sorted((folder / "cassettes").glob("*.json"))]


def elsewhere(folder: Path) -> Path:
    """Another machine, with the same recordings and another key."""
    other = folder / "other"
    other.mkdir()
    (other / "cassettes").symlink_to(folder / "cassettes")
    return other


def asked(provider: Provider) -> int:
    return len(provider.simulator.journal.entries)


@FORMS
async def test_what_is_recorded_is_answered_elsewhere_with_the_callers_own_values(
    tmp_path: Path, provider: Provider, stream: bool
) -> None:
    body = chat(f"write to {PLANTED} please", stream=stream)
    async with tape(tmp_path, provider, "new") as recorded:
        first = await recorded.ask(body)
    async with tape(elsewhere(tmp_path), provider, "none") as replayed:
        second = await replayed.ask(body)
        [record] = await replayed.proxy.records(1)
        counts = replayed.counts

    assert first == second
    assert first[0] == 200
    assert PLANTED in text_of(second[1])
    assert asked(provider) == 1
    assert [PLANTED in text or KEY["authorization"] in text for text in files(tmp_path)] == [False]
    assert counts == {"replayed": 1}
    assert ("usage" in record) == (not stream)  # of a stream nobody asked for it
    assert "replayed" in [verdict["code"] for verdict in record["verdicts"]]


def text_of(answer: str) -> str:
    lines = [line[6:] for line in answer.splitlines() if line.startswith("data: {")] or [answer]
    choices = [choice for line in lines for choice in json.loads(line)["choices"]]
    return "".join((c.get("delta") or c.get("message") or {}).get("content") or "" for c in choices)


async def test_answers_to_the_same_are_given_in_their_order(tmp_path: Path, provider: Provider) -> None:
    async with tape(tmp_path, provider, "once") as recorded:
        told = [await recorded.ask(chat(), behave(text=word)) for word in ("one", "two")]
        told.append(await recorded.ask(chat(), behave(status=500)))
    async with tape(tmp_path, provider, "once") as replayed:
        again = [await replayed.ask(chat()) for _ in range(4)]

    assert again == [*told, told[-1]]
    assert [status for status, _ in told] == [200, 200, 500]
    assert asked(provider) == 3


async def test_an_unknown_call_is_refused_with_what_differs(
    tmp_path: Path, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    async with tape(tmp_path, provider, "new") as recorded:
        await recorded.ask(chat(f"mail {PLANTED}"))
    async with tape(tmp_path, provider, "none") as replayed:
        status, text = await replayed.ask(chat(f"male {PLANTED}"))
        counts = replayed.counts
        *_, record = await replayed.proxy.records(2)

    message = json.loads(text)["error"]["message"]
    assert status == 400
    assert "This call is not recorded in cassettes" in message
    assert 'body.messages[0].content: recorded "mail qzxe' in message
    assert 'asked "male qzxe' in message
    assert PLANTED not in message
    assert asked(provider) == 1
    assert counts == {"unknown": 1}
    # whoever runs the test may see it; the trail and the logs are others' to read
    assert "differs in body.messages[0].content." in record["error"]
    assert [verdict["reason"] for verdict in record["verdicts"] if verdict["code"] == "not_recorded"] == [
        record["error"]
    ]
    for kept in (json.dumps(record), caplog.text):
        assert [word for word in ("mail", "male", "qzxe", PLANTED) if word in kept] == []


async def test_observe_mode_and_open_rooms_let_nothing_out_either(tmp_path: Path, provider: Provider) -> None:
    async with tape(tmp_path, provider, "new") as recorded:
        await recorded.ask(chat())
    policy = {**ON, "mode": "observe", "on_error": {"cache": "open"}}
    async with tape(tmp_path, provider, "none", policy) as replayed:
        assert (await replayed.ask(chat("unknown")))[0] == 400

    assert asked(provider) == 1


async def test_new_calls_are_added_to_what_there_is(tmp_path: Path, provider: Provider) -> None:
    async with tape(tmp_path, provider, "new") as recorded:
        await recorded.ask(chat("one"))
    async with tape(tmp_path, provider, "new") as more:
        await more.ask(chat("one"))
        await more.ask(chat("two"))
        counts = more.counts

    assert asked(provider) == 2
    assert counts["replayed"] == 1
    assert len(files(tmp_path)) == 2


async def test_a_request_without_a_body_and_large_ones_are_recorded_too(
    tmp_path: Path, provider: Provider
) -> None:
    large = chat("many words " * 4000)
    for mode in ("new", "none"):
        async with tape(tmp_path, provider, mode) as one:
            async with one.proxy.client().get(MODELS, headers=KEY) as response:
                assert response.status < 500
            assert (await one.ask(large))[0] == 200

    assert asked(provider) == 2
    assert len(files(tmp_path)) == 2


async def test_what_is_not_redacted_is_not_recorded(tmp_path: Path, provider: Provider) -> None:
    rule = {"name": "plain", "when": {"model": "gpt-6"}, "set": {"dlp": {"enabled": False}}}
    async with tape(tmp_path, provider, "new", {**ON, "rules": [rule]}) as recorded:
        status, text = await recorded.ask(chat())

    assert status == 400
    assert "--unredacted" in text
    assert asked(provider) == 0
    assert files(tmp_path) == []


async def test_unless_that_is_wanted(tmp_path: Path, provider: Provider) -> None:
    async with tape(tmp_path, provider, "new", {}, unredacted=True) as recorded:
        assert (await recorded.ask(chat(PLANTED)))[0] == 200

    assert [PLANTED in text for text in files(tmp_path)] == [True]


@pytest.mark.parametrize("behaviour", [{"cut": 2}, {"error_after": 2}])
async def test_an_answer_that_breaks_off_is_not_recorded(
    tmp_path: Path, provider: Provider, behaviour: dict[str, Any]
) -> None:
    async with tape(tmp_path, provider, "new") as recorded:
        await recorded.ask(chat(stream=True), behave(**behaviour))
        await recorded.proxy.records(1)
        counts = recorded.counts

    assert files(tmp_path) == []
    assert counts == {"left": 1}


async def test_an_answer_that_quotes_the_credential_is_not_recorded(
    tmp_path: Path, provider: Provider
) -> None:
    async with tape(tmp_path, provider, "new") as recorded:
        await recorded.ask(chat(), behave(text="wrong key: sk-of-nobody"))
        counts = recorded.counts

    assert files(tmp_path) == []
    assert counts == {"left": 1}


@FORMS
async def test_what_a_model_wrote_of_its_own_accord_is_redacted_in_the_file_too(
    tmp_path: Path, provider: Provider, stream: bool
) -> None:
    other = "john.other@acme-mail.com"
    said = f"You are {PLANTED}, and I am {other}."
    async with tape(tmp_path, provider, "new") as recorded:
        status, live = await recorded.ask(chat(f"I am {PLANTED}", stream=stream), behave(text=said, split=7))
    async with tape(elsewhere(tmp_path), provider, "none") as replayed:
        _, again = await replayed.ask(chat(f"I am {PLANTED}", stream=stream))

    [file] = files(tmp_path)
    assert (status, text_of(live)) == (200, said)
    assert "acme-mail" not in file
    assert f"You are {PLANTED}, and I am qzxe" in text_of(again)


async def test_what_is_no_json_is_left_and_then_refused(tmp_path: Path, provider: Provider) -> None:
    url = "https://api.openai.com/v1/audio/transcriptions"
    async with tape(tmp_path, provider, "new") as recorded:
        await recorded.ask(chat())
        async with recorded.proxy.client().post(url, data=form(), headers=KEY) as response:
            assert response.status != 400
        assert recorded.counts["left"] == 1
    async with (
        tape(tmp_path, provider, "none") as replayed,
        replayed.proxy.client().post(url, data=form(), headers=KEY) as response,
    ):
        assert "Only bodies of JSON are recorded" in await response.text()


def form() -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("file", b"some text", filename="a.txt", content_type="text/plain")
    return form


async def test_what_clients_tell_of_themselves_is_neither_recorded_nor_missed(
    tmp_path: Path, provider: Provider
) -> None:
    telemetry = "https://api.anthropic.com/api/event_logging/batch"
    async with tape(tmp_path, provider, "new") as recorded:
        await recorded.ask(chat())
        await recorded.ask({"events": []}, url=telemetry)
        assert recorded.counts["left"] == 1
    async with tape(tmp_path, provider, "none") as replayed:
        assert (await replayed.ask({"events": []}, url=telemetry))[0] == 400
        counts = replayed.counts

    assert len(files(tmp_path)) == 1
    assert counts == {"left": 1}


async def test_a_stream_may_keep_its_pace(tmp_path: Path, provider: Provider) -> None:
    async with tape(tmp_path, provider, "new") as recorded:
        first = await recorded.ask(chat(stream=True), behave(text="a b c", gap=0.05))
    async with tape(tmp_path, provider, "none", pace="original") as replayed:
        again = await replayed.ask(chat(stream=True))
        record = (await replayed.proxy.records(2))[-1]

    assert first == again
    assert record["ms"]["total"] >= 100


async def test_the_cache_gives_nothing_while_calls_are_recorded(tmp_path: Path, provider: Provider) -> None:
    policy = {**ON, "cache": {"enabled": True}}
    async with tape(tmp_path, provider, "new", policy) as recorded:
        for _ in range(2):
            await recorded.ask(chat())

    assert asked(provider) == 2
    assert len(files(tmp_path)) == 2


async def test_a_file_that_cannot_be_written_is_counted_and_told(
    tmp_path: Path, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    async with tape(tmp_path, provider, "new") as recorded:
        (tmp_path / "cassettes").rmdir()
        (tmp_path / "cassettes").write_text("a file in the folder's place")
        cassettes: Cassettes = recorded.proxy.master.addons.get("cache").addons[0]
        assert (await recorded.ask(chat()))[0] == 200

    assert dict(cassettes.counts) == {"lost": 1}
    assert "A call was not recorded" in caplog.text


async def test_without_a_record_mode_mitmproxy_itself_connects_to_nobody(
    tmp_path: Path, provider: Provider
) -> None:
    async with tape(tmp_path, provider, "new") as recorded:
        await recorded.ask(chat())
    async with tape(tmp_path, provider, "none") as replayed:
        with pytest.raises(aiohttp.ClientError):
            await replayed.proxy.client().get(f"https://{LOOPBACK}:{provider.port}/")


@pytest.mark.parametrize(("mode", "blocked"), [("none", True), ("new", False)])
async def test_only_who_records_may_connect(
    tmp_path: Path, provider: Provider, mode: Any, blocked: bool
) -> None:
    async with tape(tmp_path, provider, "new") as recorded:
        await recorded.ask(chat())
    cassettes = Cassettes(Settings(tmp_path / "cassettes", mode))
    server = connection.Server(address=("api.openai.com", 443))
    client = connection.Client(peername=("", 1), sockname=("", 2), timestamp_start=0)

    cassettes.server_connect(ServerConnectionHookData(server, client))

    assert bool(server.error) == blocked


@pytest.mark.parametrize(
    ("policy", "good"),
    [
        ({"dlp": {"enabled": True}}, True),
        ({}, False),
        ({"dlp": {"enabled": True}, "mode": "observe"}, False),
    ],
)
def test_redacted_is_what_is_looked_into_and_changed(policy: dict[str, Any], good: bool) -> None:
    assert redacted(make_call(policy=policy)) == good


def test_schemes_and_short_words_are_no_credentials() -> None:
    call = make_call()
    call.client_request.headers["Authorization"] = "Bearer sk-of-nobody"
    call.client_request.headers["Cookie"] = "a=1"

    assert secrets_of(call.client_request) == {b"sk-of-nobody"}


@pytest.mark.parametrize(
    ("policy", "unredacted", "good"),
    [({}, False, False), ({}, True, True), ({"detection": {"tokens": "numbered"}}, False, True)],
)
def test_tokens_that_are_tied_to_this_machine_are_not_recorded(
    tmp_path: Path, policy: dict[str, Any], unredacted: bool, good: bool
) -> None:
    runtime = Runtime(
        Policy(PolicyFile.model_validate(policy)), Providers.builtin(), tmp_path, Digester(bytes(32))
    )
    cassettes = Cassettes(Settings(tmp_path, "new", unredacted=unredacted))

    with contextlib.nullcontext() if good else pytest.raises(ValueError, match="tokens: numbered"):
        cassettes.llm_prepare(runtime)


async def test_a_folder_without_recordings_is_told_at_once(tmp_path: Path, provider: Provider) -> None:
    with pytest.raises(exceptions.OptionsError, match="There are no recordings"):
        async with tape(tmp_path, provider, "none"):
            pass


async def test_cassettes_may_be_changed_while_the_proxy_runs(tmp_path: Path, provider: Provider) -> None:
    async with tape(tmp_path, provider, "new") as recorded:
        await recorded.ask(chat())
        recorded.proxy.master.options.update(tollgate_cassettes="")
        await recorded.ask(chat())

    assert asked(provider) == 2
    assert len(files(tmp_path)) == 1
