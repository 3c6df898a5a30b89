from support.codecs import read_answer, write_answer
from tollgate.calls import Usage
from tollgate.routing.translation.neutral import Answer, Media, Part, Signature, Text, Thinking, ToolUse
from tollgate.routing.translation.signatures import unwrap


def test_what_an_answer_says() -> None:
    document = {
        "content": [
            {"type": "thinking", "thinking": "why", "signature": "s"},
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "redacted_thinking", "data": "r"},
            {"type": "text", "text": "a", "citations": [{}]},
            {"type": "server_tool_use", "id": "s"},
            {"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}},
        ],
        "stop_reason": "stop_sequence",
        "stop_sequence": "END",
    }
    answer, losses = read_answer("anthropic-messages", document)

    assert answer.parts == [
        Thinking("why", Signature("anthropic", "s")),
        Thinking(),
        Thinking("", Signature("anthropic", "r"), redacted=True),
        Text("a"),
        ToolUse("t", "n", '{"a":1}'),
    ]
    assert (answer.stop, answer.sequence) == ("stop_sequence", "END")
    assert [(loss.what, loss.where) for loss in losses] == [
        ("citations", "content[3]"),
        ("a block that only this provider knows", "content[4]"),
    ]


def test_an_answer_as_the_client_gets_it() -> None:
    parts: list[Part] = [
        Thinking("why"),
        Thinking("", Signature("openai", "e"), redacted=True),
        Text("a"),
        ToolUse("call_1", "t", '{"n":1.0}', signature=Signature("gemini", "g")),
        ToolUse("call_2", "t", "{broken"),
    ]
    used = Usage(input=3, cache_read=2, cache_write=1, output=4, reasoning=5)
    told = write_answer("anthropic-messages", Answer("chatcmpl-1", "m", parts, "malformed", "END", used))
    blocks = told["content"]

    assert (told["id"], told["type"], told["role"]) == ("msg_1", "message", "assistant")
    assert [block["type"] for block in blocks] == [
        "thinking",
        "redacted_thinking",
        "text",
        "redacted_thinking",
        "tool_use",
        "tool_use",
    ]
    assert unwrap(blocks[0]["signature"], "anthropic").family == "unsigned"
    assert unwrap(blocks[1]["data"], "anthropic") == Signature("openai", "e")
    assert unwrap(blocks[3]["data"], "anthropic") == Signature("gemini", "g", of_tool=True)
    assert blocks[4] == {"type": "tool_use", "id": "toolu_1", "name": "t", "input": {"n": 1.0}}
    assert blocks[5]["input"] == {"arguments": "{broken"}
    assert (told["stop_reason"], told["stop_sequence"]) == ("end_turn", "END")
    assert told["usage"] == {
        "input_tokens": 3,
        "cache_creation_input_tokens": 1,
        "cache_read_input_tokens": 2,
        "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 5},
    }


def test_a_part_that_no_answer_has_is_an_empty_text() -> None:
    assert write_answer("anthropic-messages", Answer("1", "m", [Media("image")]))["content"] == [
        {"type": "text", "text": ""}
    ]
