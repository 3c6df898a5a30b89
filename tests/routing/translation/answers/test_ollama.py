import pytest

from support.codecs import read_answer
from tollgate.routing.translation.neutral import Text, Thinking, ToolUse


def test_what_an_answer_says() -> None:
    calls = [
        {"function": {"name": "t", "arguments": {"a": 1}}},
        {"id": "own", "function": {"name": "t", "arguments": '{"a":1}'}},
        {"function": {"name": "t"}},
    ]
    answer, _ = read_answer(
        "ollama", {"message": {"thinking": "why", "content": "a", "tool_calls": calls}, "done_reason": "stop"}
    )

    assert answer.parts == [
        Thinking("why"),
        Text("a"),
        ToolUse("call_id_1_0", "t", '{"a":1}'),
        ToolUse("own", "t", '{"a":1}'),
        ToolUse("call_id_1_2", "t", "{}"),
    ]
    assert answer.stop == "tool_use"


@pytest.mark.parametrize(("reason", "stop"), [("length", "length"), ("stop", "end"), ("unload", "end")])
def test_why_it_ended(reason: str, stop: str) -> None:
    answer, _ = read_answer("ollama", {"message": {}, "done_reason": reason})

    assert (answer.parts, answer.stop) == ([], stop)
