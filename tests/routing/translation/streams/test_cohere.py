from typing import Any

import pytest

from support.codecs import decode, decode_bytes
from support.conversations import ALL
from support.targets import reach
from tollgate.calls import Event, Usage
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


def named(kind: str, place: int | None = None, **delta: Any) -> Event:
    placed = {} if place is None else {"index": place}
    return event({"type": kind, **placed, "delta": delta}, kind)


def test_events_as_they_come() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "t", "arguments": ""}}
    used = {"billed_units": {"input_tokens": 3, "output_tokens": 2}}
    deltas, losses = decode(
        "cohere-chat",
        [
            event({"type": "message-start", "id": "x", "delta": {"message": {}}}, "message-start"),
            named("tool-plan-delta", message={"tool_plan": "plan"}),
            named("content-start", 0, message={"content": {"type": "text", "text": ""}}),
            named("content-delta", 0, message={"content": {"text": "a"}}),
            named("citation-start", 0, message={"citations": {}}),
            named("content-end", 0),
            named("tool-call-start", 0, message={"tool_calls": call}),
            named("tool-call-delta", 0, message={"tool_calls": {"function": {"arguments": "{}"}}}),
            named("tool-call-end", 0),
            named("tool-call-start", 1),
            named("message-end", finish_reason="TOOL_CALL", usage=used),
        ],
    )

    assert deltas == [
        Begin("x", ""),
        *(Open(Thinking()), More("plan"), Close()),
        *(Open(Text("")), More("a"), Close()),
        *(Open(ToolUse("c", "t")), More("{}"), Close()),
        Used(Usage(input=3, output=2)),
        Finish("tool_use"),
        Done(),
    ]
    assert [loss.what for loss in losses] == ["citations"]


def test_an_error_at_the_end() -> None:
    deltas, _ = decode("cohere-chat", [named("message-end", finish_reason="ERROR", error="no")])

    assert isinstance(deltas[-1], Fail)


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_any_chunking_gives_the_same(size: int) -> None:
    data = b"".join(reach("openai-chat", "cohere-chat", ALL["tools"]["openai-chat"], stream=True).pieces)

    assert decode_bytes("cohere-chat", data, size) == decode_bytes("cohere-chat", data, len(data))
