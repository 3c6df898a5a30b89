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
    Signature,
    Text,
    Thinking,
    ToolUse,
    Used,
)
from tollgate.routing.translation.streams.common import INTERLEAVED, event

CHAT = "openai-chat"


def chunk(delta: Any, finish: str | None = None, **more: Any) -> Event:
    return event(
        {
            "id": "chatcmpl-1",
            "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
            **more,
        }
    )


def call(index: int | None, arguments: str = "", **more: Any) -> dict[str, Any]:
    placed = {} if index is None else {"index": index}
    return {
        "tool_calls": [
            {**placed, **more, "function": {"arguments": arguments, **({"name": "t"} if more else {})}}
        ]
    }


DONE = Event(b"[DONE]")


def test_pieces_of_every_kind_as_they_come() -> None:
    deltas, _ = decode(
        CHAT,
        [
            chunk({"role": "assistant", "content": ""}),
            chunk({"reasoning_content": "why"}),
            chunk({"content": "a"}),
            chunk({"content": "b"}),
            chunk({"refusal": "no"}),
            chunk(call(0, id="c1")),
            chunk(call(0, "{}")),
            chunk(call(1, "[]", id="c2")),
            chunk({}, "tool_calls"),
            event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}),
            DONE,
        ],
    )

    assert deltas == [
        Begin("chatcmpl-1", "m"),
        *(Open(Thinking()), More("why"), Close()),
        *(Open(Text("")), More("a"), More("b"), Close()),
        *(Open(Text("", refusal=True)), More("no"), Close()),
        *(Open(ToolUse("c1", "t")), More("{}"), Close()),
        *(Open(ToolUse("c2", "t")), More("[]"), Close()),
        Used(Usage(input=3, output=2)),
        Finish("tool_use"),
        Done(),
    ]


def test_servers_that_give_whole_calls_without_index_or_id() -> None:
    deltas, _ = decode(
        CHAT,
        [
            chunk(call(None, "{}", type="function")),
            chunk(call(None, "[]", type="function")),
            chunk({}, "stop"),
        ],
    )

    opened = [delta.part for delta in deltas if isinstance(delta, Open)]
    assert opened == [ToolUse("call_chatcmpl-1_0", "t"), ToolUse("call_chatcmpl-1_1", "t")]
    assert deltas[-2:] == [Finish("tool_use"), Done()]


def test_two_calls_at_once_are_an_error_and_no_half_call() -> None:
    deltas, _ = decode(CHAT, [chunk(call(0, id="a")), chunk(call(1, id="b")), chunk(call(0, "{}")), DONE])

    assert deltas[-1] == INTERLEAVED


def test_only_the_first_choice_is_told() -> None:
    other = event({"id": "1", "choices": [{"index": 1, "delta": {"content": "b"}, "finish_reason": None}]})
    deltas, losses = decode(CHAT, [chunk({"content": "a"}), other, DONE])

    assert [delta for delta in deltas if isinstance(delta, More)] == [More("a")]
    assert [loss.what for loss in losses] == ["all choices but the first"]


def test_an_end_without_a_reason_is_one_all_the_same() -> None:
    assert decode(CHAT, [chunk({"content": "a"}), DONE])[0][-2:] == [Finish("end"), Done()]
    assert isinstance(decode(CHAT, [chunk({"content": "a"}), Event(b"garbage")])[0][-1], Fail)


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_any_chunking_gives_the_same(size: int) -> None:
    data = b"".join(reach(CHAT, CHAT, ALL["tools"][CHAT], stream=True).pieces)

    assert decode_bytes(CHAT, data, size) == decode_bytes(CHAT, data, len(data))


STREAM: list[Delta] = [
    Begin("msg_1", "m", Usage(input=1)),
    *(Open(Thinking("w")), More("hy"), Close()),
    *(Open(Text("")), More("a"), Close()),
    *(Open(Text("", refusal=True)), More("no"), Close()),
    *(Open(ToolUse("toolu_1", "t", signature=Signature("gemini", "s"))), More("{}"), Close()),
    *(Open(ToolUse("toolu_2", "sh", "", "custom")), More("ls"), Close()),
    Used(Usage(input=3, output=2)),
    Finish("tool_use"),
    Done(),
]


def test_chunks_as_the_client_gets_them() -> None:
    told = documents(encode(CHAT, STREAM))
    deltas = [document["choices"][0]["delta"] for document in told[:-2]]

    assert told[0]["id"] == "chatcmpl-1"
    assert told[0]["created"] == 7
    assert deltas[0] == {"role": "assistant", "content": "", "refusal": None}
    assert deltas[1:5] == [
        {"reasoning_content": "w"},
        {"reasoning_content": "hy"},
        {"content": "a"},
        {"refusal": "no"},
    ]
    first = deltas[5]["tool_calls"][0]
    assert (first["index"], first["id"], first["function"]) == (0, "call_1", {"name": "t", "arguments": ""})
    assert first["extra_content"] == {"google": {"thought_signature": "s"}}
    assert deltas[6] == {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}
    assert deltas[8] == {"tool_calls": [{"index": 1, "custom": {"input": "ls"}}]}
    assert told[-3]["choices"][0]["finish_reason"] == "tool_calls"
    assert told[-2]["usage"]["total_tokens"] == 5
    assert told[-1] is None


def test_usage_is_told_only_to_who_asked_for_it() -> None:
    told = documents(encode(CHAT, STREAM, counted=False))

    assert all(document is None or "usage" not in document for document in told)


def test_an_error_is_told_as_the_sdks_look_for_it() -> None:
    told = documents(encode(CHAT, [Begin("1", "m"), Fail("no", "c")]))

    assert told[-1]["error"]["message"] == "no"


def test_calls_that_all_say_the_same_index_are_told_apart_by_their_ids() -> None:
    deltas, _ = decode(
        CHAT,
        [chunk(call(0, "{}", id="c1")), chunk(call(0, "[", id="c2")), chunk(call(0, "]", id="c2")), DONE],
    )

    assert deltas[1:-2] == [
        *(Open(ToolUse("c1", "t")), More("{}"), Close()),
        *(Open(ToolUse("c2", "t")), More("["), More("]"), Close()),
    ]


def test_thoughts_and_words_in_parts_of_the_content() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "why"}]}
    deltas, _ = decode(
        CHAT, [chunk({"content": [thinking]}), chunk({"content": [{"type": "text", "text": "a"}]}), DONE]
    )

    assert deltas[1:-2] == [Open(Thinking()), More("why"), Close(), Open(Text("")), More("a"), Close()]


def test_a_reason_to_stop_that_comes_early_and_twice_is_told_once_at_the_end() -> None:
    deltas, _ = decode(
        CHAT, [chunk({"content": "a"}, "stop"), chunk(call(0, "{}", id="c1")), chunk({}, "stop"), DONE]
    )

    assert deltas[1:] == [
        *(Open(Text("")), More("a"), Close()),
        *(Open(ToolUse("c1", "t")), More("{}"), Close()),
        Finish("tool_use"),
        Done(),
    ]


def test_an_answer_that_says_nothing_begins_all_the_same() -> None:
    assert decode(CHAT, [DONE])[0] == [Begin("seed", ""), Finish("end"), Done()]
