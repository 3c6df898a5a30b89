"""Replacing what was found."""

import json

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


VALUE = 'a "quoted"\nkey\\'


@pytest.mark.parametrize("times", range(1, 4))
@pytest.mark.parametrize("is_json", [True, False])
def test_a_value_is_the_same_however_deep_in_json_it_stands(times: int, is_json: bool) -> None:
    written, text = VALUE, VALUE
    for _ in range(times):
        written, text = json.dumps(written)[1:-1], json.dumps({"it": text, "n": 1})
    book = Book(MINTER)

    redacted = redact(text, [(span(text, written), "replace")], book, change, is_json=is_json)

    assert book.originals == {(token := MINTER.token("SECRET", VALUE)): VALUE}
    assert Restorer(book.originals).whole(redacted, "json" if is_json else "text") == text
    for _ in range(times):
        redacted = json.loads(redacted)["it"]
    assert redacted == token


def test_what_stands_in_a_values_place_is_escaped_too() -> None:
    text = json.dumps({"file": json.dumps({"password": VALUE})})
    written = json.dumps(json.dumps(VALUE))[3:-3]

    redacted = redact(text, [(span(text, written), "mask")], Book(MINTER), lambda _, value: value[-7:])

    assert json.loads(json.loads(redacted)["file"]) == {"password": VALUE[-7:]}


def test_half_an_escape_belongs_to_the_quote_behind_it() -> None:
    text = r'{"code": "login(\"hunter2\")"}'

    redacted = redact(text, [(span(text, "hunter2\\"), "redact")], Book(MINTER), lambda *_: "")

    assert redacted == r'{"code": "login(\"\")"}'


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("C:\\users\\bob is it", "C:\\users\\bob"),  # no JSON
        ('{"a": "C:\\users\\bob"}', "C:\\users\\bob"),  # broken JSON
        ('{"a": "J\\u0061ne"}', "J\\u0061ne"),  # it would not be written so again
    ],
)
def test_a_value_that_cannot_be_written_again_stays_as_it_is(text: str, value: str) -> None:
    book = Book(MINTER)
    redacted = redact(text, [(span(text, value), "replace")], book, change)

    assert list(book.originals.values()) == [value]
    assert MINTER.token("SECRET", value) in redacted


def test_where_all_is_json_its_value_counts_and_not_how_it_is_written() -> None:
    book = Book(MINTER)
    text = '{"a": "J\\u0061ne"}'
    redact(text, [(span(text, "J\\u0061ne"), "replace")], book, change, is_json=True)

    assert list(book.originals.values()) == ["Jane"]


def test_a_value_with_line_ends_in_code_that_looks_like_json_comes_back_as_it_was() -> None:
    key = "-----BEGIN KEY-----\nabc\n-----END KEY-----"
    text = f'config = {{"key": """{key}"""}}\n'
    book = Book(Minter(b"k"))
    span = Span(text.index(key), text.index(key) + len(key), "SECRET", 1.0)

    sent = redact(text, [(span, "replace")], book, lambda _, value: value)

    assert key not in sent
    assert Restorer(book.originals).whole(sent) == text
    assert json.loads(Restorer(book.originals).whole(json.dumps({"text": sent}), "json")) == {"text": text}
