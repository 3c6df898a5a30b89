import pytest

from support.codecs import decode, decode_bytes
from support.conversations import ALL
from support.targets import reach
from tollgate.calls import Usage
from tollgate.routing.translation.neutral import (
    Begin,
    Close,
    Done,
    Fail,
    Finish,
    More,
    Open,
    Text,
    Thinking,
    ToolUse,
    Used,
)
from tollgate.routing.translation.streams.common import event


def test_lines_as_they_come() -> None:
    call = {"function": {"name": "t", "arguments": {}}}
    deltas, _ = decode(
        "ollama",
        [
            event({"model": "m", "message": {"thinking": "why"}, "done": False}),
            event({"model": "m", "message": {"content": "a"}, "done": False}),
            event({"model": "m", "message": {"content": "", "tool_calls": [call, call]}, "done": False}),
            event(
                {"model": "m", "done": True, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 2}
            ),
        ],
    )

    assert deltas == [
        Begin("seed", "m"),
        *(Open(Thinking()), More("why"), Close()),
        *(Open(Text("")), More("a"), Close()),
        *(Open(ToolUse("call_seed_1", "t", "{}")), Close()),
        *(Open(ToolUse("call_seed_2", "t", "{}")), Close()),
        Used(Usage(input=3, output=2)),
        Finish("tool_use"),
        Done(),
    ]


def test_an_error_in_the_midst() -> None:
    assert isinstance(decode("ollama", [event({"error": "no memory"})])[0][-1], Fail)


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_any_chunking_gives_the_same(size: int) -> None:
    data = b"".join(reach("openai-chat", "ollama", ALL["tools"]["openai-chat"], stream=True).pieces)

    assert decode_bytes("ollama", data, size) == decode_bytes("ollama", data, len(data))
