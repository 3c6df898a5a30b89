"""What a detector gives."""

from tollgate.dlp.span import Span


def test_a_span_never_carries_the_text() -> None:
    span = Span(3, 9, "EMAIL_ADDRESS", 1.0)

    assert span._fields == ("start", "end", "entity", "score", "rule")
    assert sorted([span, Span(0, 2, "SECRET", 0.5)])[1] is span
