import orjson
import pytest
from multidict import CIMultiDict

from tollgate.calls import Event
from tollgate.dialects import dialect
from tollgate.routing.translation.faults import fault, message_of, whole_fault

ERRORS = {
    "openai-chat": {
        "error": {"message": "too fast", "type": "rate_limit_error", "code": "rate_limit_exceeded"}
    },
    "anthropic-messages": {"type": "error", "error": {"type": "rate_limit_error", "message": "too fast"}},
    "gemini": {"error": {"code": 429, "message": "too fast", "status": "RESOURCE_EXHAUSTED"}},
    "bedrock-converse": {"message": "too fast"},
    "ollama": {"error": "too fast"},
    "cohere-chat": {"id": "1", "message": "too fast"},
}
NAMED = {
    "rate_limit_exceeded",
    "rate_limit_error",
    "RESOURCE_EXHAUSTED",
    "ThrottlingException",
    "provider_error",
}


@pytest.mark.parametrize("target", ERRORS)
@pytest.mark.parametrize(
    "source", ["openai-chat", "openai-responses", "anthropic-messages", "gemini", "bedrock-converse"]
)
def test_an_error_keeps_its_status_and_words_in_the_clients_form(source: str, target: str) -> None:
    headers = CIMultiDict(
        {"x-amzn-errortype": "ThrottlingException:http://x", "request-id": "r1", "retry-after": "2"}
    )
    told = whole_fault(dialect(target), dialect(source), 429, headers, orjson.dumps(ERRORS[target]))
    assert told
    status, sent, body, losses = told

    assert (status, sent["retry-after"], losses) == (429, "2", [])
    assert message_of(orjson.loads(body)) == "too fast"
    assert (
        dialect(source).stream_error(Event(body, "error"))
        or sent["x-amzn-errortype"] == "ThrottlingException"
    )


@pytest.mark.parametrize(
    ("status", "source", "expected"),
    [
        (529, "openai-chat", 503),
        (503, "anthropic-messages", 529),
        (503, "gemini", 503),
        (424, "openai-chat", 502),
        (408, "openai-chat", 504),
        (400, "anthropic-messages", 400),
    ],
)
def test_statuses_that_only_one_provider_has(status: int, source: str, expected: int) -> None:
    told = whole_fault(dialect("openai-chat"), dialect(source), status, CIMultiDict(), b"<html>")

    assert told is not None
    assert told[0] == expected
    assert message_of(orjson.loads(told[2])) == "The provider answered with an error, and did not say which."


def test_an_error_with_status_200_is_one_all_the_same() -> None:
    body = b'{"error": {"message": "upstream failed", "code": 502}}'
    told = whole_fault(dialect("openai-chat"), dialect("anthropic-messages"), 200, CIMultiDict(), body)

    assert told is not None
    assert told[0] == 502
    assert orjson.loads(told[2])["error"]["message"] == "upstream failed"


def test_any_other_answer_is_none() -> None:
    assert (
        whole_fault(dialect("openai-responses"), dialect("gemini"), 200, CIMultiDict(), b'{"error": null}')
        is None
    )
    assert fault(dialect("openai-chat"), Event(b'{"choices": []}')) is None


def test_an_error_within_a_stream() -> None:
    failure = fault(dialect("bedrock-converse"), Event(b'{"message": "slow down"}', "throttlingException"))
    assert failure is not None
    assert (failure.message, failure.code) == ("slow down", "throttlingException")

    unsaid = fault(dialect("anthropic-messages"), Event(b"{}", "error"))
    assert unsaid is not None
    assert "did not say which" in unsaid.message


@pytest.mark.parametrize("document", [None, 5, [], {}, {"error": {"message": 5}}, {"message": ""}])
def test_a_document_without_a_sentence(document: object) -> None:
    assert message_of(document) == ""
