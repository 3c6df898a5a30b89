"""What has to be looked at in a body of which the beginning is known."""

from __future__ import annotations

import orjson
import pytest

from support.upstream import make_call, make_request
from tollgate.calls import Body, Call, Slot
from tollgate.dlp.fresh import all_of, fresh
from tollgate.dlp.history import History, extend

pytestmark = pytest.mark.usefixtures("each_item")


def call_of(*contents: object) -> Call:
    messages = [{"role": "user", "content": content} for content in contents]
    call = make_call(make_request(orjson.dumps({"model": "m", "messages": messages})), speaks="openai-chat")
    call.policy = POLICY
    call.request.body.parse(call.dialect.shape)
    return call


POLICY = make_call(make_request(b"")).policy


def known(history: History, *contents: object) -> None:
    """Have all but the last message known."""
    found = fresh(call_of(*contents), history)
    assert found.track is not None
    extend(found.track, found.new, {}, keep=True)


def texts(slots: list[Slot]) -> list[str]:
    return [slot.text for slot in slots]


def test_of_an_unknown_body_all_is_new() -> None:
    found = fresh(call_of("a", "b"), History())

    assert (texts(found.new.slots), found.near) == (["a", "b"], [])
    assert found.track is not None


def test_what_follows_is_new_and_some_before_it_is_near() -> None:
    history = History()
    before = [f"text {n} of them" for n in range(12)]
    known(history, *before)

    found = fresh(call_of(*before, "and one more"), history)

    assert texts(found.new.slots) == [before[-1], "and one more"]
    assert texts(found.near) == before[-7:-1], "five, and one in whose place none can be missing"


def test_all_of_a_row_of_fragments_is_near() -> None:
    history = History()
    before = ["a text", *("sk1-abc" for _ in range(9))]
    known(history, *before)

    found = fresh(call_of(*before, "d"), history)

    assert texts(found.near + found.new.slots) == [*before, "d"]


def test_numbers_and_files_are_those_of_all_the_body() -> None:
    history = History()
    part = {"type": "file", "file": {"file_id": "f-1"}, "size": 1234567890}
    last = {"type": "file", "file": {"file_id": "f-2"}, "size": 9876543210}
    known(history, [part], "a", "b")

    call = call_of([part], "a", "b", [last])
    found = fresh(call, history)

    assert found.track is not None
    assert found.track.ordinal > 0
    assert found.numbers == call.request.body.numbers
    assert (found.files, [file.id for file in found.new.files]) == (["f-1", "f-2"], ["f-2"])


def test_a_number_right_behind_the_first_new_text_is_new() -> None:
    history = History()
    messages = [["a", 1234567890], ["b", 2345678901], ["c", 3456789012]]
    known(history, *messages)

    call = call_of(*messages)
    found = fresh(call, history)

    assert texts(found.new.slots) == ["c"]
    assert [number.value for number in found.new.numbers] == [3456789012]
    assert found.numbers == call.request.body.numbers


@pytest.mark.parametrize("content", [b"", b'{"model": "spaced"}'])
def test_a_body_that_cannot_be_known_is_new(content: bytes) -> None:
    call = make_call(make_request(content), speaks="openai-chat")
    if content:
        call.request.body.parse(call.dialect.shape)

    assert fresh(call, History()) == all_of(call.request.body)
    assert (fresh(call, History()).track, fresh(call, History()).files) == (None, [])


SIGNED = "c2lnbmVk"
BILLING = "x-anthropic-billing-header:"


@pytest.mark.parametrize(
    ("message", "new"),
    [
        ({"thinking": "hm", "signature": SIGNED}, []),
        ({"thinking": "hm"}, ["hm"]),
        ({"thinking": "hm", "signature": ""}, ["hm"]),
        ({"thinking": [{"text": "hm"}]}, ["hm"]),
        ({"input": {"thinking": "hm"}, "signature": SIGNED}, ["hm"]),
        ({"reasoningContent": {"reasoningText": {"text": "hm", "signature": SIGNED}}}, []),
        ({"reasoning_details": [{"text": "hm", "signature": None}]}, ["hm"]),
        ({"text": f"{BILLING} cc_version=2.1.63.a43; cc_entrypoint=cli; cch=00000;"}, []),
        ({"text": f"{BILLING} I am Jane"}, [f"{BILLING} I am Jane"]),
    ],
)
def test_only_what_the_provider_signed_is_never_touched(message: object, new: list[str]) -> None:
    body = Body(orjson.dumps({"messages": [message]}))
    body.parse({"messages": {"signature": "skip", "*": {"signature": "skip", "*": {"*": {"*": {}}}}}})

    assert [slot.text for slot in all_of(body).new.slots if slot.kind == "text"] == new
