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

GEMINI = "gemini"
SEAL = Signature("gemini", "s")


def chunk(*parts: Any, finish: str = "", **more: Any) -> Event:
    candidate = {"content": {"parts": list(parts)}, **({"finishReason": finish} if finish else {}), **more}
    used = {"promptTokenCount": 3, "candidatesTokenCount": 2}
    return event({"responseId": "r", "modelVersion": "m", "candidates": [candidate], "usageMetadata": used})


def test_parts_of_every_kind_as_they_come() -> None:
    deltas, losses = decode(
        GEMINI,
        [
            chunk({"text": "w", "thought": True}),
            chunk({"text": "hy", "thought": True, "thoughtSignature": "s"}),
            chunk({"text": "a"}, {"text": ""}),
            chunk({"text": "b"}),
            chunk(
                {"functionCall": {"name": "t", "args": {}}, "thoughtSignature": "s"},
                {"functionCall": {"name": "t", "id": "own"}},
            ),
            chunk({"text": "", "thoughtSignature": "s"}, {"executableCode": {}}, groundingMetadata={"x": 1}),
            chunk({"text": "", "thought": True}, finish="STOP"),
        ],
    )

    assert deltas == [
        Begin("r", "m"),
        *(Open(Thinking()), More("w"), Used(Usage(input=3, output=2)), More("hy"), Seal(SEAL), Close()),
        *(Open(Text("")), More("a"), More("b"), Close()),
        *(Open(ToolUse("call_r_6", "t", "{}", signature=SEAL)), Close()),
        *(Open(ToolUse("own", "t", "{}")), Close()),
        *(Open(Thinking("", SEAL, redacted=True)), Close()),
        Finish("tool_use"),
        Done(),
    ]
    assert [loss.what for loss in losses] == ["a part that only this provider knows", "citations"]


def test_a_prompt_that_was_blocked() -> None:
    deltas, _ = decode(GEMINI, [event({"promptFeedback": {"blockReason": "SAFETY"}})])

    assert deltas == [Begin("seed", ""), Finish("refusal"), Done()]


def test_a_stream_that_breaks_off_or_tells_an_error() -> None:
    error = event({"error": {"code": 503, "message": "no", "status": "UNAVAILABLE"}})

    assert isinstance(decode(GEMINI, [chunk({"text": "a"})])[0][-1], Fail)
    assert decode(GEMINI, [chunk({"text": "a"}), error])[0][-1] == Fail("no", "UNAVAILABLE")


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_any_chunking_gives_the_same(size: int) -> None:
    data = b"".join(reach(GEMINI, GEMINI, ALL["thinking"][GEMINI], stream=True).pieces)

    assert decode_bytes(GEMINI, data, size) == decode_bytes(GEMINI, data, len(data))


STREAM: list[Delta] = [
    Begin("msg_1", "m", Usage(input=1)),
    *(Open(Thinking("w")), More("hy"), Seal(Signature("anthropic", "s")), Close()),
    *(Open(Thinking("", SEAL, redacted=True)), Close()),
    *(Open(Text("a")), More("b"), Close()),
    *(Open(ToolUse("c", "t", "", signature=SEAL)), More('{"n":'), More("1}"), Close()),
    Used(Usage(input=3, output=2)),
    Finish("length"),
    Done(),
]


def test_chunks_as_the_client_gets_them() -> None:
    told = documents(encode(GEMINI, STREAM))
    parts = [document["candidates"][0]["content"]["parts"][0] for document in told]

    assert parts[:2] == [{"text": "w", "thought": True}, {"text": "hy", "thought": True}]
    assert unwrap(parts[2]["thoughtSignature"], "gemini") == Signature("anthropic", "s")
    assert parts[3] == {"text": "", "thought": True, "thoughtSignature": "s"}
    assert parts[4:6] == [{"text": "a"}, {"text": "b"}]
    assert parts[6] == {"functionCall": {"id": "c", "name": "t", "args": {"n": 1}}, "thoughtSignature": "s"}
    assert told[-1]["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert told[-1]["usageMetadata"]["totalTokenCount"] == 5
    assert all("finishReason" not in document["candidates"][0] for document in told[:-1])


def test_an_error_is_told_as_the_sdks_look_for_it() -> None:
    assert documents(encode(GEMINI, [Begin("1", "m"), Fail("no", "c")]))[-1]["error"]["message"] == "no"
