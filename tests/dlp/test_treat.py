"""What becomes of what was found."""

from __future__ import annotations

import gzip
import io
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import pytest

from support.upstream import make_call, make_request
from tollgate.calls import MODEL_PLACE, Body, Call, Refused
from tollgate.dlp.examine import Examiner
from tollgate.dlp.fresh import fresh
from tollgate.dlp.operators import Operators
from tollgate.dlp.restore import Restorer
from tollgate.dlp.span import Span
from tollgate.dlp.stubs import NOTICE
from tollgate.dlp.tokens import Book, Minter, pattern
from tollgate.dlp.treat import Treatment, Withheld, summary, treat
from tollgate.policy.dlp import Views

KEY = b"k" * 32
RULES = {
    "EMAIL_ADDRESS": r"[a-z]+@corp\.io",
    "SECRET": r"sk-[a-z0-9]{8}",
    "US_SSN": r"\d{3}-\d{2}-\d{4}",
}


NO_HEADERS: Mapping[str, str] = {}


class Finds:
    def __init__(self, rules: Mapping[str, str]) -> None:
        self.rules = rules

    def scan(self, text: str, key: str = "") -> list[Span]:
        return [
            Span(m.start(), m.end(), entity, 0.9, "sk-rule" if entity == "SECRET" else "")
            for entity, rule in self.rules.items()
            for m in re.finditer(rule, text)
        ]


def treated(
    body: Any,
    *,
    policy: Mapping[str, Any] | None = None,
    target: str = "/v1/chat",
    headers: Mapping[str, str] = NO_HEADERS,
    rules: Mapping[str, str] = RULES,
    speaks: str = "openai-chat",
    packed: bytes = b"",
) -> tuple[Treatment, Call, Book]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"content-type": "application/json", **headers}.items()
    request = make_request(content, target=target, headers=named)
    call = make_call(request, policy={"dlp": policy or {}}, speaks=speaks)
    if packed:
        call.request.body = Body(packed, content, "gzip")
    if not isinstance(body, bytes):
        call.request.body.parse(call.dialect.shape)
        call.model = call.dialect.model(call.request.body.json, call.params)
    book = Book(Minter(KEY))
    examiner = Examiner(Finds(rules), Views(), lambda data: data.hex())
    withheld = Withheld(frozenset(("authorization",)), frozenset(("key",)))
    treatment = treat(call, fresh(call, examiner.history), examiner, book, Operators(KEY).apply, withheld)
    if treatment.refusal is None:
        treatment.apply(call.request)
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
    [("mask", "***********"), ("redact", "[removed]"), ("report", "ada@corp.io"), ("ignore", "ada@corp.io")],
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


def packed(text: str) -> str:
    return b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def hidden(text: str) -> str:
    """A text within another one, where it cannot be rewritten in place."""
    return f"decode {packed(text)} please"


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


def test_numbers_of_two_outputs_are_no_address() -> None:
    body = says([{"type": "text", "text": text} for text in ("took=10.2", "0.30.40 is out")])

    treatment, _, _ = treated(body, rules={"IP_ADDRESS": r"\d{1,2}(?:\.\d{1,2}){3}"})

    assert treatment.refusal is None
    assert treatment.findings == []


@pytest.mark.parametrize(
    ("target", "headers", "found"),
    [
        ("/v1/chat?user=ada%40corp.io&n=1", {}, True),
        ("/v1/chat?key=sk-abcd1234", {}, False),
        ("/v1/chat", {"x-note": "call ada@corp.io"}, True),
        ("/v1/chat", {"authorization": "Bearer sk-abcd1234"}, False),
    ],
)
def test_everything_that_carries_text_counts_but_the_credential(
    target: str, headers: dict[str, str], found: bool
) -> None:
    treatment, call, book = treated(says("hi"), target=target, headers=headers)
    sent = call.request

    assert treatment.refusal is None
    assert treatment.edited is found
    assert list(book.originals.values()) == ["ada@corp.io"] * found
    [token] = book.originals or [""]
    assert sent.target == target.replace("ada%40corp.io", token.replace("@", "%40"))
    assert sent.headers.get("x-note") == (
        headers["x-note"].replace("ada@corp.io", token) if "x-note" in headers else None
    )
    assert sent.headers.get("authorization") == headers.get("authorization")


@pytest.mark.parametrize(
    ("target", "body"),
    [("/v1/ada@corp.io", says("hi")), ("/v1?ada@corp.io=1", says("hi")), ("/v1", {"n": 536228941})],
)
def test_what_would_be_another_one_is_not_rewritten(target: str, body: Any) -> None:
    rules = {**RULES, "US_SSN": r"\d{9}"}
    treatment, _, _ = treated(body, target=target, rules=rules)

    assert treatment.refusal is not None


SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host;x-note, Signature=0"


@pytest.mark.parametrize(
    ("target", "headers"),
    [("/v1?q=ada@corp.io", {}), ("/v1", {"x-note": "ada@corp.io"})],
)
def test_a_head_that_was_signed_is_refused_and_not_changed(target: str, headers: dict[str, str]) -> None:
    with pytest.raises(Refused, match="Signature Version 4"):
        treated(says("hi"), target=target, headers=headers | {"authorization": SIGNED})


DOCUMENT = "The key is sk-abcd1234.\nKeep it, ada@corp.io says."


@pytest.mark.parametrize("around", ["{}", "data:text/plain;base64,{}", "see {} there", '{{"file": "{}"}}'])
@pytest.mark.parametrize("times", [1, 2])
def test_base64_of_text_is_decoded_rewritten_and_encoded_again(around: str, times: int) -> None:
    run = DOCUMENT
    for _ in range(times):
        run = b64encode(run.encode()).decode()
    treatment, call, book = treated(says(around.format(run)))

    assert treatment.refusal is None
    text = call.request.body.json["messages"][0]["content"]
    start, end = around.format("|").split("|")
    inner = text.removeprefix(start).removesuffix(end)
    for _ in range(times):
        inner = b64decode(inner, validate=True).decode()
    assert redone(inner, book) == DOCUMENT
    assert len(book.originals) == 2
    assert {f.place for f in treatment.findings} == {"messages[0].content" + " (base64)" * times}


def redone(text: str, book: Book) -> str:
    return Restorer(book.originals).whole(text)


def test_base64_that_is_a_secret_as_a_whole_goes_as_a_whole() -> None:
    run = b64encode(b"ada@corp.io is mine").decode()
    treatment, _, book = treated(says(f"x {run} y"), rules=RULES | {"SECRET": run})

    assert treatment.refusal is None
    assert list(book.originals.values()) == [run]


def test_what_is_only_reported_within_base64_changes_nothing() -> None:
    run = b64encode(DOCUMENT.encode()).decode()
    treatment, _, _ = treated(says(run), policy={"actions": {"SECRET": "report", "PERSONAL": "report"}})

    assert not treatment.edited
    assert {f.action for f in treatment.findings} == {"report"}


def test_values_in_json_within_json_are_known_as_they_are() -> None:
    arguments = json.dumps({"file": json.dumps({"secret": 'k"1\\', "n": 1})})
    body = says("hi") | {"tools": [{"function": {"arguments": arguments}}]}
    _, call, book = treated(body, rules={"SECRET": r'k(?:\\*)"1\\+'})

    assert list(book.originals.values()) == ['k"1\\']
    [token] = book.originals
    sent = call.request.body.json["tools"][0]["function"]["arguments"]
    assert json.loads(json.loads(sent)["file"]) == {"secret": token, "n": 1}
    assert Restorer(book.originals).whole(sent, "json") == arguments


# -- documents that have to go, dialect by dialect -----------------------------------------------------------

_ZIPPED = packed("the key is sk-abcd1234, keep it")
_URL = f"data:application/gzip;base64,{_ZIPPED}"
DOCUMENTS: dict[str, Any] = {
    "anthropic-messages": {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": _ZIPPED},
    },
    "openai-chat": {"type": "file", "file": {"filename": "a.gz", "file_data": _URL}},
    "openai-responses": {"type": "input_file", "filename": "a.gz", "file_data": _URL},
    "gemini": {"inlineData": {"mimeType": "application/gzip", "data": _ZIPPED}},
    "gemini-cloudcode": {"inlineData": {"mimeType": "application/gzip", "data": _ZIPPED}},
    "gemini-interactions": {"type": "document", "mime_type": "application/gzip", "data": _ZIPPED},
    "bedrock-converse": {"document": {"format": "pdf", "name": "a", "source": {"bytes": _ZIPPED}}},
    "bedrock-invoke": {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": _ZIPPED},
    },
    "generic": {"type": "document_url", "document_url": _URL},
}


def asks(speaks: str, part: Any) -> dict[str, Any]:
    """A request with one part, as a dialect has it."""
    contents = {"contents": [{"role": "user", "parts": [{"text": "hi"}, part]}]}
    messages = {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}, part]}]}
    bodies: dict[str, Any] = {
        "gemini": contents,
        "gemini-cloudcode": {"request": contents},
        "gemini-interactions": {"input": [{"type": "text", "text": "hi"}, part]},
        "openai-responses": {"input": [{"role": "user", "content": [part]}]},
    }
    return {"model": "m", **bodies.get(speaks, messages)}


@pytest.mark.parametrize("speaks", DOCUMENTS)
@pytest.mark.parametrize("choice", ["block", "allow", "drop_part"])
def test_a_document_is_refused_passed_or_dropped_in_each_dialect(speaks: str, choice: str) -> None:
    body = asks(speaks, DOCUMENTS[speaks])
    treatment, call, _ = treated(body, policy={"on_unrewritable": choice}, speaks=speaks)

    assert (treatment.refusal is not None) is (choice == "block")
    sent = call.request.body.render().decode()
    assert (_ZIPPED in sent) is (choice != "drop_part")
    if choice == "drop_part":
        assert NOTICE in sent or b64encode(NOTICE.encode()).decode() in sent
        assert "application/" not in sent


FORM = (
    b'--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nfor ada@corp.io\r\n'
    b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.bin"\r\n\r\n%s\r\n--b--\r\n'
)


def test_a_file_name_is_rewritten_in_place() -> None:
    content = FORM.replace(b"a.bin", b"ada@corp.io.bin") % b"\x00"
    treatment, call, book = treated(content, headers={"content-type": "multipart/form-data; boundary=b"})

    assert treatment.refusal is None
    [token] = book.originals
    assert call.request.body.render() == content.replace(b"ada@corp.io", token.encode())


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


PIECE = {"x-goog-upload-command": "upload, finalize"}


def test_a_piece_of_a_file_keeps_its_size() -> None:
    treatment, call, _ = treated(b"dear ada@corp.io", headers=PIECE)

    assert treatment.refusal is not None
    assert "the uploaded file" in treatment.refusal.message
    assert call.request.body.render() == b"dear ada@corp.io"


@pytest.mark.parametrize("content", [b"dear nobody", b"\x89PNG"])
def test_a_piece_of_a_file_that_holds_nothing_passes(content: bytes) -> None:
    treatment, _, _ = treated(content, headers=PIECE)

    assert treatment.refusal is None


def test_a_file_as_the_body_is_looked_into() -> None:
    treatment, _, _ = treated(gzip.compress(b"the key is sk-abcd1234"))

    assert treatment.refusal is not None


ENCODED = {"content-type": "application/x-www-form-urlencoded"}
SPACED = {"PERSON": "jane doe"}


def test_the_values_of_an_encoded_form_are_rewritten_in_place() -> None:
    treatment, call, book = treated(b"a=jane+doe&b=x+y&c=%ff+jane", headers=ENCODED, rules=SPACED)

    [token] = book.originals
    assert treatment.refusal is None
    assert call.request.body.render() == f"a={token}&b=x+y&c=%ff+jane".encode()


def test_a_value_in_a_form_that_is_no_utf_8_is_blocked() -> None:
    treatment, _, _ = treated(b"a=%ff+jane+doe", headers=ENCODED, rules=SPACED)

    assert treatment.refusal is not None


SAID = "I am bob@corp.io."
DECLARED = {
    "UTF-7": ("utf-7", SAID.replace("@", "+AEA-").encode()),
    "EBCDIC": ("cp037", SAID.encode("cp037")),
}


@pytest.mark.parametrize(("charset", "content"), DECLARED.values(), ids=DECLARED)
@pytest.mark.parametrize("in_form", [False, True])
def test_data_is_read_in_the_charset_that_it_is_said_to_have(
    charset: str, content: bytes, in_form: bool
) -> None:
    kind = f"text/plain; charset={charset}"
    if in_form:
        head = f'--B\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: {kind}\r\n\r\n'
        content, kind = head.encode() + content + b"\r\n--B--", "multipart/form-data; boundary=B"

    treatment, call, _ = treated(content, headers={"content-type": kind})

    assert [finding.kind for finding in treatment.findings] == ["EMAIL_ADDRESS"]
    assert treatment.refusal or SAID.encode(charset) not in call.request.body.render()


@pytest.mark.parametrize("charset", ["latin-1", "utf-8", "of-nobody"])
def test_what_is_rewritten_is_not_found_again_in_the_charset_it_is_said_to_have(charset: str) -> None:
    kind = {"content-type": f"text/plain; charset={charset}"}

    treatment, call, _ = treated("é bob@corp.io".encode(), headers=kind)

    assert treatment.refusal is None
    assert b"bob" not in call.request.body.render()


@pytest.mark.parametrize(("text", "refused"), [("hello", True), ("bob@corp.io", False)])
def test_the_name_in_a_compressed_body_goes_with_it_or_not_at_all(text: str, refused: bool) -> None:
    packed = io.BytesIO()
    with gzip.GzipFile("jane@corp.io", "wb", fileobj=packed) as file:
        file.write(json.dumps(says(text)).encode())

    treatment, call, _ = treated(says(text), packed=packed.getvalue())

    assert (treatment.refusal is not None) == refused
    assert refused or b"corp.io" not in call.request.body.render().lower()


def test_a_header_of_a_part_that_holds_something_is_blocked() -> None:
    head = b'--B\r\nContent-Disposition: form-data; name="a"\r\nX-Note: bob@corp.io\r\n\r\nhi\r\n--B--'

    treatment, _, _ = treated(head, headers={"content-type": "multipart/form-data; boundary=B"})

    assert treatment.stuck == ("EMAIL_ADDRESS", "part 0, headers")


def test_a_model_that_is_a_value_is_blocked() -> None:
    treatment, _, _ = treated({"model": "sk-abcdefgh", "messages": []})

    assert treatment.stuck == ("SECRET", MODEL_PLACE)


def test_a_summary_counts_by_entity() -> None:
    treatment, _, _ = treated(says("ada@corp.io bob@corp.io sk-abcd1234"))

    assert summary(treatment.findings) == "2 EMAIL_ADDRESS, 1 SECRET"
