from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import orjson
import pytest

from support.recorded import events_of
from support.upstream import make_call, make_request
from tollgate.calls import Call, Event, Usage
from tollgate.cost import estimate as module
from tollgate.cost.asked import Asked
from tollgate.cost.asked import asked as read_asked
from tollgate.cost.estimate import OFF_LOOP, Estimator
from tollgate.policy.cost import CountingSettings

HELLO = {"model": "gpt-5.4", "messages": [{"role": "user", "content": "Hello world"}]}
LONG = "It was a bright cold day in November. " * 200


class Words:
    """Counts words: what an estimator makes of counts does not depend on whose they are."""

    def __init__(self, folder: Path | None = None) -> None:
        self.loaded = True

    def ready(self, encoding: str) -> bool:
        return self.loaded

    def count(self, text: str, encoding: str) -> int:
        return len(text.split())


@pytest.fixture(autouse=True)
def words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Counter", Words)


@pytest.fixture
def estimator() -> Estimator:
    return Estimator(CountingSettings())


def call_with(body: Any, model: str = "gpt-5.4", speaks: str = "openai-chat") -> Call:
    call = make_call(make_request(orjson.dumps(body)), speaks=speaks, stream=True)
    call.model = model
    call.request.body.parse(call.dialect.shape)
    return call


def prompt(text: str, model: str = "gpt-5.4") -> Call:
    return call_with({"messages": [{"role": "user", "content": text}]}, model)


async def test_a_call_will_use_its_texts_and_all_the_output_it_allows(estimator: Estimator) -> None:
    usage = await estimator.before(call_with({**HELLO, "max_tokens": 70, "service_tier": "flex"}))

    around = 6 + 4  # the request, and one message
    assert usage == Usage(input=2 + around, output=70, tier="flex", estimated=True)


async def test_a_request_without_a_limit_is_expected_to_have_the_policys() -> None:
    usage = await Estimator(CountingSettings(output=123)).before(call_with(HELLO))

    assert usage.output == 123


async def test_claude_counts_more_for_the_same_text(estimator: Estimator) -> None:
    body = {**HELLO, "tools": [{"name": "f"}, {"name": "g"}]}
    usage = await estimator.before(call_with(body, "claude-opus-5-5", "anthropic-messages"))

    assert usage.input == round(2 * 1.7) + 6 + 2 + 450 + 2 * 53


async def test_pictures_count_beside_the_text(estimator: Estimator) -> None:
    content = [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]

    usage = await estimator.before(call_with({"messages": [{"role": "user", "content": content}]}))
    assert usage.input == 1_600 + 6 + 4


async def test_a_body_that_is_no_json_has_nothing_to_count(estimator: Estimator) -> None:
    assert await estimator.before(make_call()) == Usage(estimated=True)


@pytest.mark.parametrize(
    ("text", "loaded", "inline"),
    [("short", True, True), ("short", False, False), ("a " * OFF_LOOP, True, False)],
)
async def test_what_takes_long_is_counted_off_the_loop(
    estimator: Estimator, monkeypatch: pytest.MonkeyPatch, text: str, loaded: bool, inline: bool
) -> None:
    ran_in = []

    def spy(call: Call) -> Asked:
        ran_in.append(threading.current_thread())
        return read_asked(call)

    monkeypatch.setattr(module, "asked", spy)
    monkeypatch.setattr(Words, "ready", lambda self, encoding: loaded)
    await estimator.before(prompt(text))

    assert (ran_in == [threading.main_thread()]) is inline


# -- what is learned -----------------------------------------------------------------------------------------


async def test_what_a_provider_says_is_learned(estimator: Estimator) -> None:
    call = prompt(LONG)
    await estimator.before(call)
    estimator.observe(call, Usage(input=1_000, cache_read=1_400))

    told = await estimator.before(prompt(LONG))
    assert told.input == 2_400


async def test_one_call_does_not_outweigh_all_before_it(estimator: Estimator) -> None:
    for said in (1_600, 3_200):
        call = prompt(LONG)
        await estimator.before(call)
        estimator.observe(call, Usage(input=said))

    told = await estimator.before(prompt(LONG))
    assert told.input == 1_600 + 0.2 * 1_600


@pytest.mark.parametrize(("said", "most"), [(500_000, 3.0), (201, 0.7)])
async def test_what_was_in_no_text_teaches_nothing_wild(estimator: Estimator, said: int, most: float) -> None:
    """A conversation that the provider keeps, or a prompt of its own."""
    call = prompt(LONG)
    await estimator.before(call)
    estimator.observe(call, Usage(input=said))

    assert (await estimator.before(prompt(LONG))).input == pytest.approx(1_600 * most, abs=1)


async def test_some_calls_teach_nothing(estimator: Estimator) -> None:
    never_counted, short, estimated, pictured, nameless, continued = (
        prompt(LONG),
        prompt("Hi"),
        prompt(LONG),
        call_with(
            {"messages": [{"content": [{"text": LONG}, {"image_url": {"url": "https://example.com/a"}}]}]}
        ),
        prompt(LONG, "m" * 300),
        call_with({"input": LONG, "previous_response_id": "resp_1"}, speaks="openai-responses"),
    )
    for call in (short, estimated, pictured, nameless, continued):
        await estimator.before(call)
    for call in (never_counted, short, pictured, nameless, continued):
        estimator.observe(call, Usage(input=3_000))
    estimator.observe(estimated, Usage(input=3_000, estimated=True))

    assert estimator._factors == {}


async def test_no_more_models_are_kept_than_fit(
    estimator: Estimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MODELS", 2)
    for name in ("a", "b", "c"):
        call = prompt(LONG, name)
        await estimator.before(call)
        estimator.observe(call, Usage(input=2_000))

    assert [model for _, model in estimator._factors] == ["b", "c"]


# -- answers that were cut off -------------------------------------------------------------------------------


def pass_by(estimator: Estimator, call: Call, name: str, events: int) -> None:
    """The first events of a recorded stream."""
    for event in events_of(name)[:events]:
        estimator.see(call, event)


async def test_what_was_seen_of_a_silent_stream_is_counted(estimator: Estimator) -> None:
    call = call_with(HELLO)
    before = await estimator.before(call)
    pass_by(estimator, call, "openai-chat", 2)

    assert await estimator.cut_off(call) == Usage(input=before.input, output=2, estimated=True)


async def test_a_call_that_was_not_counted_before_is_counted_then(estimator: Estimator) -> None:
    call = call_with(HELLO)
    pass_by(estimator, call, "openai-chat", 2)

    assert await estimator.cut_off(call) == Usage(input=12, output=2, estimated=True)


async def test_what_the_provider_said_at_the_start_holds(estimator: Estimator) -> None:
    """Anthropic tells the input at once, and the output when it is over."""
    call = call_with(HELLO, "claude-3-haiku", "anthropic-messages")
    call.usage = Usage(input=100, cache_read=50, output=1, tier="standard")
    events = [Event(b'{"delta":{"text":"one two three four "}}', "content_block_delta")] * 5
    for event in events:
        estimator.see(call, event)

    expected = Usage(input=100, cache_read=50, output=round(20 * 1.25), tier="standard", estimated=True)
    assert await estimator.cut_off(call) == expected


async def test_more_than_was_seen_may_have_been_said(estimator: Estimator) -> None:
    """Gemini counts up in every event, thoughts too, which nobody is shown."""
    call = call_with(HELLO, speaks="gemini")
    call.usage = Usage(input=100, output=50, reasoning=900)
    estimator.see(call, Event(b'{"text":"one two"}'))

    assert await estimator.cut_off(call) == Usage(input=100, output=50, reasoning=900, estimated=True)


async def test_a_stream_that_never_began_has_read_its_input(estimator: Estimator) -> None:
    assert await estimator.cut_off(call_with(HELLO)) == Usage(input=12, estimated=True)


@pytest.mark.parametrize("operation", ["images", "audio", "video", "batches"])
async def test_what_is_no_text_is_not_priced_as_if_its_prompt_were_all(
    operation: str, estimator: Estimator
) -> None:
    call = call_with({"prompt": "a cat"}, "gpt-4o-mini-tts")
    call.operation = operation
    estimator.see(call, Event(b'{"type":"speech.audio.delta","text":"x"}'))

    assert await estimator.cut_off(call) is None


@pytest.mark.parametrize(("operation", "known"), [("responses", False), ("embeddings", True)])
async def test_a_whole_answer_without_any_text_is_none_yet_unless_none_was_asked_for(
    operation: str, known: bool, estimator: Estimator
) -> None:
    """Responses in background mode are written later."""
    call = call_with(HELLO)
    call.stream, call.operation = False, operation
    estimator.see(call, Event(b'{"status":"queued","output":[],"usage":null}'))

    assert (await estimator.cut_off(call) is not None) is known


async def test_of_a_whole_answer_only_the_provider_can_say(estimator: Estimator) -> None:
    call = call_with(HELLO)
    call.stream = False
    assert await estimator.cut_off(call) is None

    call.usage = Usage(input=1)
    assert await estimator.cut_off(call) == Usage(input=1)
