from __future__ import annotations

import pytest

from tollgate.calls import End, Event
from tollgate.dialects.ends import any_event, finished, matching, named

STOPS = named("message_stop", "done")


@pytest.mark.parametrize(
    ("event", "last"),
    [
        (Event(b"{}", "message_stop"), True),
        (Event(b"[DONE]", "done"), True),
        (Event(b'{"type": "message_stop"}', "message_delta"), False),
        (Event(b'{"type":"message_stop"}'), True),
        (Event(b'{"type": "done"}'), True),
        (Event(b'{"type":"ping"}'), False),
        (Event(b'{"text":"\\"type\\":\\"done\\""}'), False),
        (Event(None), False),
        (End(), False),
    ],
)
def test_an_end_is_known_by_name_or_else_by_type(event: Event, last: bool) -> None:
    assert STOPS(event) is last


@pytest.mark.parametrize(
    ("data", "last"),
    [(b'{"done":true}', True), (b'{"done": true}', True), (b'{"done":false}', False), (None, False)],
)
def test_an_end_is_known_by_its_payload(data: bytes | None, last: bool) -> None:
    assert matching(rb'"done":\s*true')(Event(data)) is last


@pytest.mark.parametrize(
    ("data", "last"),
    [
        (b"[DONE]", True),
        (b"[DONE] ", True),
        (b'{"finish_reason": "stop"}', True),
        (b'{"finish_reason":null}', False),
        (b'{"text":"[DONE]"}', False),
        (None, False),
    ],
)
def test_a_chat_ends_with_done_or_a_reason_to_finish(data: bytes | None, last: bool) -> None:
    assert finished(Event(data)) is last


def test_where_no_end_is_known_any_event_may_be_it() -> None:
    assert any_event(Event(b"{}"))
    assert any_event(End())
