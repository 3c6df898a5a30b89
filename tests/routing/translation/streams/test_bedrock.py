from base64 import b64decode, b64encode
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

CONVERSE = "bedrock-converse"


def piece(place: int, **delta: Any) -> Event:
    return event({"contentBlockIndex": place, "delta": delta}, "contentBlockDelta")


def stop(place: int) -> Event:
    return event({"contentBlockIndex": place}, "contentBlockStop")


def start(place: int, **what: Any) -> Event:
    return event({"contentBlockIndex": place, "start": what}, "contentBlockStart")


BEGIN = event({"role": "assistant"}, "messageStart")
END = [
    event({"stopReason": "tool_use"}, "messageStop"),
    event({"usage": {"inputTokens": 3, "outputTokens": 2}}, "metadata"),
]


def test_blocks_of_every_kind_as_they_come() -> None:
    hidden = b64encode(b"r").decode()
    deltas, losses = decode(
        CONVERSE,
        [
            BEGIN,
            *(
                piece(0, reasoningContent={"text": "why"}),
                piece(0, reasoningContent={"signature": "s"}),
                stop(0),
            ),
            *(piece(1, reasoningContent={"redactedContent": hidden}), stop(1)),
            *(piece(2, text="a"), piece(2, citation={}), stop(2)),
            *(start(3, toolUse={"toolUseId": "t", "name": "n"}), piece(3, toolUse={"input": ""})),
            *(piece(3, toolUse={"input": "{}"}), stop(3)),
            *(start(4, image={}), stop(4)),
            *END,
        ],
    )

    assert deltas == [
        Begin("seed", ""),
        *(Open(Thinking()), More("why"), Seal(Signature("anthropic", "s")), Close()),
        *(Open(Thinking("", Signature("anthropic", "r"), redacted=True)), Close()),
        *(Open(Text("")), More("a"), Close()),
        *(Open(ToolUse("t", "n")), More("{}"), Close()),
        Used(Usage(input=3, output=2)),
        Finish("tool_use"),
        Done(),
    ]
    assert [loss.where for loss in losses] == ["content[2]", "content[4]"]


def test_what_the_provider_ran_itself_is_no_call_of_the_clients() -> None:
    deltas, losses = decode(
        CONVERSE,
        [
            BEGIN,
            start(0, toolUse={"toolUseId": "s", "name": "nova_code_interpreter", "type": "server_tool_use"}),
            *(piece(0, toolUse={"input": '{"snippet":"1"}'}), stop(0)),
            start(1, toolResult={"toolUseId": "s", "type": "nova_code_interpreter_result"}),
            *(piece(1, toolResult=[{"json": {"stdOut": "1"}}]), stop(1)),
            *(start(2, toolUse={"toolUseId": "t", "name": "n", "type": "tool_use"}), stop(2)),
            *END,
        ],
    )

    assert [delta for delta in deltas if isinstance(delta, Open | More)] == [Open(ToolUse("t", "n"))]
    assert [loss.where for loss in losses] == ["content[0]", "content[1]"]


def test_an_exception_in_the_midst() -> None:
    deltas, _ = decode(CONVERSE, [BEGIN, event({"message": "slow down"}, "throttlingException")])

    assert deltas[-1] == Fail("slow down", "throttlingException")


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_any_chunking_gives_the_same(size: int) -> None:
    data = b"".join(reach(CONVERSE, CONVERSE, ALL["tools"][CONVERSE], stream=True).pieces)

    assert decode_bytes(CONVERSE, data, size) == decode_bytes(CONVERSE, data, len(data))


STREAM: list[Delta] = [
    Begin("msg_1", "m", Usage(input=1)),
    *(Open(Thinking()), More("why"), Seal(Signature("openai", "e")), Close()),
    *(Open(Thinking("unsigned")), Close()),
    *(Open(Thinking("x", Signature("anthropic", "s"))), Close()),
    *(Open(Text("a")), More("b"), Close()),
    *(Open(ToolUse("call_1", "t", signature=Signature("gemini", "g"))), More("{}"), Close()),
    Used(Usage(input=3, output=2)),
    Finish("refusal"),
    Done(),
]


def test_events_as_the_client_gets_them() -> None:
    events = encode(CONVERSE, STREAM)
    told = documents(events)
    pieces = [document["delta"] for document in told if "delta" in document]

    assert events[0].name == "messageStart"
    assert [event.name for event in events if event.name == "contentBlockStart"] == ["contentBlockStart"]
    assert unwrap(pieces[1]["reasoningContent"]["signature"], "anthropic") == Signature("openai", "e")
    assert unwrap(pieces[3]["reasoningContent"]["signature"], "anthropic").family == "unsigned"
    assert pieces[5] == {"reasoningContent": {"signature": "s"}}
    assert pieces[6:8] == [{"text": "a"}, {"text": "b"}]
    sealed = b64decode(pieces[8]["reasoningContent"]["redactedContent"]).decode()
    assert unwrap(sealed, "anthropic") == Signature("gemini", "g", of_tool=True)
    assert pieces[9] == {"toolUse": {"input": "{}"}}
    assert [event.name for event in events[-2:]] == ["messageStop", "metadata"]
    assert told[-2] == {"stopReason": "content_filtered"}
    assert told[-1]["usage"]["totalTokens"] == 5


def test_an_error_is_an_exception_of_the_stream() -> None:
    assert encode(CONVERSE, [Begin("1", "m"), Fail("no", "c")])[-1].name == "internalServerException"
