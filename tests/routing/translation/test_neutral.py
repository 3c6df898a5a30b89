"""The round trip: a dialect's request through the neutral form into the same dialect changes nothing."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.codecs import read_answer, read_request, write_answer, write_request
from support.conversations import ALL, SOURCES
from tollgate.calls import Usage
from tollgate.routing.translation.neutral import (
    Answer,
    Choice,
    Format,
    Media,
    Message,
    Reasoning,
    Request,
    Setting,
    Signature,
    Stop,
    Text,
    Thinking,
    Tool,
    ToolResult,
    ToolUse,
)

MODELS = {
    "openai-chat": "gpt-6",
    "openai-responses": "gpt-6",
    "anthropic-messages": "claude-sonnet-5-5",
    "gemini": "gemini-2.5-pro",
    "bedrock-converse": "anthropic.claude-sonnet-5-5",
}
FAMILIES = {
    "openai-responses": "openai",
    "anthropic-messages": "anthropic",
    "gemini": "gemini",
    "bedrock-converse": "anthropic",
}

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(lambda text: text.strip() != "")
ids = st.from_regex(r"call_[a-zA-Z0-9]{1,8}", fullmatch=True)
names = st.sampled_from(["get_weather", "get_time", "search"])
objects = st.dictionaries(
    words, st.one_of(words, st.integers(-(2**53), 2**53), st.booleans(), st.none()), max_size=3
)
schemas = st.just({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False})


def messages(family: str) -> st.SearchStrategy[list[Message]]:
    text = st.builds(Text, words)
    media = st.one_of(
        st.builds(Media, st.just("image"), st.just("image/png"), st.just("AAAA")),
        st.builds(
            Media, st.just("document"), st.just("application/pdf"), st.just("AAAA"), name=st.just("a.pdf")
        ),
    )
    call = st.builds(ToolUse, ids, names, objects.map(lambda o: orjson.dumps(o).decode()))
    seal = st.builds(Signature, st.just(family), st.from_regex(r"[a-zA-Z0-9]{4,12}", fullmatch=True))
    thought = st.builds(Thinking, words, seal)
    asked = st.builds(Message, st.just("user"), st.lists(st.one_of(text, media), min_size=1, max_size=3))
    said = st.tuples(
        st.lists(thought, max_size=1), text, st.lists(call, max_size=2, unique_by=lambda c: c.id)
    )
    turn = st.tuples(asked, said).map(_turn)
    return st.lists(turn, min_size=1, max_size=3).map(lambda turns: [m for turn in turns for m in turn])


def _turn(pair: Any) -> list[Message]:
    """What the user says, what the model answers, and the results of what it called."""
    asked, (thoughts, text, calls) = pair
    turn = [asked, Message("assistant", [*thoughts, text, *calls])]
    if calls:
        turn.append(Message("user", [ToolResult(call.id, [Text("sunny")], name=call.name) for call in calls]))
    return turn


@st.composite
def requests(draw: st.DrawFn, dialect: str) -> Request:
    family = FAMILIES.get(dialect, "")
    request = Request(MODELS[dialect], stream=False)
    system = draw(st.lists(words, max_size=1))
    request.messages = [Message("system", [Text(text)]) for text in system] + draw(messages(family))
    request.tools = draw(
        st.lists(
            st.builds(Tool, names, words, schemas, st.sampled_from([None, True])),
            min_size=1,
            max_size=3,
            unique_by=lambda tool: tool.name,
        )
    )
    request.choice = draw(
        st.sampled_from(
            [None, Choice("auto"), Choice("required"), Choice("required", [request.tools[0].name])]
        )
    )
    request.format = draw(
        st.one_of(st.none(), st.builds(Format, schemas, st.just("place"), strict=st.just(True)))
    )
    request.reasoning = Reasoning(effort=draw(st.sampled_from(["", "low", "high"])))
    for name, value in (
        ("max_tokens", 4000),
        ("temperature", 0.5),
        ("top_p", 0.5),
        ("stop", ["a", "b"]),
        ("parallel_tools", False),
    ):
        if draw(st.booleans()):
            request.settings[name] = Setting(value)
    return request


@pytest.mark.parametrize("dialect", SOURCES)
@settings(max_examples=50)
@given(data=st.data())
def test_what_a_dialect_can_say_survives_the_neutral_form(dialect: str, data: st.DataObject) -> None:
    body, _ = write_request(dialect, data.draw(requests(dialect)))
    again, losses = read_request(dialect, body, MODELS[dialect])

    assert write_request(dialect, again)[0] == body
    assert losses == []


@pytest.mark.parametrize("dialect", SOURCES)
@pytest.mark.parametrize("kind", ALL)
def test_what_clients_ask_means_the_same_when_it_is_read_again(kind: str, dialect: str) -> None:
    first, _ = read_request(dialect, ALL[kind][dialect], MODELS[dialect])
    second, losses = read_request(dialect, write_request(dialect, first)[0], MODELS[dialect])

    assert [without_ids(message) for message in second.messages] == [without_ids(m) for m in first.messages]
    assert (second.choice, second.tools) == (first.choice, first.tools)
    assert {**second.settings, **first.settings} == second.settings
    assert losses == []


def without_ids(message: Message) -> Message:
    """What each dialect words in its own way: arguments, and names where it needs none."""
    for part in message.parts:
        if isinstance(part, ToolUse):
            part.arguments = orjson.dumps(orjson.loads(part.arguments or "{}")).decode()
            part.signature = None
        if isinstance(part, ToolResult):
            part.name, part.error = "", False
            part.parts = [one for one in part.parts if isinstance(one, Text)]
        if isinstance(part, Media):
            part.name = ""
    message.parts = [part for part in message.parts if not isinstance(part, Media) or part.data]
    return message


@pytest.mark.parametrize("dialect", SOURCES)
@settings(max_examples=50)
@given(data=st.data())
def test_an_answer_survives_the_neutral_form(dialect: str, data: st.DataObject) -> None:
    family = FAMILIES.get(dialect, "")
    thoughts = [Thinking("why", Signature(family, "seal"))] if family and data.draw(st.booleans()) else []
    texts = [Text(text) for text in data.draw(st.lists(words, max_size=1))]
    call = st.builds(ToolUse, ids, names, objects.map(lambda o: orjson.dumps(o).decode()))
    calls = data.draw(st.lists(call, max_size=2))
    stop: Stop = "tool_use" if calls else data.draw(st.sampled_from(["end", "length", "refusal"]))
    answer = Answer(
        "id_1", "m", [*thoughts, *texts, *calls], stop, usage=Usage(input=3, cache_read=2, output=5)
    )
    document = write_answer(dialect, answer)
    again, losses = read_answer(dialect, document)

    assert write_answer(dialect, Answer("id_1", "m", again.parts, again.stop, usage=answer.usage)) == document
    assert [part for part in again.parts if isinstance(part, Text)] == texts
    assert (again.stop, losses) == (stop, [])


def test_where_a_thing_stood_is_no_part_of_what_it_is() -> None:
    assert Text("a", where="here") == Text("a", where="there")
    assert Setting(1, "here") == Setting(1, "there")
