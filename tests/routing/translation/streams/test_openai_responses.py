from typing import Any

import pytest

from support.codecs import decode, decode_bytes, documents, encode
from support.conversations import ALL
from support.targets import reach
from tollgate.calls import Event, Usage
from tollgate.routing.translation import compaction
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
from tollgate.routing.translation.streams.common import INTERLEAVED, event

RESPONSES = "openai-responses"


def named(kind: str, place: int | None = None, **fields: Any) -> Event:
    placed = {} if place is None else {"output_index": place}
    return event({"type": f"response.{kind}", **placed, **fields}, f"response.{kind}")


BEGIN = named("created", response={"id": "resp_1", "model": "m"})
USED = {"input_tokens": 3, "output_tokens": 2}
END = named("completed", response={"id": "resp_1", "usage": USED})


def call(place: int, **item: Any) -> Event:
    return named(
        "output_item.added", place, item={"type": "function_call", "name": "t", "arguments": "", **item}
    )


def test_items_of_every_kind_as_they_come() -> None:
    thought = {"type": "reasoning", "encrypted_content": "e"}
    deltas, losses = decode(
        RESPONSES,
        [
            BEGIN,
            named("output_item.added", 0, item={"type": "reasoning"}),
            named("reasoning_summary_text.delta", 0, summary_index=0, delta="a"),
            named("reasoning_summary_text.delta", 0, summary_index=1, delta="b"),
            named("output_item.done", 0, item=thought),
            named("output_item.done", 1, item=thought),
            named("output_item.added", 2, item={"type": "message"}),
            named("output_text.delta", 2, content_index=0, delta="x"),
            named("refusal.delta", 2, content_index=1, delta="no"),
            named("output_item.done", 2, item={"type": "message"}),
            call(3, call_id="c"),
            named("function_call_arguments.delta", 3, delta="{}"),
            named("function_call_arguments.delta", 3, delta=""),
            named("output_item.done", 3, item={"type": "function_call"}),
            call(4),
            named("output_item.done", 4, item={"type": "function_call"}),
            named("output_item.added", 5, item={"type": "web_search_call"}),
            END,
        ],
    )

    assert deltas == [
        Begin("resp_1", "m"),
        *(Open(Thinking()), More("a"), More("\n\n"), More("b"), Seal(Signature("openai", "e")), Close()),
        *(Open(Thinking("", Signature("openai", "e"), redacted=True)), Close()),
        *(Open(Text("")), More("x"), Close()),
        *(Open(Text("", refusal=True)), More("no"), Close()),
        *(Open(ToolUse("c", "t")), More("{}"), Close()),
        *(Open(ToolUse("call_resp_1_4", "t")), Close()),
        Used(Usage(input=3, output=2)),
        Finish("tool_use"),
        Done(),
    ]
    assert [loss.where for loss in losses] == ["output[5]"]


def test_an_incomplete_answer() -> None:
    end = named("incomplete", response={"incomplete_details": {"reason": "max_output_tokens"}})

    assert decode(RESPONSES, [BEGIN, end])[0][-2:] == [Finish("length"), Done()]


def test_arguments_of_a_call_that_is_not_open_are_an_error() -> None:
    stray = named("function_call_arguments.delta", 1, delta="{}")

    assert decode(RESPONSES, [BEGIN, call(1, call_id="a"), call(2, call_id="b"), stray])[0][-1] == INTERLEAVED


@pytest.mark.parametrize("kind", ["error", "response.failed"])
def test_an_error_of_either_kind(kind: str) -> None:
    error = {"code": "server_error", "message": "no"}
    document = {"type": kind, **error, "response": {"error": error}}

    assert decode(RESPONSES, [BEGIN, event(document, kind)])[0][-1] == Fail("no", "server_error")


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_any_chunking_gives_the_same(size: int) -> None:
    data = b"".join(reach(RESPONSES, RESPONSES, ALL["tools"][RESPONSES], stream=True).pieces)

    assert decode_bytes(RESPONSES, data, size) == decode_bytes(RESPONSES, data, len(data))


STREAM: list[Delta] = [
    Begin("msg_1", "m"),
    *(Open(Thinking()), More("why"), Seal(Signature("anthropic", "s")), Close()),
    *(Open(Text("a")), More("b"), Close()),
    *(Open(Text("", refusal=True)), More("no"), Close()),
    *(Open(ToolUse("toolu_1", "t", signature=Signature("gemini", "g"))), More("{"), More("}"), Close()),
    *(Open(ToolUse("toolu_2", "sh", "", "custom", "n")), More("ls"), Close()),
    Used(Usage(input=3, output=2)),
    Finish("tool_use"),
    Done(),
]


def test_events_as_the_client_gets_them() -> None:
    events = encode(RESPONSES, STREAM, {"instructions": "brief"})
    told = documents(events)

    assert [event.name for event in events] == [document["type"] for document in told]
    assert [document["sequence_number"] for document in told] == list(range(len(told)))
    assert [document["type"].removeprefix("response.") for document in told] == [
        *("created", "in_progress"),
        *("output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta"),
        *("reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done"),
        *("output_item.added", "content_part.added", "output_text.delta", "output_text.delta"),
        *("output_text.done", "content_part.done", "output_item.done"),
        *("output_item.added", "content_part.added", "refusal.delta"),
        *("refusal.done", "content_part.done", "output_item.done"),
        *("output_item.added", "output_item.done"),
        *("output_item.added", "function_call_arguments.delta", "function_call_arguments.delta"),
        *("function_call_arguments.done", "output_item.done"),
        *(
            "output_item.added",
            "custom_tool_call_input.delta",
            "custom_tool_call_input.done",
            "output_item.done",
        ),
        "completed",
    ]


def test_the_last_event_says_it_all() -> None:
    told = documents(encode(RESPONSES, STREAM, {"instructions": "brief"}))
    finished = [document["item"] for document in told if document["type"] == "response.output_item.done"]
    whole = told[-1]["response"]

    assert whole["output"] == finished
    assert (whole["id"], whole["instructions"], whole["usage"]["total_tokens"]) == ("resp_1", "brief", 5)
    assert unwrap(finished[0]["encrypted_content"], "openai") == Signature("anthropic", "s")
    assert finished[1]["content"][0]["text"] == "ab"
    assert finished[4]["arguments"] == "{}"
    assert (finished[5]["input"], finished[5]["namespace"]) == ("ls", "n")


def test_places_and_ids_belong_together() -> None:
    told = documents(encode(RESPONSES, STREAM))
    ids: dict[int, set[str]] = {}
    for document in told:
        if "output_index" in document:
            ids.setdefault(document["output_index"], set()).add(
                document.get("item_id") or document["item"]["id"]
            )

    assert list(ids) == list(range(6))
    assert all(len(found) == 1 for found in ids.values())


def test_an_answer_that_was_cut_is_incomplete() -> None:
    told = documents(encode(RESPONSES, [Begin("1", "m"), Finish("length"), Done()]))

    assert told[-1]["type"] == "response.incomplete"
    assert told[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}


def test_an_error_is_told_as_the_sdks_look_for_it() -> None:
    events = encode(RESPONSES, [Begin("1", "m"), Fail("no", "c")])

    assert [event.name for event in events[-2:]] == ["error", "response.failed"]


@pytest.mark.parametrize(("words", "names"), [(["it was ", "done"], ["added", "done"]), ([], [])])
def test_a_summary_is_one_item_at_the_end(words: list[str], names: list[str]) -> None:
    asked = {"input": [{"type": "compaction_trigger"}]}
    thought: list[Delta] = [Open(Thinking()), More("why"), Seal(Signature("anthropic", "s")), Close()]
    said: list[Delta] = [Open(Text("")), *map(More, words), Close()]
    deltas: list[Delta] = [Begin("1", "m"), *thought, *said, Finish("end"), Done()]
    told = documents(encode(RESPONSES, deltas, asked))
    last = told[-1]["response"]

    assert [event["type"] for event in told] == [
        *("response.created", "response.in_progress"),
        *(f"response.output_item.{name}" for name in names),
        "response.completed",
    ]
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert [compaction.words(item)[-11:] for item in last["output"]] == (["it was done"] if words else [])
