from __future__ import annotations

from support.slots import keys, texts
from tollgate.calls import End, Event, Usage
from tollgate.dialects.generic import GENERIC


def test_every_string_is_a_slot() -> None:
    body = {"id": "7", "prompt": "a cat", "options": [{"size": "256x256"}]}

    assert texts(GENERIC.shape, body) == ["7", "a cat", "256x256"]
    assert keys(GENERIC.shape, body) == ["id", "prompt", "options", "size"]


def test_usage_is_found_where_openai_puts_it() -> None:
    """As for images: text and image tokens apart, on both sides."""
    usage = {
        "input_tokens": 50,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
        "output_tokens": 200,
        "output_tokens_details": {"text_tokens": 0, "image_tokens": 200},
        "total_tokens": 250,
    }

    assert GENERIC.usage({"data": [], "usage": usage}) == Usage(input=10, input_image=40, output_image=200)


def test_audio_may_be_billed_by_the_second() -> None:
    assert GENERIC.usage({"text": "hi", "usage": {"type": "duration", "seconds": 12.5}}) == Usage(
        seconds=12.5
    )


def test_a_total_alone_is_input_as_reranking_has_it() -> None:
    assert GENERIC.usage({"results": [], "usage": {"total_tokens": 26_000}}) == Usage(input=26_000)
    assert GENERIC.usage({"usage": {"output_tokens": 3, "total_tokens": 9}}) == Usage(output=3)


def test_a_stream_is_complete_where_it_closes() -> None:
    assert GENERIC.is_last(Event(b'{"type":"speech.audio.delta"}'))
    assert GENERIC.is_last(End())


def test_coheres_embeddings_and_reranking_say_what_they_bill() -> None:
    embedded = {"texts": ["a"], "meta": {"billed_units": {"image_tokens": 0, "input_tokens": 4}}}

    assert GENERIC.usage(embedded) == Usage(input=4)
    assert GENERIC.usage({"meta": {"billed_units": {"search_units": 2}}}) == Usage(requests={"search": 2})
    assert GENERIC.usage({"meta": {"api_version": {"version": "2"}}}) is None
