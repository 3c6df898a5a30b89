from typing import Any

import orjson
import pytest
from multidict import CIMultiDict

from support.codecs import documents
from support.targets import MODELS, PATHS
from tollgate.calls import Event
from tollgate.routing.translation import Session, request
from tollgate.routing.translation.streams.common import event

DATE = {"date": "Sun, 22 Nov 2026 10:00:00 GMT"}
ASKED: dict[str, Any] = {
    "openai-chat": {"messages": [{"role": "user", "content": "hi"}]},
    "openai-responses": {
        "input": "hi",
        "tools": [{"type": "namespace", "name": "n", "tools": [{"type": "custom", "name": "sh"}]}],
    },
    "anthropic-messages": {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]},
}


def session(source: str, target: str) -> Session:
    return request(
        source,
        target,
        path=PATHS[source],
        params={},
        headers=CIMultiDict(),
        body=ASKED[source],
        model=MODELS[target],
        stream=True,
    ).session


CONVERSED = {
    "output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5},
}


def test_an_answer_without_id_model_and_date_gets_ours() -> None:
    status, headers, body, losses = session("openai-chat", "bedrock-converse").answer(
        200, CIMultiDict({**DATE, "x-amzn-requestid": "abc-1"}), orjson.dumps(CONVERSED)
    )
    told = orjson.loads(body)

    assert (status, losses) == (200, [])
    assert headers == {"content-type": "application/json", "x-request-id": "abc-1"}
    assert (told["id"], told["model"], told["created"]) == (
        "chatcmpl-abc-1",
        MODELS["bedrock-converse"],
        1795341600,
    )
    again = session("openai-chat", "bedrock-converse").answer(200, CIMultiDict(), orjson.dumps(CONVERSED))
    assert again == session("openai-chat", "bedrock-converse").answer(
        200, CIMultiDict(), orjson.dumps(CONVERSED)
    )
    assert orjson.loads(again[2])["created"] == 0


def test_an_answer_that_is_no_json_is_a_value_error() -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        session("openai-chat", "bedrock-converse").answer(200, CIMultiDict(), b"<html>")


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("openai-chat", b'{"detail": "ok"}'),
        ("openai-responses", b'{"choices": [{"message": {"content": "a"}}]}'),
        ("anthropic-messages", b'{"content": null}'),
        ("gemini", b'{"usageMetadata": {}}'),
        ("bedrock-converse", b'{"message": "Hello from the gateway"}'),
        ("ollama", b"[]"),
        ("cohere-chat", b'{"message": "ok"}'),
    ],
)
def test_what_is_no_answer_of_the_dialect_is_not_told_as_an_empty_one(target: str, body: bytes) -> None:
    source = "anthropic-messages" if target == "openai-chat" else "openai-chat"
    with pytest.raises(ValueError, match="it has no"):
        session(source, target).answer(200, CIMultiDict(), body)


def test_an_error_is_told_in_the_clients_words() -> None:
    status, headers, body, _ = session("anthropic-messages", "openai-chat").answer(
        429,
        CIMultiDict({"retry-after": "3"}),
        b'{"error": {"message": "slow", "code": "rate_limit_exceeded"}}',
    )

    assert (status, headers["retry-after"]) == (429, "3")
    assert orjson.loads(body)["error"] == {
        "type": "rate_limit_error",
        "message": "slow",
        "details": {"error_code": "rate_limit_exceeded"},
    }


def test_a_target_of_the_same_dialect_is_told_as_it_is() -> None:
    same = session("openai-chat", "openai-chat")
    headers = CIMultiDict({"x-own": "1", "content-length": "2", "content-encoding": "gzip"})
    piece = Event(b'{"any": 1}')

    assert same.answer(500, headers, b"{}") == (500, {"x-own": "1"}, b"{}", [])
    assert (same.events().feed(piece), same.events().close(), same.events().losses) == ([piece], [], [])


def test_tools_come_back_under_the_names_and_of_the_kind_that_the_client_knows() -> None:
    call = {"type": "tool_use", "id": "t", "name": "n__sh", "input": {"input": "ls"}}
    document = {"id": "msg_1", "model": "m", "content": [call], "stop_reason": "tool_use"}
    _, _, body, _ = session("openai-responses", "anthropic-messages").answer(
        200, CIMultiDict(), orjson.dumps(document)
    )
    item = orjson.loads(body)["output"][0]

    assert (item["type"], item["namespace"], item["name"], item["input"]) == (
        "custom_tool_call",
        "n",
        "sh",
        "ls",
    )


def test_events_go_through_one_by_one_and_nothing_after_the_end() -> None:
    translator = session("openai-chat", "bedrock-converse").events(CIMultiDict(DATE))
    first = translator.feed(event({"role": "assistant"}, "messageStart"))
    text = translator.feed(event({"contentBlockIndex": 0, "delta": {"text": "a"}}, "contentBlockDelta"))
    translator.feed(event({"stopReason": "end_turn"}, "messageStop"))
    last = translator.feed(event({"usage": {"inputTokens": 3, "outputTokens": 2}}, "metadata"))

    assert documents(first)[0]["model"] == MODELS["bedrock-converse"]
    assert documents(first)[0]["created"] == 1795341600
    assert documents(text)[0]["choices"][0]["delta"] == {"content": "a"}
    end, done = documents(last)
    assert (end["choices"][0]["finish_reason"], done) == ("stop", None)
    assert translator.feed(event({"role": "assistant"}, "messageStart")) == []
    assert translator.close() == []
    assert translator.losses == []


def test_a_stream_without_headers_has_an_id_all_the_same() -> None:
    translator = session("anthropic-messages", "bedrock-converse").events()
    told = documents(translator.feed(event({"role": "assistant"}, "messageStart")))

    assert told[0]["message"]["id"].startswith("msg_")
    assert documents(translator.close())[-1]["type"] == "error"
