from typing import Any

import pytest

from support.codecs import decode, decode_bytes, documents, encode
from support.conversations import ALL
from support.targets import reach
from tollgate.calls import Event, Usage
from tollgate.routing.translation.neutral import (
    Begin,
    Close,
    Delta,
    Done,
    Fail,
    Finish,
    More,
    Open,
    Seal,
    Signature,
    Text,
    Thinking,
    ToolUse,
    Used,
)
from tollgate.routing.translation.signatures import unwrap
from tollgate.routing.translation.streams.common import event

MESSAGES = "anthropic-messages"


def named(kind: str, **fields: Any) -> Event:
    return event({"type": kind, **fields}, kind)


def start(index: int, **block: Any) -> Event:
    return named("content_block_start", index=index, content_block=block)


def piece(index: int, kind: str, **fields: Any) -> Event:
    return named("content_block_delta", index=index, delta={"type": kind, **fields})


def stop(index: int) -> Event:
    return named("content_block_stop", index=index)


BEGIN = named(
    "message_start", message={"id": "msg_1", "model": "m", "usage": {"input_tokens": 3, "output_tokens": 1}}
)
END = [
    named(
        "message_delta",
        delta={"stop_reason": "stop_sequence", "stop_sequence": "X"},
        usage={"output_tokens": 9},
    ),
    named("message_stop"),
]


def test_blocks_of_every_kind_as_they_come() -> None:
    deltas, losses = decode(
        MESSAGES,
        [
            BEGIN,
            named("ping"),
            *(
                start(0, type="thinking", thinking="", signature=""),
                piece(0, "thinking_delta", thinking="why"),
            ),
            *(piece(0, "signature_delta", signature="s"), stop(0)),
            *(
                start(1, type="text", text=""),
                piece(1, "text_delta", text="a"),
                piece(1, "text_delta", text=""),
            ),
            *(piece(1, "citations_delta", citation={}), stop(1)),
            *(
                start(2, type="tool_use", id="t", name="n", input={}),
                piece(2, "input_json_delta", partial_json="{}"),
                stop(2),
            ),
            *(
                start(3, type="server_tool_use", id="s"),
                piece(3, "input_json_delta", partial_json="{}"),
                stop(3),
            ),
            *(start(4, type="redacted_thinking", data="r"), stop(4)),
            *(start(5, type="tool_use", id="u", name="n", input={"a": 1}), stop(5)),
            *END,
        ],
    )

    assert deltas == [
        Begin("msg_1", "m", Usage(input=3, output=1)),
        *(Open(Thinking()), More("why"), Seal(Signature("anthropic", "s")), Close()),
        *(Open(Text("")), More("a"), Close()),
        *(Open(ToolUse("t", "n")), More("{}"), Close()),
        *(Open(Thinking("", Signature("anthropic", "r"), redacted=True)), Close()),
        *(Open(ToolUse("u", "n", '{"a":1}')), Close()),
        Used(Usage(input=3, output=9)),
        Finish("stop_sequence", "X"),
        Done(),
    ]
    assert [loss.where for loss in losses] == ["content", "content[3]"]


def test_a_piece_of_news_without_a_reason_to_stop() -> None:
    deltas, _ = decode(MESSAGES, [BEGIN, named("message_delta", delta={}, usage={"output_tokens": 2}), *END])

    assert [delta for delta in deltas if isinstance(delta, Finish)] == [Finish("stop_sequence", "X")]


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_any_chunking_gives_the_same(size: int) -> None:
    data = b"".join(reach(MESSAGES, MESSAGES, ALL["thinking"][MESSAGES], stream=True).pieces)

    assert decode_bytes(MESSAGES, data, size) == decode_bytes(MESSAGES, data, len(data))


STREAM: list[Delta] = [
    Begin("chatcmpl-1", "m", Usage(input=1)),
    *(Open(Thinking()), More("why"), Seal(Signature("openai", "e")), Close()),
    *(Open(Thinking("w")), More("hy"), Close()),
    *(Open(Thinking("x", Signature("anthropic", "s"))), Close()),
    *(Open(Text("a")), More("b"), Close()),
    *(Open(ToolUse("call_1", "t", signature=Signature("gemini", "g"))), More("{}"), Close()),
    Used(Usage(input=3, output=2)),
    Finish("length", "END"),
    Done(),
]


def test_events_as_the_client_gets_them() -> None:
    events = encode(MESSAGES, STREAM)
    told = documents(events)
    blocks = [document["content_block"] for document in told if document["type"] == "content_block_start"]
    pieces = [document["delta"] for document in told if document["type"] == "content_block_delta"]

    assert [event.name for event in events] == [document["type"] for document in told]
    assert told[0]["message"]["id"] == "msg_1"
    assert told[0]["message"]["usage"]["input_tokens"] == 1
    assert [block["type"] for block in blocks] == [
        "thinking",
        "thinking",
        "thinking",
        "text",
        "redacted_thinking",
        "tool_use",
    ]
    assert all(block.get("signature", "") == "" for block in blocks)
    assert unwrap(pieces[1]["signature"], "anthropic") == Signature("openai", "e")
    assert unwrap(pieces[4]["signature"], "anthropic").family == "unsigned"
    assert pieces[6] == {"type": "signature_delta", "signature": "s"}
    assert pieces[7:9] == [{"type": "text_delta", "text": "a"}, {"type": "text_delta", "text": "b"}]
    assert pieces[9] == {"type": "input_json_delta", "partial_json": "{}"}
    assert blocks[5] == {"type": "tool_use", "id": "toolu_1", "name": "t", "input": {}}
    assert told[-2]["delta"] == {"stop_reason": "max_tokens", "stop_sequence": "END"}
    assert told[-2]["usage"]["output_tokens"] == 2
    assert told[-1] == {"type": "message_stop"}


def test_blocks_are_opened_and_closed_in_turn() -> None:
    told = documents(encode(MESSAGES, STREAM))
    places = [document["index"] for document in told if "index" in document]
    ends = [document["type"] for document in told if document["type"].startswith("content_block_st")]

    assert places == sorted(places)
    assert ends == ["content_block_start", "content_block_stop"] * 6


def test_an_error_is_told_as_the_sdks_look_for_it() -> None:
    events = encode(MESSAGES, [Begin("1", "m"), Fail("no", "c")])

    assert events[-1].name == "error"
    assert documents(events)[-1]["error"]["message"] == "no"
