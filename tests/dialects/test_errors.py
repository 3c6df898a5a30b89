from __future__ import annotations

import orjson
import pytest

from tollgate.calls import Event
from tollgate.dialects.base import json_of
from tollgate.dialects.errors import Errors, fill

ERRORS = Errors(
    types={400: "invalid", 404: "not_found", 500: "server"},
    whole={
        "error": {"message": "$message", "type": "$type", "code": "$code"},
        "status": "$status",
        "id": "$id",
    },
    stream=(("error", {"message": "$message", "reasons": ["$CODE"]}), ("end", {"type": "$type"})),
    type_header="x-type",
    names=frozenset({"error", "failed"}),
    at=("error", "answer.error"),
)


def test_a_template_is_filled_all_the_way_down() -> None:
    template = {"a": "$x", "b": [{"c": "$x"}, 1, None], "d": "as it is"}

    assert fill(template, {"$x": 7}) == {"a": 7, "b": [{"c": 7}, 1, None], "d": "as it is"}


def test_a_whole_error_has_the_message_to_the_letter() -> None:
    message = 'no: "x" – ü\n$code'

    assert orjson.loads(ERRORS.body(404, message, "no_such", "id-1")) == {
        "error": {"message": message, "type": "not_found", "code": "no_such"},
        "status": 404,
        "id": "id-1",
    }


@pytest.mark.parametrize(
    ("status", "word"),
    [(400, "invalid"), (404, "not_found"), (413, "invalid"), (500, "server"), (504, "server")],
)
def test_a_status_without_its_own_word_has_that_of_its_hundred(status: int, word: str) -> None:
    assert ERRORS.type(status) == word
    assert ERRORS.headers(status) == {"content-type": "application/json", "x-type": word}


def test_a_provider_without_words_has_none() -> None:
    plain = Errors(whole={"error": "$message"}, stream=())

    assert plain.type(400) == ""
    assert plain.headers(400) == {"content-type": "application/json"}


def test_a_stream_ends_with_its_events_which_the_framing_has_to_write() -> None:
    events = ERRORS.events("cut", "provider_cut", "id-1")

    assert [(event.name, event.json(), event.raw) for event in events] == [
        ("error", {"message": "cut", "reasons": ["PROVIDER_CUT"]}, None),
        ("end", {"type": "server"}, None),
    ]


@pytest.mark.parametrize(
    ("event", "word"),
    [
        (Event(b'{"error":{"code":"rate","type":"t","message":"a secret"}}'), "rate"),
        (Event(b'{"error":{"type":"overloaded","message":"a secret"}}'), "overloaded"),
        (Event(b'{"error":{"code":429}}'), "429"),
        (Event(b'{"error":{"code":"a secret in a sentence"}}'), "error"),
        (Event(b'{"error":{"code":"' + b"x" * 65 + b'"}}'), "error"),
        (Event(b'{"error":"a secret"}'), "error"),
        (Event(b'{"error":null,"answer":{"error":{"code":"late"}}}'), "late"),
        (Event(b'{"error":null}'), ""),
        (Event(b'{"text":"\\"error\\""}'), ""),
        (Event(b'{"error":'), ""),
        (Event(b"{}"), ""),
        (Event(None), ""),
        (Event(b'{"code":"flat"}', "error"), "flat"),
        (Event(b"a secret", "failed"), "failed"),
        (Event(None, "failed"), "failed"),
    ],
)
def test_an_error_in_a_stream_is_known_by_its_word_never_its_text(event: Event, word: str) -> None:
    assert ERRORS.of_event(event, json_of) == word
