"""What becomes of what was found."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest

from support.upstream import make_call, make_request
from tollgate.calls import Call, Refused, Slot
from tollgate.dlp.examine import Examiner
from tollgate.dlp.operators import Operators
from tollgate.dlp.span import Span
from tollgate.dlp.tokens import Book, Minter, pattern
from tollgate.dlp.treat import Treatment, Withheld, action_for, is_attested, key_of, place_of, summary, treat
from tollgate.policy.dlp import Views

KEY = b"k" * 32
RULES = {
    "EMAIL_ADDRESS": r"[a-z]+@corp\.io",
    "SECRET": r"sk-[a-z0-9]{8}",
    "US_SSN": r"\d{3}-\d{2}-\d{4}",
}


NO_HEADERS: Mapping[str, str] = {}


class Finds:
    def scan(self, text: str, key: str = "") -> list[Span]:
        return [
            Span(m.start(), m.end(), entity, 0.9, "sk-rule" if entity == "SECRET" else "")
            for entity, rule in RULES.items()
            for m in re.finditer(rule, text)
        ]


def treated(
    body: Any,
    *,
    policy: Mapping[str, Any] | None = None,
    target: str = "/v1/chat",
    headers: Mapping[str, str] = NO_HEADERS,
) -> tuple[Treatment, Call, Book]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"content-type": "application/json", **headers}.items()
    call = make_call(make_request(content, target=target, headers=named), policy={"dlp": policy or {}})
    if not isinstance(body, bytes):
        call.request.body.parse(call.dialect.shape)
    book = Book(Minter(KEY))
    examiner = Examiner(Finds(), Views(), lambda data: data.hex())
    withheld = Withheld(frozenset(("authorization",)), frozenset(("key",)))
    treatment = treat(call, examiner, book, Operators(KEY).apply, withheld)
    treatment.apply(call.request.body)
    return treatment, call, book


def says(text: Any) -> dict[str, Any]:
    return {"model": "gpt-6", "messages": [{"role": "user", "content": text}]}


def test_values_are_replaced_by_tokens_of_the_book() -> None:
    treatment, call, book = treated(says("mail ada@corp.io the key sk-abcd1234"))

    text = call.request.body.json["messages"][0]["content"]
    assert sorted(book.originals.values()) == ["ada@corp.io", "sk-abcd1234"]
    assert len(pattern().findall(text)) == 2
    assert {(f.kind, f.place, f.action) for f in treatment.findings} == {
        ("EMAIL_ADDRESS", "messages[0].content", "replace"),
        ("SECRET", "messages[0].content", "replace"),
    }


@pytest.mark.parametrize(
    ("action", "left"),
    [("mask", "***********"), ("redact", ""), ("report", "ada@corp.io"), ("ignore", "ada@corp.io")],
)
def test_every_action_does_what_it_says(action: str, left: str) -> None:
    treatment, call, book = treated(says("ada@corp.io"), policy={"actions": {"EMAIL_ADDRESS": action}})

    assert call.request.body.json["messages"][0]["content"] == left
    assert book.originals == {}
    assert bool(treatment.findings) is (action != "ignore")


def test_block_names_entity_and_place() -> None:
    treatment, _, _ = treated(says("ada@corp.io"), policy={"actions": {"PERSONAL": "block"}})

    assert isinstance(treatment.refusal, Refused)
    assert "EMAIL_ADDRESS" in treatment.refusal.message
    assert "messages[0].content" in treatment.refusal.message
    assert "ada@" not in treatment.refusal.message


@pytest.mark.parametrize(
    ("actions", "action"),
    [
        ({}, "replace"),
        ({"SECRET": "mask"}, "mask"),
        ({"SECRET": "mask", "sk-rule": "block"}, "block"),
        ({"PERSONAL": "report"}, "replace"),
    ],
)
def test_the_most_specific_action_holds(actions: dict[str, Any], action: str) -> None:
    assert action_for(Span(0, 1, "SECRET", 0.9, "sk-rule"), actions) == action


def hidden(text: str) -> str:
    return f"decode {b64encode(text.encode()).decode()} please"


@pytest.mark.parametrize(
    ("choice", "refused", "left"),
    [("block", True, True), ("allow", False, True), ("drop_part", False, False)],
)
def test_what_cannot_be_rewritten_is_settled_by_policy(choice: str, refused: bool, left: bool) -> None:
    body = says(hidden("the key is sk-abcd1234, keep it"))
    treatment, call, _ = treated(body, policy={"on_unrewritable": choice})

    assert (treatment.refusal is not None) is refused
    text = call.request.body.json["messages"][0]["content"]
    assert (text == body["messages"][0]["content"]) is left
    assert text.startswith("decode ")


def test_a_finding_that_is_only_reported_may_be_where_it_cannot_be_rewritten() -> None:
    body = says(hidden("the key is sk-abcd1234, keep it"))
    treatment, _, _ = treated(body, policy={"actions": {"SECRET": "report"}})

    assert treatment.refusal is None
    assert [f.action for f in treatment.findings] == ["report"]


PARTS = [{"type": "text", "text": "number 536-22-"}, {"type": "text", "text": "8941 it is"}]


@pytest.mark.parametrize(("choice", "refused"), [("block", True), ("drop_part", False)])
def test_values_over_several_parts_are_found(choice: str, refused: bool) -> None:
    treatment, call, _ = treated(says(PARTS), policy={"on_unrewritable": choice})

    assert (treatment.refusal is not None) is refused
    if not refused:
        texts = [part["text"] for part in call.request.body.json["messages"][0]["content"]]
        assert texts == ["number ", " it is"]


@pytest.mark.parametrize(
    ("target", "headers", "refused"),
    [
        ("/v1/chat?user=ada@corp.io", {}, True),
        ("/v1/chat?key=sk-abcd1234", {}, False),
        ("/v1/chat", {"x-note": "call ada@corp.io"}, True),
        ("/v1/chat", {"authorization": "Bearer sk-abcd1234"}, False),
    ],
)
def test_everything_that_carries_text_counts_but_the_credential(
    target: str, headers: dict[str, str], refused: bool
) -> None:
    treatment, _, _ = treated(says("hi"), target=target, headers=headers)

    assert (treatment.refusal is not None) is refused


FORM = (
    b'--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nfor ada@corp.io\r\n'
    b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.bin"\r\n\r\n%s\r\n--b--\r\n'
)


def form(content: bytes) -> tuple[Treatment, Call, Book]:
    return treated(FORM % content, headers={"content-type": "multipart/form-data; boundary=b"})


def test_the_texts_of_a_form_are_rewritten_in_place() -> None:
    treatment, call, book = form(b"\x00\x01\x02")

    assert treatment.refusal is None
    [token] = book.originals
    assert call.request.body.render() == (FORM % b"\x00\x01\x02").replace(b"ada@corp.io", token.encode())


def test_a_file_of_a_form_that_holds_something_is_blocked() -> None:
    treatment, _, _ = form(gzip.compress(b"the key is sk-abcd1234"))

    assert treatment.refusal is not None
    assert "part 1 of the form" in treatment.refusal.message


def test_a_plain_text_body_is_rewritten() -> None:
    _, call, book = treated(b"dear ada@corp.io", headers={"content-type": "text/plain"})

    assert list(book.originals.values()) == ["ada@corp.io"]
    assert b"ada@" not in call.request.body.render()


def test_a_file_as_the_body_is_looked_into() -> None:
    treatment, _, _ = treated(gzip.compress(b"the key is sk-abcd1234"))

    assert treatment.refusal is not None


@pytest.mark.parametrize(
    ("slot", "attested"),
    [
        (Slot(0, "hm", "text", ("messages", 0, "content", 0, "thinking")), True),
        (Slot(0, "x-anthropic-billing-header: cch=1", "text", ("system", 0, "text")), True),
        (Slot(0, "hm", "text", ("messages", 0, "content")), False),
    ],
)
def test_what_the_provider_signed_is_never_touched(slot: Slot, attested: bool) -> None:
    assert is_attested(slot) is attested


def test_a_key_that_is_itself_the_finding_is_not_told() -> None:
    key = Slot(3, "sk-abcd1234", "key", ("tools", 0, "sk-abcd1234"))

    assert (place_of(key), key_of(key)) == ("a key of tools[0]", "")
    assert place_of(Slot(0, "x", "key", ("x",))) == "a key of the body"
    assert key_of(Slot(0, "x", "text", ("ssn", 0))) == "ssn"
    assert place_of(Slot(0, "x", "text", ())) == "the body"


def test_a_summary_counts_by_entity() -> None:
    treatment, _, _ = treated(says("ada@corp.io bob@corp.io sk-abcd1234"))

    assert summary(treatment.findings) == "2 EMAIL_ADDRESS, 1 SECRET"
