import pytest

from support.codecs import read_answer, write_answer
from tollgate.calls import Usage
from tollgate.routing.translation.neutral import Answer, Media, Part, Signature, Text, Thinking, ToolUse
from tollgate.routing.translation.signatures import unwrap


def test_what_an_answer_says() -> None:
    parts = [
        {"text": "why", "thought": True, "thoughtSignature": "s"},
        {"text": "", "thought": True},
        {"text": "a"},
        {"text": ""},
        {"text": "", "thoughtSignature": "s"},
        {"functionCall": {"name": "t"}, "thoughtSignature": "s"},
        {"functionCall": {"name": "t", "args": {"a": 1}, "id": "own"}},
        {"executableCode": {}},
    ]
    candidate = {"content": {"parts": parts}, "finishReason": "STOP", "groundingMetadata": {"x": 1}}
    answer, losses = read_answer("gemini", {"candidates": [candidate]})

    assert answer.parts == [
        Thinking("why", Signature("gemini", "s")),
        Thinking("", redacted=True),
        Text("a"),
        Thinking("", Signature("gemini", "s"), redacted=True),
        ToolUse("call_id_1_5", "t", "{}", signature=Signature("gemini", "s")),
        ToolUse("own", "t", '{"a":1}'),
    ]
    assert answer.stop == "tool_use"
    assert [loss.what for loss in losses] == ["a part that only this provider knows", "citations"]


@pytest.mark.parametrize(
    ("document", "stop"),
    [
        ({"promptFeedback": {"blockReason": "SAFETY"}}, "refusal"),
        ({"candidates": [{"finishReason": "MAX_TOKENS"}]}, "length"),
        ({"candidates": [{"finishReason": "SPII"}]}, "refusal"),
        ({"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL"}]}, "malformed"),
        ({"candidates": [{"finishReason": "SOMETHING_NEW"}]}, "end"),
        ({}, "end"),
    ],
)
def test_why_it_ended(document: object, stop: str) -> None:
    assert read_answer("gemini", document)[0].stop == stop


def test_an_answer_as_the_client_gets_it() -> None:
    parts: list[Part] = [
        Thinking("why", Signature("anthropic", "s")),
        Text("a"),
        ToolUse("toolu_1", "t", '{"n":1.0}', signature=Signature("gemini", "g")),
        ToolUse("2", "t", "[]"),
        Media("image"),
    ]
    used = Usage(input=3, cache_read=2, output=4, reasoning=5)
    told = write_answer("gemini", Answer("id", "m", parts, "length", usage=used))
    candidate = told["candidates"][0]
    thought, text, call, broken = candidate["content"]["parts"]

    assert (told["responseId"], told["modelVersion"], candidate["finishReason"]) == ("id", "m", "MAX_TOKENS")
    assert (thought["text"], thought["thought"]) == ("why", True)
    assert unwrap(thought["thoughtSignature"], "gemini") == Signature("anthropic", "s")
    assert text == {"text": "a"}
    assert call == {
        "functionCall": {"id": "toolu_1", "name": "t", "args": {"n": 1.0}},
        "thoughtSignature": "g",
    }
    assert broken["functionCall"]["args"] == {"arguments": "[]"}
    assert told["usageMetadata"] == {
        "promptTokenCount": 5,
        "cachedContentTokenCount": 2,
        "candidatesTokenCount": 4,
        "thoughtsTokenCount": 5,
        "totalTokenCount": 14,
    }


def test_an_empty_answer_has_an_empty_part() -> None:
    told = write_answer("gemini", Answer("id", "m"))

    assert told["candidates"][0]["content"]["parts"] == [{"text": ""}]
    assert "usageMetadata" not in told
