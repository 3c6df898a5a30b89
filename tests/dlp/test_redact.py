"""Replacing what was found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.dlp.redact import redact, within_token
from tollgate.dlp.restore import Restorer
from tollgate.dlp.span import Span
from tollgate.dlp.tokens import Book, Minter
from tollgate.policy.dlp import Action

MINTER = Minter(b"k" * 32)


def change(action: Action, value: str) -> str:
    return f"<{action}:{len(value)}>"


def span(text: str, value: str, entity: str = "SECRET") -> Span:
    start = text.index(value)
    return Span(start, start + len(value), entity, 1.0)


def test_each_value_is_replaced_as_its_action_says() -> None:
    text = "a=hunter2 b=bob@corp.com c=4111 d=x e=y"
    book = Book(MINTER)

    found: list[tuple[Span, Action]] = [
        (span(text, "4111", "CREDIT_CARD"), "mask"),
        (span(text, "hunter2"), "replace"),
        (span(text, "bob@corp.com", "EMAIL_ADDRESS"), "replace"),
        (span(text, "x"), "report"),
        (span(text, "y"), "ignore"),
    ]
    redacted = redact(text, found, book, change)

    secret, mail = MINTER.token("SECRET", "hunter2"), MINTER.token("EMAIL_ADDRESS", "bob@corp.com")
    assert redacted == f"a={secret} b={mail} c=<mask:4> d=x e=y"
    assert book.originals == {secret: "hunter2", mail: "bob@corp.com"}


@pytest.mark.parametrize("action", ["report", "ignore", "block"])
def test_some_actions_change_no_text(action: Action) -> None:
    assert redact("hunter2", [(span("hunter2", "hunter2"), action)], Book(MINTER), change) == "hunter2"


def test_findings_that_overlap_are_an_error() -> None:
    found: list[tuple[Span, Action]] = [
        (Span(0, 4, "SECRET", 1.0), "replace"),
        (Span(3, 6, "SECRET", 1.0), "replace"),
    ]

    with pytest.raises(ValueError, match="overlap at character 3"):
        redact("hunter2", found, Book(MINTER), change)


@pytest.mark.parametrize("entity", ["SECRET", "EMAIL_ADDRESS", "PERSON"])
def test_a_token_is_never_redacted_again(entity: str) -> None:
    token = MINTER.token(entity, "hunter2")
    text = f"password = {token};"
    whole, part = span(text, token), span(text, token[4:])

    for found in (whole, part):
        assert redact(text, [(found, "replace")], Book(MINTER), change) == text


def test_what_is_more_than_a_token_is_redacted_all_the_same() -> None:
    text = "postgres://admin:" + MINTER.token("SECRET", "x") + "@db/prod"

    assert redact(text, [(Span(0, len(text), "SECRET", 1.0), "redact")], Book(MINTER), change).startswith(
        "<redact:"
    )


def test_a_token_is_seen_behind_what_only_looks_like_one() -> None:
    token = MINTER.token("SECRET", "x")
    text = "QZXSAAA" + token

    assert within_token(text, span(text, token))


@given(data=st.data(), text=st.text(max_size=60))
def test_what_was_redacted_is_restored(data: st.DataObject, text: str) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    spans = [Span(a, b, data.draw(st.sampled_from(["SECRET", "EMAIL_ADDRESS", "PERSON"])), 1.0)
             for a, b in zip(cuts[::2], cuts[1::2], strict=False) if a < b]  # fmt: skip
    book = Book(MINTER)

    redacted = redact(text, [(found, "replace") for found in spans], book, change)

    assert Restorer(book.originals).whole(redacted) == text
    assert len(book.originals) == len({(s.entity, text[s.start : s.end]) for s in spans})
