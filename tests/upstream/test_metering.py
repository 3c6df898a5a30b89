from __future__ import annotations

import orjson
import pytest
from multidict import CIMultiDict

from support.upstream import CHAT, make_call
from tollgate.calls import Answer, Attempt, Call, Event
from tollgate.upstream.metering import Meter

CHUNK = orjson.dumps({"model": "gpt-4o-2024", "choices": [{"delta": {"content": "hi"}}]})


def metered(call: Call) -> tuple[Meter, Attempt]:
    attempt = Attempt("api.x", 0.0)
    return Meter(call, attempt, CIMultiDict()), attempt


def test_a_whole_answer_tells_usage_and_model() -> None:
    call = make_call()
    meter, attempt = metered(call)

    meter.whole(Answer(200, body=orjson.dumps(CHAT)))

    assert call.usage is attempt.usage
    assert call.usage is not None
    assert (call.usage.input, call.usage.output, call.answered_model) == (9, 3, "gpt-4o-2024")


@pytest.mark.parametrize("body", [b"", b"{}", b'"usage" is a word', b'{"total_tokens":', b"[]", b'["usage"]'])
def test_what_says_nothing_is_no_harm(body: bytes) -> None:
    call = make_call()
    meter, attempt = metered(call)

    meter.whole(Answer(200, body=body))

    assert (call.usage, attempt.usage, call.answered_model) == (None, None, "")


def test_a_stream_tells_usage_model_and_end_where_they_stand() -> None:
    call = make_call()
    meter, attempt = metered(call)

    meter.events([Event(None), Event(CHUNK)])
    assert (call.answered_model, call.usage, attempt.complete) == ("gpt-4o-2024", None, False)

    meter.events([Event(orjson.dumps(CHAT)), Event(b"[DONE]")])
    assert attempt.usage is not None
    assert (attempt.usage.input, attempt.usage.output, attempt.complete) == (9, 3, True)


def test_an_error_within_a_stream_is_noted_and_ends_it() -> None:
    meter, attempt = metered(make_call())

    meter.events([Event(b'{"error":{"message":"private","code":"server_error"}}')])

    assert attempt.complete
    assert attempt.error == "the provider ended its answer with an error: server_error"


def test_a_dialect_without_a_known_end_is_always_complete() -> None:
    _, attempt = metered(make_call(speaks="generic"))

    assert attempt.complete


def test_a_whole_answer_that_should_be_json_and_is_not_is_noted() -> None:
    meter, attempt = metered(make_call())

    meter.whole(Answer(200, body=b'{"model": "gpt'))

    assert (attempt.complete, attempt.error) == (True, "the answer is not JSON")


def test_headers_tell_usage_too() -> None:
    call = make_call(speaks="bedrock-invoke")
    headers = CIMultiDict({"X-Amzn-Bedrock-Input-Token-Count": "7", "X-Amzn-Bedrock-Output-Token-Count": "2"})

    Meter(call, Attempt("bedrock", 0.0), headers)

    assert call.usage is not None
    assert (call.usage.input, call.usage.output) == (7, 2)
