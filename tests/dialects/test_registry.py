from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.slots import slots_of
from tollgate.calls import Event, Usage
from tollgate.dialects import DIALECTS, FRAMINGS, Dialect, dialect

ROWS = pytest.mark.parametrize("row", DIALECTS.values(), ids=repr)

# fmt: off
WORDS = [
    "usage", "usageMetadata", "response", "message", "delta", "interaction", "metadata", "x_groq",
    "iterations", "type", "input_tokens", "output", "prompt_tokens", "completion_tokens", "total_tokens",
    "tool_usage", "image_gen", "web_search", "num_requests", "results", "tokenCount", "promptTokenCount",
    "candidates", "groundingMetadata", "webSearchQueries", "modality", "promptTokensDetails",
    "billed_units", "cacheDetails", "ttl", "inputTokens", "prompt_eval_count", "error", "code", "status",
    "model", "grounding_tool_count", "server_tool_use",
]
# fmt: on
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6),
    max_leaves=20,
)


def test_a_name_and_a_version_give_a_row() -> None:
    assert dialect("openai-chat").name == "openai-chat"
    assert dialect("anthropic-messages", "2026-10-21").version == "2026-10-21"


def test_a_version_without_its_own_row_has_the_names() -> None:
    assert dialect("anthropic-messages", "2023-06-01") is dialect("anthropic-messages")
    assert dialect("gemini", "v1beta") is dialect("gemini")


@pytest.mark.parametrize(
    ("name", "near"), [("openai-chta", "openai-chat"), ("cohere", "cohere-chat"), ("?", "generic")]
)
def test_an_unknown_name_is_an_error_that_says_the_nearest(name: str, near: str) -> None:
    with pytest.raises(KeyError, match=rf"no dialect is called '.*'; there is .*{near}"):
        dialect(name)


@ROWS
def test_a_row_is_found_by_its_own_name_and_frames_as_framings_do(row: Dialect) -> None:
    assert dialect(row.name, row.version) is row
    assert row.framing in FRAMINGS
    assert row.expected_framing({}) in FRAMINGS


@ROWS
@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 500, 502, 503, 504, 529])
def test_an_error_has_its_message_to_the_letter(row: Dialect, status: int) -> None:
    message = 'Tollgate: "a" – b\\c'
    body = row.error_body(status, message, "policy_refused", "id-1")

    assert orjson.dumps(message) in body
    assert isinstance(orjson.loads(body), dict)
    assert row.error_headers(status, "policy_refused")["content-type"] == "application/json"


@ROWS
def test_an_error_within_a_stream_is_one_to_ourselves_too(row: Dialect) -> None:
    events = row.error_events("cut off", "provider_cut", "id-1")

    assert events
    assert all(row.stream_error(event) for event in events)
    assert all(b'"cut off"' in (event.data or b"") and event.raw is None for event in events)


@ROWS
def test_an_unknown_field_is_a_slot(row: Dialect) -> None:
    body = {"never_heard_of": {"it": ["at", {"all": "!"}]}}

    assert [slot.text for slot in slots_of(row.shape, body)] == ["never_heard_of", "it", "at", "all", "!"]


@given(JSON)
def test_no_document_is_too_strange_to_be_read(document: Any) -> None:
    event = Event(orjson.dumps(document))

    for row in DIALECTS.values():
        assert isinstance(row.answered_model(document), str)
        assert isinstance(row.usage(document, Usage(input=1)), Usage)
        assert isinstance(row.model(document, {}), str)
        assert isinstance(row.streams(document, {}), bool)
        assert isinstance(row.is_last(event), bool)
        assert isinstance(row.stream_error(event), str)


@given(st.binary(max_size=40))
def test_no_bytes_are_too_strange_to_be_looked_at(data: bytes) -> None:
    for row in DIALECTS.values():
        for event in (
            Event(data),
            Event(b'{"bytes":"' + data + b'"}'),
            Event(b'{"error":' + data),
            Event(None),
        ):
            row.payload(event)
            assert isinstance(row.is_last(event), bool)
            assert isinstance(row.stream_error(event), str)
