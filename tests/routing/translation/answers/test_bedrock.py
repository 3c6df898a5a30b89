from base64 import b64decode, b64encode

from support.codecs import read_answer, write_answer
from tollgate.calls import Usage
from tollgate.routing.translation.neutral import Answer, Media, Part, Signature, Text, Thinking, ToolUse
from tollgate.routing.translation.signatures import unwrap


def test_what_an_answer_says() -> None:
    content = [
        {"reasoningContent": {"reasoningText": {"text": "why", "signature": "s"}}},
        {"text": "a"},
        {"toolUse": {"toolUseId": "t", "name": "n", "input": {"a": 1}}},
        {"citationsContent": {}},
        {"toolUse": {"toolUseId": "s", "name": "nova_grounding", "input": {}, "type": "server_tool_use"}},
        {"toolResult": {"toolUseId": "s", "content": [{"text": "x"}], "type": "nova_grounding_result"}},
    ]
    answer, losses = read_answer(
        "bedrock-converse", {"output": {"message": {"content": content}}, "stopReason": "tool_use"}
    )

    assert answer.parts == [
        Thinking("why", Signature("anthropic", "s")),
        Text("a"),
        ToolUse("t", "n", '{"a":1}'),
    ]
    assert answer.stop == "tool_use"
    assert [loss.where for loss in losses] == [f"output.message.content[{n}]" for n in (3, 4, 5)]


def test_an_answer_as_the_client_gets_it() -> None:
    parts: list[Part] = [
        Thinking("why"),
        Thinking("", Signature("anthropic", "r"), redacted=True),
        Text("a"),
        ToolUse("call_1", "t", '{"n":1}', signature=Signature("gemini", "g")),
        Media("image"),
    ]
    used = Usage(input=3, cache_read=2, cache_write_long=1, output=4)
    told = write_answer("bedrock-converse", Answer("1", "m", parts, "refusal", usage=used))
    content = told["output"]["message"]["content"]

    assert (
        unwrap(content[0]["reasoningContent"]["reasoningText"]["signature"], "anthropic").family == "unsigned"
    )
    assert content[1] == {"reasoningContent": {"redactedContent": b64encode(b"r").decode()}}
    assert content[2] == {"text": "a"}
    sealed = b64decode(content[3]["reasoningContent"]["redactedContent"]).decode()
    assert unwrap(sealed, "anthropic") == Signature("gemini", "g", of_tool=True)
    assert content[4] == {"toolUse": {"toolUseId": "tooluse_1", "name": "t", "input": {"n": 1}}}
    assert content[5] == {"text": ""}
    assert told["stopReason"] == "content_filtered"
    assert told["usage"] == {
        "inputTokens": 3,
        "outputTokens": 4,
        "totalTokens": 10,
        "cacheReadInputTokens": 2,
        "cacheWriteInputTokens": 1,
    }


def test_a_hidden_thought_without_a_seal_is_one_that_nobody_signed() -> None:
    told = write_answer("bedrock-converse", Answer("1", "m", [Thinking("", redacted=True)]))

    assert "reasoningText" in told["output"]["message"]["content"][0]["reasoningContent"]
