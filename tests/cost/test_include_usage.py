from __future__ import annotations

import orjson
import pytest

from support.recorded import events_of
from support.upstream import make_call, make_request
from tollgate.calls import Call, End, Event
from tollgate.cost.include_usage import PROVIDERS, ask, hide
from tollgate.dialects import FRAMINGS
from tollgate.providers import Providers

BODY = b'{"model": "gpt-5.4",\n "messages":[], "n": 1.0, "stream":true}\n'


def call_with(
    body: bytes = BODY,
    *,
    provider: str = "openai",
    speaks: str = "openai-chat",
    stream: bool = True,
    target: str = "/v1/chat/completions",
) -> Call:
    call = make_call(make_request(body, target=target), speaks=speaks, stream=stream)
    call.provider = provider
    call.request.body.parse(call.dialect.shape)
    return call


def test_a_question_is_added_and_no_other_byte_changes() -> None:
    call = call_with()

    assert ask(call)
    asked = b'"stream":true,"stream_options":{"include_usage":true}}\n'
    assert call.request.body.render() == BODY.replace(b'"stream":true}\n', asked)
    assert call.request.body.json["stream_options"] == {"include_usage": True}


def test_what_another_room_has_changed_stays_changed() -> None:
    call = call_with(b'{"messages":[{"role":"user","content":"Ada"}],"stream":true}')
    body = call.request.body
    body.edit(body.slots[0], "[NAME]")

    assert ask(call)
    body.edit(body.slots[0], "[PERSON]")
    assert body.json["messages"][0]["content"] == "[PERSON]"
    assert body.json["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    "call",
    [
        call_with(stream=False),
        call_with(provider="mistral"),
        call_with(provider="corp-vllm"),
        call_with(speaks="anthropic-messages"),
        call_with(b'{"stream":true,"stream_options":{"include_usage":true}}'),
        call_with(b'{"stream":true,"stream_options":{"include_usage":false}}'),
        call_with(b'{"stream":true,"stream_options":null}'),
        call_with(b"[]"),
        call_with(provider="azure", target="/openai/deployments/d/chat/completions?api-version=2024-06-01"),
    ],
    ids=["whole", "unasked", "unknown", "dialect", "asked", "declined", "null", "list", "old"],
)
def test_nothing_is_asked_of_those_who_were_asked_or_would_not_take_it(call: Call) -> None:
    before = call.request.body.render()

    assert not ask(call)
    assert call.request.body.render() == before
    assert not call.request.body.edited


@pytest.mark.parametrize("query", ["?api-version=2024-10-21", "?api-version=2025-04-01-preview", ""])
def test_newer_versions_of_azure_take_it(query: str) -> None:
    assert ask(call_with(provider="azure", target=f"/openai/deployments/d/chat/completions{query}"))


def test_all_providers_that_are_asked_are_known() -> None:
    assert {row.id for row in Providers.builtin().rows} >= PROVIDERS


def hidden(*events: Event) -> list[Event]:
    call = call_with()
    return [shown for event in events for shown in hide(call, event)]


def test_the_client_sees_the_very_bytes_of_a_stream_without_usage() -> None:
    encoder = FRAMINGS["sse"].encoder()
    events = [*events_of("openai-chat"), End()]

    shown = b"".join(encoder.encode(event) for event in hidden(*events))
    asked = b"".join(event.raw or b"" for event in events)
    (extra,) = [event.raw for event in events if event.data and b'"choices":[]' in event.data]
    assert extra is not None
    assert shown == asked.replace(extra, b"").replace(b',"usage":null', b"")
    assert b"usage" not in shown
    assert shown.endswith(b"data: [DONE]\n\n")


def test_usage_beside_an_answer_is_the_providers_own_way() -> None:
    event = Event(b'{"choices":[{"delta":{}}],"usage":{"prompt_tokens":1}}')

    assert [shown.data for shown in hidden(event)] == [event.data]


def test_a_chunk_without_choices_may_say_other_things() -> None:
    event = Event(b'{"choices":[],"prompt_filter_results":[]}')

    assert hidden(event) == [event]


def test_a_text_about_usage_is_a_text() -> None:
    said = ',"usage":null and "choices":[] and "usage":{}'
    data = orjson.dumps({"choices": [{"delta": {"content": said}}], "usage": None})

    (shown,) = hidden(Event(data))
    assert orjson.loads(shown.data or b"") == {"choices": [{"delta": {"content": said}}]}
