import pytest

from support.codecs import read_answer
from tollgate.routing.translation.neutral import Text, Thinking, ToolUse


def test_what_an_answer_says() -> None:
    message = {
        "tool_plan": "plan",
        "content": [{"type": "thinking", "thinking": "why"}, {"type": "text", "text": "a"}],
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "t", "arguments": "{}"}}],
        "citations": [{}],
    }
    answer, losses = read_answer("cohere-chat", {"message": message, "finish_reason": "TOOL_CALL"})

    assert answer.parts == [Thinking("plan"), Thinking("why"), Text("a"), ToolUse("c", "t", "{}")]
    assert answer.stop == "tool_use"
    assert [loss.what for loss in losses] == ["citations"]


def test_an_answer_that_says_nothing() -> None:
    answer, losses = read_answer("cohere-chat", {})

    assert (answer.parts, answer.stop, losses) == ([], "end", [])


@pytest.mark.parametrize("reason", ["ERROR", "TIMEOUT"])
def test_an_answer_that_ended_with_an_error_is_none(reason: str) -> None:
    with pytest.raises(ValueError, match=f"it ended with {reason}"):
        read_answer("cohere-chat", {"message": {"content": []}, "finish_reason": reason})
