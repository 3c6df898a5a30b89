from support.codecs import read_answer, write_answer
from tollgate.calls import Usage
from tollgate.routing.translation import compaction
from tollgate.routing.translation.neutral import Answer, Part, Signature, Text, Thinking, ToolUse
from tollgate.routing.translation.signatures import UNSIGNED, unwrap


def test_what_an_answer_says() -> None:
    document = {
        "output": [
            {
                "type": "reasoning",
                "id": "rs",
                "summary": [{"type": "summary_text", "text": "why"}],
                "encrypted_content": "e",
            },
            {
                "type": "message",
                "content": [
                    {"type": "output_text", "text": "a", "annotations": [{}]},
                    {"type": "refusal", "refusal": "no"},
                ],
            },
            {"type": "function_call", "call_id": "c", "name": "t", "arguments": "{}"},
            {"type": "web_search_call"},
        ],
        "status": "completed",
    }
    answer, losses = read_answer("openai-responses", document)

    assert answer.parts == [
        Thinking("why", Signature("openai", "e")),
        Text("a"),
        Text("no", refusal=True),
        ToolUse("c", "t", "{}"),
    ]
    assert answer.stop == "tool_use"
    assert [(loss.what, loss.where) for loss in losses] == [
        ("citations", "output[1]"),
        ("an item that only this provider knows", "output[3]"),
    ]


def test_why_it_is_incomplete() -> None:
    for reason, stop in (("max_output_tokens", "length"), ("content_filter", "refusal")):
        answer, _ = read_answer("openai-responses", {"output": [], "incomplete_details": {"reason": reason}})
        assert answer.stop == stop
        told = write_answer("openai-responses", answer)
        assert (told["status"], told["incomplete_details"]) == ("incomplete", {"reason": reason})


def test_an_answer_as_the_client_gets_it() -> None:
    parts: list[Part] = [
        Thinking("why", Signature("anthropic", "s")),
        Thinking("unsigned"),
        Text("a"),
        Text("no", refusal=True),
        ToolUse("toolu_1", "t", "{}", namespace="n", signature=Signature("gemini", "g")),
        ToolUse("toolu_2", "sh", "ls", "custom"),
    ]
    asked = {"instructions": "brief", "tools": [{"type": "custom"}], "parallel_tool_calls": False}
    used = Usage(input=3, cache_read=2, output=4, reasoning=5)
    told = write_answer("openai-responses", Answer("msg_1", "m", parts, usage=used), asked)
    output = told["output"]

    assert (told["id"], told["created_at"], told["status"]) == ("resp_1", 7, "completed")
    assert (told["instructions"], told["tools"], told["parallel_tool_calls"]) == (
        "brief",
        [{"type": "custom"}],
        False,
    )
    assert [item["type"] for item in output] == [
        "reasoning",
        "reasoning",
        "message",
        "message",
        "reasoning",
        "function_call",
        "custom_tool_call",
    ]
    assert unwrap(output[0]["encrypted_content"], "openai") == Signature("anthropic", "s")
    assert unwrap(output[1]["encrypted_content"], "openai") == UNSIGNED
    assert output[3]["content"] == [{"type": "refusal", "refusal": "no"}]
    assert unwrap(output[4]["encrypted_content"], "openai") == Signature("gemini", "g", of_tool=True)
    assert (output[5]["id"], output[5]["call_id"], output[5]["namespace"]) == ("fc_1", "call_1", "n")
    assert (output[6]["id"], output[6]["input"]) == ("ctc_2", "ls")
    assert len({item["id"] for item in output}) == len(output)
    assert told["usage"]["input_tokens_details"] == {"cached_tokens": 2, "cache_write_tokens": 0}
    assert (told["usage"]["output_tokens"], told["usage"]["total_tokens"]) == (9, 14)


def test_every_field_that_the_api_always_has_is_there() -> None:
    """The required fields of https://www.openresponses.org/specification, whatever the client left out."""
    required = {
        *("id", "object", "created_at", "completed_at", "status", "incomplete_details", "model", "output"),
        *("previous_response_id", "instructions", "error", "tools", "tool_choice", "truncation", "text"),
        *("parallel_tool_calls", "top_p", "presence_penalty", "frequency_penalty", "top_logprobs"),
        *("temperature", "reasoning", "usage", "max_output_tokens", "max_tool_calls", "store", "background"),
        *("service_tier", "metadata", "safety_identifier", "prompt_cache_key"),
    }
    told = write_answer("openai-responses", Answer("1", "m"), {"temperature": None, "metadata": None})
    asked = {"temperature": 0, "top_p": 0.5, "tools": [{"type": "function", "name": "t"}, {"type": "mcp"}]}
    repeated = write_answer("openai-responses", Answer("1", "m"), asked)

    assert required <= told.keys()
    assert (told["temperature"], told["top_p"], told["metadata"]) == (1.0, 1.0, {})
    assert (repeated["temperature"], repeated["top_p"]) == (0, 0.5)
    assert repeated["tools"] == [
        {"type": "function", "name": "t", "description": None, "parameters": None, "strict": None},
        {"type": "mcp"},
    ]


def test_a_summary_is_one_item_that_says_it_all() -> None:
    asked = {"input": [{"type": "compaction_trigger"}]}
    parts: list[Part] = [Thinking("why"), Text("it was "), Text("done")]
    told = write_answer("openai-responses", Answer("1", "m", parts), asked)["output"]

    assert [compaction.words(item)[-11:] for item in told] == ["it was done"]
    assert write_answer("openai-responses", Answer("1", "m"), asked)["output"] == []
