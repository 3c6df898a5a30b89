"""What a detector gives."""

import random

from tollgate.dlp.span import Span, in_order


def test_a_span_never_carries_the_text() -> None:
    span = Span(3, 9, "EMAIL_ADDRESS", 1.0)

    assert span._fields == ("start", "end", "entity", "score", "rule")
    assert sorted([span, Span(0, 2, "SECRET", 0.5)])[1] is span


def test_many_spans_are_sorted_as_few_are() -> None:
    dice = random.Random(1)
    spans = {Span(at := dice.randrange(10**6), at + dice.randrange(99), "URL", 0.5) for _ in range(5_000)}

    assert in_order(spans) == sorted(spans)
    assert in_order([]) == []
