from support.codecs import read_answer, write_answer
from tollgate.calls import Usage
from tollgate.routing.translation.neutral import Answer, Part, Signature, Text, Thinking, ToolUse


def test_what_an_answer_says() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "t", "arguments": "{}"}}
    message = {
        "role": "assistant",
        "content": "a",
        "refusal": "no",
        "reasoning_content": "why",
        "tool_calls": [call],
        "annotations": [{"type": "url_citation"}],
    }
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    answer, losses = read_answer("openai-chat", {"choices": [choice, choice]})

    assert answer.parts == [Thinking("why"), Text("a"), Text("no", refusal=True), ToolUse("c1", "t", "{}")]
    assert answer.stop == "tool_use"
    assert [loss.what for loss in losses] == ["citations", "all choices but the first"]


def test_an_answer_that_says_nothing() -> None:
    for document in ({}, {"choices": [{"message": None}]}, {"choices": [{"finish_reason": "odd"}]}):
        answer, _ = read_answer("openai-chat", document)
        assert (answer.parts, answer.stop) == ([], "end")


def test_an_answer_as_the_client_gets_it() -> None:
    parts: list[Part] = [
        Thinking("why"),
        Text("a"),
        Text("no", refusal=True),
        ToolUse("toolu_1", "t", signature=Signature("gemini", "s")),
        ToolUse("toolu_2", "sh", "ls", "custom"),
    ]
    used = Usage(input=3, cache_read=2, cache_write=1, output=4, reasoning=5)
    told = write_answer("openai-chat", Answer("msg_1", "m", parts, "refusal", usage=used))
    message = told["choices"][0]["message"]

    assert (told["id"], told["object"], told["created"], told["model"]) == (
        "chatcmpl-1",
        "chat.completion",
        7,
        "m",
    )
    assert (message["content"], message["refusal"], message["reasoning_content"]) == ("a", "no", "why")
    assert message["tool_calls"][0] == {
        "id": "call_1",
        "type": "function",
        "function": {"name": "t", "arguments": "{}"},
        "extra_content": {"google": {"thought_signature": "s"}},
    }
    assert message["tool_calls"][1]["custom"] == {"name": "sh", "input": "ls"}
    assert told["choices"][0]["finish_reason"] == "content_filter"
    assert (
        told["usage"]["prompt_tokens"],
        told["usage"]["completion_tokens"],
        told["usage"]["total_tokens"],
    ) == (6, 9, 15)
    assert told["usage"]["prompt_tokens_details"]["cached_tokens"] == 2
    assert told["usage"]["completion_tokens_details"]["reasoning_tokens"] == 5


def test_an_empty_answer_has_no_content() -> None:
    told = write_answer("openai-chat", Answer("1", "m"))

    assert told["choices"][0]["message"] == {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "annotations": [],
    }
    assert told["usage"]["total_tokens"] == 0
