"""Answers, whole and streamed."""

from collections.abc import AsyncGenerator, Sequence

from tollgate.calls import Answer, Event


async def no_events() -> AsyncGenerator[Sequence[Event]]:
    yield []


def test_a_whole_answer_has_a_body() -> None:
    answer = Answer(200, body=b'{"ok": true}')

    assert not answer.streamed
    assert answer.json() == {"ok": True}


def test_a_body_is_read_once_and_another_one_anew() -> None:
    answer = Answer(200, body=b'{"ok": true}')
    read = answer.json()

    assert answer.json() is read
    answer.body = b'{"ok": false}'
    assert answer.json() == {"ok": False}


def test_a_streamed_answer_has_events() -> None:
    assert Answer(200, events=no_events(), framing="sse").streamed
