from __future__ import annotations

from base64 import b64encode
from typing import Any

import orjson
import pytest

from support.slots import keys, texts
from tollgate.calls import Event, Usage
from tollgate.dialects.bedrock import CONVERSE, INVOKE

BODY = {
    "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"text": "look"},
                {"image": {"format": "png", "source": {"bytes": "iVBO"}}},
                {"document": {"format": "txt", "name": "a plan", "source": {"text": "in words"}}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}},
                {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"who": "Ada"}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "toolResult": {
                        "toolUseId": "t1",
                        "status": "success",
                        "content": [{"json": {"sky": "rain"}}],
                    }
                }
            ],
        },
    ],
    "toolConfig": {
        "tools": [
            {"toolSpec": {"name": "f", "description": "weather", "inputSchema": {"json": {"type": "object"}}}}
        ],
        "toolChoice": {"tool": {"name": "f"}},
    },
    "inferenceConfig": {"maxTokens": 9, "stopSequences": ["END"]},
    "outputConfig": {
        "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"name": "n", "schema": "{}"}}}
    },
}
SEEN = [
    "Be brief.",
    "look",
    "blob:iVBO",
    "a plan",
    "in words",
    "hm",
    "Ada",
    "rain",
    "weather",
    "END",
    "json:{}",
]


def chunk(document: Any) -> Event:
    """A `chunk` event as InvokeModelWithResponseStream sends it."""
    return Event(orjson.dumps({"bytes": b64encode(orjson.dumps(document)).decode(), "p": "abc"}), "chunk")


def test_text_is_seen_and_structure_is_not() -> None:
    assert texts(CONVERSE.shape, BODY) == SEEN
    assert keys(CONVERSE.shape, BODY) == ["who", "sky"]


def test_to_invoke_takes_each_models_own_body() -> None:
    claude = {
        "anthropic_version": "bedrock-2023-05-31",
        "system": "Be brief.",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "look"}]}],
    }

    assert texts(INVOKE.shape, claude) == ["Be brief.", "look"]
    assert texts(INVOKE.shape, {**BODY, "schemaVersion": "messages-v1"}) == SEEN
    assert texts(INVOKE.shape, {"inputText": "titan"}) == ["titan"]
    assert texts(INVOKE.shape, {"prompt": "llama"}) == ["llama"]


def test_counting_tokens_holds_the_body_that_is_counted() -> None:
    assert texts(INVOKE.shape, {"input": {"converse": BODY}}) == SEEN
    assert texts(INVOKE.shape, {"input": {"invokeModel": {"body": "e30="}}}) == ["blob:e30="]


def test_model_and_stream_are_the_paths() -> None:
    assert CONVERSE.model(BODY, {"model": "us.anthropic.claude-x"}) == "us.anthropic.claude-x"
    assert CONVERSE.streams(BODY, {"verb": "converse-stream"})
    assert INVOKE.streams(BODY, {"verb": "invoke-with-response-stream"})
    assert not INVOKE.streams({"stream": True}, {"verb": "invoke"})


@pytest.mark.parametrize(
    ("document", "usage"),
    [
        ({"usage": {"inputTokens": 7, "outputTokens": 64, "totalTokens": 71}}, Usage(input=7, output=64)),
        (
            {
                "usage": {
                    "inputTokens": 2,
                    "outputTokens": 5,
                    "cacheReadInputTokens": 30,
                    "cacheWriteInputTokens": 100,
                    "cacheDetails": [{"ttl": "1h", "inputTokens": 60}, {"ttl": "5m", "inputTokens": 40}],
                    "totalTokens": 137,
                },
                "serviceTier": {"type": "flex"},
            },
            Usage(input=2, cache_read=30, cache_write=40, cache_write_long=60, output=5, tier="flex"),
        ),
    ],
)
def test_converse_leaves_the_cache_out_of_its_input(document: Any, usage: Usage) -> None:
    read = CONVERSE.usage(document)

    assert read == usage
    assert read is not None
    assert read.total == document["usage"]["totalTokens"]


def test_a_converse_stream_ends_with_stop_and_metadata() -> None:
    assert CONVERSE.is_last(Event(b'{"stopReason":"end_turn"}', "messageStop"))
    assert CONVERSE.is_last(Event(b'{"usage":{}}', "metadata"))
    assert not CONVERSE.is_last(Event(b'{"delta":{"text":"a"}}', "contentBlockDelta"))


@pytest.mark.parametrize(
    ("document", "usage"),
    [
        (
            {"usage": {"input_tokens": 3, "cache_read_input_tokens": 9, "output_tokens": 4}},
            Usage(input=3, cache_read=9, output=4),
        ),
        (
            {
                "usage": {
                    "inputTokens": 8,
                    "outputTokens": 5,
                    "cacheReadInputTokenCount": 1,
                    "cacheWriteInputTokenCount": 2,
                }
            },
            Usage(input=8, cache_read=1, cache_write=2, output=5),
        ),
        ({"usage": {"prompt_tokens": 6, "completion_tokens": 10}}, Usage(input=6, output=10)),
        (
            {"generation": "hi", "prompt_token_count": 6, "generation_token_count": 7},
            Usage(input=6, output=7),
        ),
        (
            {"inputTextTokenCount": 5, "results": [{"tokenCount": 3}, {"tokenCount": 4}]},
            Usage(input=5, output=7),
        ),
        ({"outputs": [{"text": "hi"}]}, None),
        ({"inputTokens": 23}, None),
    ],
    ids=["claude", "nova", "openai", "llama", "titan", "mistral", "count-tokens"],
)
def test_each_models_own_counts_are_read(document: Any, usage: Usage | None) -> None:
    assert INVOKE.usage(document) == usage
    assert usage is None or any(mark in orjson.dumps(document) for mark in INVOKE.usage_marks)


def test_headers_say_what_a_body_leaves_out() -> None:
    headers = {"x-amzn-bedrock-input-token-count": "30", "x-amzn-bedrock-output-token-count": "51"}
    usage = INVOKE.usage_of_headers(headers)

    assert usage == Usage(input=30, output=51)
    assert INVOKE.usage({"usage": {"inputTokens": 30}}, usage) == usage


def test_a_stream_of_chunks_is_read_to_its_end() -> None:
    start = chunk(
        {
            "type": "message_start",
            "message": {"model": "claude-x-1", "usage": {"input_tokens": 7, "output_tokens": 1}},
        }
    )
    delta = chunk({"type": "message_delta", "usage": {"output_tokens": 13}})
    stop = chunk(
        {
            "type": "message_stop",
            "amazon-bedrock-invocationMetrics": {"inputTokenCount": 7, "outputTokenCount": 12},
        }
    )
    usage: Usage | None = None
    for event in (start, delta, stop):
        usage = INVOKE.usage(INVOKE.payload(event), usage)

    assert usage == Usage(input=7, output=12)
    assert INVOKE.answered_model(INVOKE.payload(start)) == "claude-x-1"
    assert [INVOKE.is_last(event) for event in (start, delta, stop)] == [False, False, True]


def test_a_chunk_without_model_or_counts_is_not_read() -> None:
    assert INVOKE.payload(chunk({"type": "content_block_delta", "delta": {"text": "hi"}})) is None


def test_what_a_guardrail_says_instead_is_complete() -> None:
    """Seen with Titan: one chunk without metrics."""
    blocked = {"outputText": "no", "totalOutputTextTokenCount": 3.0, "inputTextTokenCount": 6.0}

    assert INVOKE.is_last(chunk(blocked))
    assert INVOKE.usage(INVOKE.payload(chunk(blocked))) == Usage(input=6, output=3)


@pytest.mark.parametrize(
    "data", [None, b"", b"{}", b'{"bytes":"a"}', b'{"bytes":"dG9rZW4="}', b'{"bytes":""}']
)
def test_what_is_no_chunk_is_no_document(data: bytes | None) -> None:
    assert INVOKE.payload(Event(data, "chunk")) is None
    assert not INVOKE.is_last(Event(data, "chunk"))


@pytest.mark.parametrize("row", [CONVERSE, INVOKE], ids=repr)
def test_an_exception_in_a_stream_is_known_by_its_name(row: Any) -> None:
    assert row.stream_error(Event(b'{"message":"slow down"}', "throttlingException")) == "throttlingException"
    assert row.stream_error(Event(b'{"delta":{"text":"error"}}', "contentBlockDelta")) == ""


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "ValidationException"),
        (413, "ValidationException"),
        (429, "ThrottlingException"),
        (502, "ServiceUnavailableException"),
    ],
)
def test_an_error_says_its_type_in_a_header(status: int, kind: str) -> None:
    assert orjson.loads(CONVERSE.error_body(status, "no", "duplicate_keys", "id-1")) == {"message": "no"}
    assert CONVERSE.error_headers(status, "duplicate_keys") == {
        "content-type": "application/json",
        "x-amzn-errortype": kind,
    }


def test_a_cut_stream_ends_with_an_exception() -> None:
    (event,) = INVOKE.error_events("cut", "provider_cut", "id-1")

    assert event.name == "internalServerException"
    assert event.json() == {"message": "cut"}
