from __future__ import annotations

from typing import Any

import orjson
import pytest

from support.slots import keys, texts
from tollgate.calls import Event, Usage
from tollgate.dialects.gemini import CLOUDCODE, GEMINI

BODY = {
    "systemInstruction": {"role": "user", "parts": [{"text": "Be brief."}]},
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "look"},
                {"inlineData": {"mimeType": "image/png", "data": "iVBO"}},
                {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://bucket/film.mp4"}},
            ],
        },
        {
            "role": "model",
            "parts": [
                {"text": "hm", "thought": True, "thoughtSignature": "c2ln"},
                {"functionCall": {"id": "1", "name": "f", "args": {"who": "Ada"}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "id": "1",
                        "name": "f",
                        "response": {"result": "rain"},
                        "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}],
                    }
                }
            ],
        },
    ],
    "tools": [
        {
            "functionDeclarations": [
                {"name": "f", "description": "weather", "parametersJsonSchema": {"type": "object"}}
            ]
        }
    ],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "generationConfig": {
        "stopSequences": ["END"],
        "responseSchema": {"type": "OBJECT", "description": "out"},
        "speechConfig": {"languageCode": "en-GB"},
    },
}
SEEN = [
    "Be brief.",
    "look",
    "blob:iVBO",
    "blob:gs://bucket/film.mp4",
    "hm",
    "Ada",
    "rain",
    "blob:AAAA",
    "weather",
    "END",
    "out",
]


def test_text_is_seen_and_structure_is_not() -> None:
    assert texts(GEMINI.shape, BODY) == SEEN
    assert keys(GEMINI.shape, BODY) == ["who", "result"]


def test_snake_case_is_the_same() -> None:
    body = {
        "system_instruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"inline_data": {"mime_type": "image/png", "data": "iVBO"}}]}
        ],
        "tools": [{"function_declarations": [{"name": "f", "parameters_json_schema": {"type": "object"}}]}],
    }

    assert texts(GEMINI.shape, body) == ["Be brief.", "blob:iVBO"]
    assert keys(GEMINI.shape, body) == []


def test_embeddings_and_counting_hold_contents_too() -> None:
    content = {"parts": [{"text": "one"}]}

    assert texts(
        GEMINI.shape, {"requests": [{"model": "models/e", "content": content, "taskType": "T"}]}
    ) == ["one"]
    assert texts(GEMINI.shape, {"generateContentRequest": {"model": "models/m", "contents": [content]}}) == [
        "one"
    ]


def test_the_cli_wraps_the_same_body() -> None:
    body = {"model": "g", "project": "p", "user_prompt_id": "1", "request": {**BODY, "session_id": "2"}}

    assert texts(CLOUDCODE.shape, body) == SEEN
    assert keys(CLOUDCODE.shape, body) == ["who", "result"]
    assert CLOUDCODE.model(body, {}) == "g"


@pytest.mark.parametrize(
    ("params", "streams", "framing"),
    [
        ({"verb": "generateContent"}, False, "json-array"),
        ({"verb": "streamGenerateContent"}, True, "json-array"),
        ({"verb": "streamGenerateContent", "alt": "sse"}, True, "sse"),
    ],
)
def test_the_verb_streams_and_the_query_frames(params: dict[str, str], streams: bool, framing: str) -> None:
    assert GEMINI.streams({"stream": True}, params) is streams
    assert GEMINI.expected_framing(params) == framing


@pytest.mark.parametrize(
    ("said", "usage"),
    [
        (
            {
                "promptTokenCount": 5,
                "candidatesTokenCount": 8,
                "thoughtsTokenCount": 10,
                "totalTokenCount": 23,
            },
            Usage(input=5, output=8, reasoning=10),
        ),
        (
            {
                "promptTokenCount": 75,
                "candidatesTokenCount": 4,
                "toolUsePromptTokenCount": 50,
                "totalTokenCount": 129,
            },
            Usage(input=125, output=4),
        ),
        ({"promptTokenCount": 75, "cachedContentTokenCount": 70}, Usage(input=5, cache_read=70)),
        (
            {
                "promptTokenCount": 500,
                "cachedContentTokenCount": 100,
                "candidatesTokenCount": 90,
                "promptTokensDetails": [
                    {"modality": "TEXT", "tokenCount": 40},
                    {"modality": "IMAGE", "tokenCount": 260},
                    {"modality": "AUDIO", "tokenCount": 200},
                ],
                "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 100}],
                "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 90}],
            },
            Usage(input=40, cache_read=100, input_image=260, input_audio=100, output_audio=90),
        ),
        (
            {
                "promptTokenCount": 9,
                "promptTokensDetails": [{"modality": 2, "tokenCount": 4}, {"modality": 1}],
            },
            Usage(input=5, input_image=4),
        ),
        ({"promptTokenCount": 9, "serviceTier": "flex"}, Usage(input=9, tier="flex")),
        ({"promptTokenCount": 9, "trafficType": "ON_DEMAND"}, Usage(input=9, tier="ON_DEMAND")),
    ],
    ids=["thoughts", "tools", "cached", "modalities", "numbered", "tier", "traffic"],
)
def test_counts_do_not_overlap(said: dict[str, Any], usage: Usage) -> None:
    assert GEMINI.usage({"usageMetadata": said}) == usage
    assert CLOUDCODE.usage({"response": {"usageMetadata": said}}) == usage


def test_a_stream_counts_up() -> None:
    first = GEMINI.usage({"usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 2}})
    same = GEMINI.usage({"usageMetadata": {"trafficType": "ON_DEMAND"}}, first)

    assert same is first
    assert GEMINI.usage({"usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 9}}, same) == Usage(
        input=7, output=9
    )


@pytest.mark.parametrize(
    ("grounding", "requests"), [({"webSearchQueries": ["a", "b"]}, {"web_search": 2}), ({}, None)]
)
def test_searches_are_counted(grounding: Any, requests: dict[str, int] | None) -> None:
    document = {"usageMetadata": {"promptTokenCount": 1}, "candidates": [{"groundingMetadata": grounding}]}

    assert GEMINI.usage(document) == Usage(input=1, requests=requests)


@pytest.mark.parametrize(
    ("data", "last"),
    [
        (b'{"candidates":[{"finishReason": "STOP"}]}', True),
        (b'{"candidates":[{"finishReason":1}]}', True),
        (b'{"promptFeedback":{"blockReason":"SAFETY"}}', True),
        (b'{"candidates":[{"content":{"parts":[{"text":"\\"finishReason\\": \\"STOP\\""}]}}]}', False),
    ],
)
def test_an_answer_is_complete_with_its_finish_reason(data: bytes, last: bool) -> None:
    assert GEMINI.is_last(Event(data)) is last


def test_the_model_that_answered_is_named_by_version() -> None:
    assert GEMINI.answered_model({"modelVersion": "g-1"}) == "g-1"
    assert CLOUDCODE.answered_model({"response": {"modelVersion": "g-1"}}) == "g-1"


@pytest.mark.parametrize(
    ("status", "word"),
    [(400, "INVALID_ARGUMENT"), (413, "INVALID_ARGUMENT"), (502, "UNAVAILABLE"), (504, "DEADLINE_EXCEEDED")],
)
def test_an_error_looks_like_googles(status: int, word: str) -> None:
    error = orjson.loads(GEMINI.error_body(status, "no", "duplicate_keys", "id-1"))["error"]

    assert (error["code"], error["status"], error["message"]) == (status, word, "no")
    assert error["details"][0]["reason"] == "DUPLICATE_KEYS"


def test_an_error_in_a_stream_is_known_by_its_status() -> None:
    assert (
        GEMINI.stream_error(Event(b'{"error":{"code":503,"status":"UNAVAILABLE","message":"m"}}'))
        == "UNAVAILABLE"
    )
