"""Every dialect against every strict simulated provider, whole and streamed, in chunks of any size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from support.conversations import ALL, PIXEL, SOURCES, TARGETS
from support.targets import MODELS, PATHS, reach
from tollgate.dialects import dialect
from tollgate.routing.translation import Untranslatable, can, dialects, request
from tollgate.routing.translation.neutral import Signature
from tollgate.routing.translation.signatures import wrap

PAIRS = [(source, target) for source in SOURCES for target in TARGETS]


def translate(source: str, target: str, body: Any, path: str = "") -> Any:
    return request(
        source,
        target,
        path=path or PATHS.get(source, ""),
        params={},
        headers=CIMultiDict(),
        body=body,
        model=MODELS.get(target, "m"),
        stream=False,
    )


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_whole_answer(source: str, target: str, kind: str) -> None:
    reached = reach(source, target, ALL[kind][source])
    assert reached.status == 200, b"".join(reached.pieces)
    status, told = reached.whole()

    assert status == 200
    assert dialect(source).usage(told) is not None


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_stream_in_any_chunks(source: str, target: str, kind: str) -> None:
    reached = reach(source, target, ALL[kind][source], stream=True)
    assert reached.status == 200, b"".join(reached.pieces)
    events = [(event.name, event.data) for event in reached.events()]

    assert events
    assert [(event.name, event.data) for event in reached.events(1)] == events
    assert [(event.name, event.data) for event in reached.events(37)] == events


@pytest.mark.parametrize(("source", "target"), [pair for pair in PAIRS if pair[0] != pair[1]])
def test_a_stream_that_breaks_off_ends_with_the_clients_error(source: str, target: str) -> None:
    events = reach(source, target, ALL["text"][source], stream=True, cut=2).events()

    assert any(dialect(source).stream_error(event) for event in events)


def test_who_can_be_translated() -> None:
    assert all(can(source, target) for source, target in PAIRS)
    assert not can("ollama", "openai-chat")
    assert not can("openai-chat", "generic")
    assert not can("generic", "openai-chat")
    assert dialects()[:5] == SOURCES
    assert set(dialects()) == {*TARGETS, "openai-embeddings"}


def test_what_has_no_equal_is_refused_with_a_reason() -> None:
    with pytest.raises(Untranslatable, match="ollama cannot be translated to gemini"):
        translate("ollama", "gemini", {})
    with pytest.raises(Untranslatable, match="not calls of /v1/messages/count_tokens"):
        translate("anthropic-messages", "gemini", {}, "/v1/messages/count_tokens")


@pytest.mark.parametrize(
    ("target", "stream", "path", "query"),
    [
        ("openai-chat", True, "/v1/chat/completions", ""),
        ("openai-responses", False, "/v1/responses", ""),
        ("anthropic-messages", False, "/v1/messages", ""),
        ("gemini", False, "/v1beta/models/gemini-3-flash:generateContent", ""),
        ("gemini", True, "/v1beta/models/gemini-3-flash:streamGenerateContent", "alt=sse"),
        ("bedrock-converse", False, "/model/us.anthropic.claude-sonnet-5-5-v1%3A0/converse", ""),
        ("bedrock-converse", True, "/model/us.anthropic.claude-sonnet-5-5-v1%3A0/converse-stream", ""),
        ("ollama", True, "/api/chat", ""),
        ("cohere-chat", False, "/v2/chat", ""),
    ],
)
def test_where_a_request_goes(target: str, stream: bool, path: str, query: str) -> None:
    sent = reach("openai-chat", target, ALL["text"]["openai-chat"], stream=stream).sent

    assert (sent.method, sent.path, sent.query) == ("POST", path, query)
    assert sent.headers["content-type"] == "application/json"
    assert (sent.headers.get("anthropic-version") == "2023-06-01") is (target == "anthropic-messages")


def test_the_same_request_is_written_the_same() -> None:
    first, second = (translate("openai-chat", "gemini", ALL["results"]["openai-chat"]).body for _ in range(2))

    assert first == second


def test_another_providers_seal_is_never_sent_as_the_targets_own() -> None:
    seal = wrap(Signature("openai", "e"), "anthropic")
    thought = {"type": "thinking", "thinking": "why", "signature": seal}
    body = {
        "max_tokens": 9,
        "messages": [{"role": "assistant", "content": [thought, {"type": "text", "text": "a"}]}],
    }
    own = translate("anthropic-messages", "anthropic-messages", body)
    back = translate("anthropic-messages", "openai-responses", body)

    assert orjson.loads(own.body)["messages"][1]["content"] == [{"type": "text", "text": "a"}]
    assert own.losses[0].what == "a thought of another provider"
    assert orjson.loads(back.body)["input"][0]["encrypted_content"] == "e"
    assert back.losses == []


def test_a_file_that_lies_with_the_clients_provider_is_left_out() -> None:
    content = [{"type": "image", "source": {"type": "file", "file_id": "f"}}, {"type": "text", "text": "a"}]
    body = {"max_tokens": 9, "messages": [{"role": "user", "content": content}]}
    sent = translate("anthropic-messages", "openai-responses", body)

    assert b'"f"' not in sent.body
    assert [(loss.what, loss.where) for loss in sent.losses] == [
        ("image in this form", "messages[0].content[0]")
    ]


def test_losses_name_things_and_hold_no_value() -> None:
    body = {
        "messages": [{"role": "user", "content": "my secret"}],
        "logit_bias": {"1": 5},
        "prediction": {"content": "secret"},
        "seed": 77,
    }
    sent = translate("openai-chat", "anthropic-messages", body)

    assert "secret" not in repr(sent.losses)
    assert "77" not in repr(sent.losses)
    assert sorted(loss.what for loss in sent.losses) == ["logit_bias", "prediction", "seed"]


def test_numbers_of_arguments_arrive_as_they_were_written() -> None:
    sent = translate("openai-chat", "anthropic-messages", ALL["results"]["openai-chat"])

    assert b'"days": 12345678901234567890123' in sent.body


def test_an_image_in_a_result_follows_it_where_results_are_text() -> None:
    sent = translate("anthropic-messages", "openai-chat", ALL["results"]["anthropic-messages"])
    messages = orjson.loads(sent.body)["messages"]

    assert [message["role"] for message in messages[-3:]] == ["tool", "tool", "user"]
    assert PIXEL in messages[-1]["content"][1]["image_url"]["url"]


@st.composite
def broken_requests(draw: st.DrawFn) -> tuple[str, Any]:
    """A client's request in which something is not what it should be."""
    source = draw(st.sampled_from(SOURCES))
    body = deepcopy(ALL[draw(st.sampled_from(list(ALL)))][source])
    node, key = draw(st.sampled_from(list(spots(body))))
    node[key] = draw(
        st.sampled_from([None, 5, -1, 1.5, True, "x", "", [], {}, [1], [[]], [None], {"type": "text"}])
    )
    return source, body


def spots(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a tree: the object or list, and the key."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield tree, key
        yield from spots(value)


@settings(max_examples=300)
@given(broken_requests(), st.sampled_from(TARGETS))
def test_a_request_of_a_wrong_form_is_translated_or_refused(broken: Any, target: str) -> None:
    source, body = broken
    with suppress(Untranslatable):
        translate(source, target, body)


BAD_SCHEMA = {"textFormat": {"structure": {"jsonSchema": {"schema": "{"}}}}


@pytest.mark.parametrize(
    ("source", "body", "said"),
    [
        ("openai-chat", {"messages": [{"role": "function"}]}, r"messages\[0\].role must be one of"),
        ("openai-chat", {"tool_choice": "maybe"}, "tool_choice must be one of auto, none, required"),
        ("openai-chat", {"stop": [1]}, "stop must be a list of texts"),
        ("gemini", {"generationConfig": {"topK": "5"}}, "generationConfig.topK must be a number"),
        (
            "bedrock-converse",
            {"outputConfig": BAD_SCHEMA},
            "outputConfig.textFormat is no JSON",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(source: str, body: Any, said: str) -> None:
    with pytest.raises(Untranslatable, match=said):
        translate(source, "anthropic-messages", body)
