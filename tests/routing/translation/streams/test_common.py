from collections.abc import Iterator
from typing import Any

from tollgate.calls import Event
from tollgate.dialects import dialect
from tollgate.routing.translation.loss import Losses
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
from tollgate.routing.translation.streams.common import CUT, StreamDecoder, event, grown, with_loose_seals


class Letters(StreamDecoder):
    """A dialect of which each document is {"say": …} or {"end": true}."""

    def read(self, document: Any, name: str) -> Iterator[Delta]:
        yield from self.begin("id", "m")
        if "say" in document:
            yield from self.to("text", Text(""))
            yield More(document["say"])
        if "call" in document:
            yield from self.to("call", ToolUse("1", "t"))
        if "end" in document:
            yield from self.finish("end")
            self.complete = True


def decoded(*documents: bytes) -> list[Delta]:
    decoder = Letters(dialect("openai-chat"), "seed", Losses())
    deltas = [delta for data in documents for delta in decoder.feed(Event(data))]
    return [*deltas, *decoder.close(), *decoder.feed(Event(b'{"say": "late"}'))]


def test_parts_are_opened_and_closed_in_turn_and_usage_comes_before_the_end() -> None:
    used = b'{"end": true, "usage": {"prompt_tokens": 3, "completion_tokens": 2}}'
    deltas = decoded(b'{"say": "a"}', b'{"say": "b"}', b'{"call": 1}', used)

    assert deltas[:7] == [
        Begin("id", "m"),
        Open(Text("")),
        More("a"),
        More("b"),
        Close(),
        Open(ToolUse("1", "t")),
        Close(),
    ]
    assert isinstance(deltas[7], Used)
    assert deltas[8:] == [Finish("tool_use"), Done()]


def test_a_stream_that_breaks_off_is_an_error() -> None:
    assert decoded(b'{"say": "a"}')[-2:] == [Close(), CUT]
    assert decoded() == [CUT]


def test_nothing_comes_after_an_error() -> None:
    deltas = decoded(b'{"error": {"message": "no", "code": "c"}}', b'{"say": "a"}', b'{"end": true}')

    assert deltas == [Fail("no", "c")]


def test_a_failure_of_ours_is_told_once() -> None:
    decoder = Letters(dialect("openai-chat"), "seed", Losses())

    assert [*decoder.fail(CUT), *decoder.fail(CUT)] == [CUT]


def test_events_without_a_document_are_passed_over() -> None:
    decoder = Letters(dialect("openai-chat"), "seed", Losses())

    assert [
        *decoder.feed(Event(None)),
        *decoder.feed(Event(b"[DONE]")),
        *decoder.feed(Event(b"garbage")),
    ] == []


def test_a_tools_seal_is_opened_and_closed_before_it() -> None:
    seal = Signature("gemini", "s")
    deltas = list(with_loose_seals(Open(ToolUse("1", "t", signature=seal))))

    assert deltas == [
        Open(Thinking(signature=Signature("gemini", "s", of_tool=True), redacted=True)),
        Close(),
        Open(ToolUse("1", "t")),
    ]
    assert list(with_loose_seals(More("a"))) == [More("a")]
    assert list(with_loose_seals(Open(Text("")))) == [Open(Text(""))]


def test_a_part_grows() -> None:
    assert grown(Text("a"), "b") == Text("ab")
    assert grown(ToolUse("1", "t", "{"), "}") == ToolUse("1", "t", "{}")
    assert (event({"a": 1}, "n").name, event({"a": 1}).data) == ("n", b'{"a":1}')
