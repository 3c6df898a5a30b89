"""What becomes of slots, whether or not what stands before them is known."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.history import remember_from
from support.upstream import make_call, make_request
from tollgate.calls import Body, Finding, Slot
from tollgate.dlp.examine import Examiner
from tollgate.dlp.fresh import fresh
from tollgate.dlp.operators import Operators
from tollgate.dlp.settle import Settling
from tollgate.dlp.slots import key_of, place_of, treat_slots
from tollgate.dlp.span import Span
from tollgate.dlp.tokens import Book, Minter, Numbered
from tollgate.policy.dlp import Dlp, Views

KEY = b"k" * 32
RULES = {
    "EMAIL_ADDRESS": r"[a-z]+@corp\.io",
    "SECRET": r"sk-[a-z0-9]{8}",
    "US_SSN": r"\d{3}-\d{2}-\d{4}",
}


class Finds:
    """Finds what the rules say, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def scan(self, text: str, key: str = "") -> list[Span]:
        self.asked.append(text)
        return [
            Span(m.start(), m.end(), entity, 0.9, "")
            for entity, rule in RULES.items()
            for m in re.finditer(rule, text)
        ]


def new_examiner() -> Examiner:
    return Examiner(Finds(), Views(), lambda data: data.hex())


class Treated:
    """A body that was treated, and what was found in it."""

    def __init__(
        self,
        body: Any,
        examiner: Examiner,
        policy: Dlp,
        speaks: str = "openai-chat",
        book: Book | None = None,
    ) -> None:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        call = make_call(make_request(content), speaks=speaks)
        call.policy = call.policy.model_copy(update={"dlp": policy})
        call.request.body.parse(call.dialect.shape)
        self.book = Book(Minter(KEY)) if book is None else book
        settling = Settling(policy, examiner, self.book, Operators(KEY).apply)
        self.before = call.request.body
        self.body: Body | None = treat_slots(self.before, fresh(call, examiner.history), examiner, settling)
        self.findings: list[Finding] = settling.findings
        self.stuck = settling.stuck

    @property
    def told(self) -> tuple[Any, ...]:
        findings = sorted(map(repr, self.findings))
        written = self.body and self.body.render()
        return written, self.body and self.body.json, findings, self.stuck, dict(self.book.originals)


def chat(*texts: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text} for text in texts], **more}


WORDS = st.sampled_from(
    [
        *("ada@corp.io", "bob@corp.io", "sk-abcd1234", "123-45-6789", "ada@", "corp.io", "sk-ab12", "cd-34"),
        *("the", "\n", " ", '"', "\\", "é", "😀", "x" * 40, '{"a": "eve@corp.io"}', "tgxE", "\x7f\x01"),
    ]
)
TEXTS = st.lists(WORDS, max_size=6).flatmap(lambda words: st.sampled_from([" ".join(words), "".join(words)]))
ITEMS = st.one_of(
    st.builds(lambda text: {"role": "user", "content": text}, TEXTS),
    st.builds(lambda text: {"role": "user", "content": [{"type": "text", "text": text}] * 2}, TEXTS),
    st.builds(
        lambda text, key: {"role": "assistant", "tool_calls": [{"function": {"arguments": text, key: text}}]},
        TEXTS,
        TEXTS,
    ),
)
POLICIES = [
    Dlp(),
    Dlp(actions={"SECRET": "mask", "US_SSN": "report"}),
    Dlp(on_unrewritable="drop_part"),
    Dlp(on_unrewritable="allow", actions={"EMAIL_ADDRESS": "redact"}),
    Dlp(actions={"SECRET": "block"}),
]


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.lists(ITEMS, max_size=3), min_size=2, max_size=6),
    st.sampled_from(POLICIES),
    st.sampled_from([1, 20, 80]),
    st.data(),
)
def test_what_is_known_changes_nothing(
    turns: list[list[Any]], policy: Dlp, least: int, data: st.DataObject
) -> None:
    """Sessions that grow, fork and are cut, with tools before, behind or not at all."""
    examiner = new_examiner()
    with pytest.MonkeyPatch.context() as patch:
        remember_from(patch, least)
        for messages in accumulate(turns):
            fork = data.draw(st.integers(0, len(messages)))
            ends = data.draw(st.sampled_from([[], [{"role": "user", "content": "then ada@corp.io"}]]))
            tools = {"tools": [{"function": {"name": "f", "description": "for bob@corp.io"}}] * 2}
            body = {"messages": messages[: fork or None] + ends}
            body = data.draw(st.sampled_from([body, {**tools, **body}, {**body, **tools}]))

            assert Treated(body, examiner, policy).told == Treated(body, new_examiner(), policy).told


@pytest.mark.usefixtures("each_item")
def test_of_a_session_only_what_is_new_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    examiner, policy = new_examiner(), Dlp()
    texts = [f"turn {n} of ada@corp.io" for n in range(20)]
    looked: list[str] = []
    sight = examiner.sight

    def noted(text: str, *more: Any) -> Any:
        looked.append(text)
        return sight(text, *more)

    monkeypatch.setattr(examiner, "sight", noted)

    Treated(chat(*texts[:18]), examiner, policy)
    looked.clear()
    known = Treated(chat(*texts), examiner, policy)

    assert looked == texts[17:]  # the last one of before, since more of it might have come
    assert known.told == Treated(chat(*texts), new_examiner(), policy).told
    assert [f.place for f in known.findings] == [f"messages[{n}].content" for n in range(20)]


@pytest.mark.usefixtures("each_item")
@pytest.mark.parametrize("style", [{"indent": 1}, {"separators": (",", ":")}], ids=["spaced", "escaped"])
def test_a_body_that_is_written_in_another_way_is_not_patched(style: Mapping[str, Any]) -> None:
    examiner, policy = new_examiner(), Dlp()
    for count in (3, 5):
        asked = chat(*["é ada@corp.io é sk-abcd1234"] * count)
        usual = Treated(asked, new_examiner(), policy).body
        other = Treated(json.dumps(asked, **style).encode(), examiner, policy).body

        assert usual is not None
        assert other is not None
        assert orjson.loads(other.render()) == orjson.loads(usual.render())


@pytest.mark.usefixtures("each_item")
@pytest.mark.parametrize(
    "other",
    [{"policy": Dlp()}, {"speaks": "generic"}, {"book": Book(Numbered())}],
    ids=lambda case: next(iter(case)),
)
def test_it_is_known_for_one_policy_and_dialect_only(other: Mapping[str, Any]) -> None:
    examiner, policy = new_examiner(), Dlp(actions={"EMAIL_ADDRESS": "mask"})
    body = chat("for ada@corp.io", "and", "then", "more")
    Treated(body, examiner, policy)

    changed = Treated(body, examiner, **{"policy": policy, **other})

    assert changed.told == Treated(body, new_examiner(), **{"policy": policy, **other}).told


@pytest.mark.usefixtures("each_item")
def test_a_body_that_is_spaced_is_treated_without() -> None:
    examiner, policy = new_examiner(), Dlp()
    body = chat("for ada@corp.io", "and bob@corp.io", "then")
    Treated(body, examiner, policy)

    compact = Treated(body, new_examiner(), policy)
    spaced = Treated(json.dumps(body, indent=1).encode(), examiner, policy)

    assert spaced.body is not None
    assert compact.body is not None
    assert spaced.body.json == compact.body.json
    assert spaced.body.render().count(b"\n") == json.dumps(body, indent=1).count("\n")


@pytest.mark.usefixtures("each_item")
def test_a_value_that_begins_in_what_is_known_is_found() -> None:
    examiner, policy = new_examiner(), Dlp(on_unrewritable="drop_part")
    texts = ["mail sk-abcd1234", "to ada@", "and", "so on"]
    Treated(chat(*texts), examiner, policy)

    treated = Treated(chat(*texts[:3], "corp.io now"), examiner, policy)

    assert treated.told == Treated(chat(*texts[:3], "corp.io now"), new_examiner(), policy).told
    assert treated.body is not None
    assert [m["content"] for m in treated.body.json["messages"]][1:] == ["to ", "and", " now"]


@pytest.mark.usefixtures("each_item")
def test_a_token_that_stands_for_something_else_in_the_call_is_not_taken_over() -> None:
    examiner, policy = new_examiner(), Dlp()
    body = chat("for ada@corp.io", "and", "then", "more")
    token = next(iter(Treated(body, examiner, policy).book.originals))

    book = Book(Minter(KEY), {token: "of another conversation"})
    treated = Treated(body, examiner, policy, book=book)

    assert treated.body is not None
    assert book.originals[token] == "of another conversation"
    assert token.encode() not in treated.body.render()
    assert len(treated.findings) == 1


@pytest.mark.usefixtures("each_item")
def test_a_document_that_goes_takes_others_with_it_each_time() -> None:
    examiner = new_examiner()
    policy = Dlp(on_unrewritable="drop_part")
    packed = b64encode(gzip.compress(b"the key is sk-abcd1234")).decode()
    file = {
        "type": "file",
        "file": {"filename": "a.gz", "file_data": f"data:application/gzip;base64,{packed}"},
    }
    body = chat("for ada@corp.io", "and", "then")
    body["messages"].append({"role": "user", "content": [file]})
    body["messages"] += chat("more", "of bob@corp.io", "it")["messages"]

    first, second = Treated(body, examiner, policy), Treated(body, examiner, policy)

    assert first.told == second.told
    assert first.body is not None
    assert first.body.json["messages"][3]["content"][0]["file"]["filename"] == "removed.txt"
    assert packed.encode() not in first.body.render()


@pytest.mark.parametrize("texts", [["bob", "joe", "ada@corp.io"], ["bob", "joe", "ada@corp.io is mine"]])
def test_an_address_behind_single_words_is_not_taken_apart(texts: list[str]) -> None:
    treated = Treated(chat(*texts), new_examiner(), Dlp())

    assert treated.body is not None
    assert [message["content"] for message in treated.body.json["messages"][:2]] == ["bob", "joe"]
    assert "corp.io" not in treated.body.json["messages"][2]["content"]


def test_an_address_that_is_taken_apart_is_found() -> None:
    treated = Treated(chat("ada", "@", "corp.io"), new_examiner(), Dlp(on_unrewritable="drop_part"))

    assert treated.body is not None
    assert "corp" not in str(treated.body.json)


OPEN = {"SECRET": r"key-[A-Za-z0-9/.-]{8,}"}
"""A rule for keys of any length: they go on in any word that follows."""


@pytest.mark.parametrize("behind", ["User-facing text.", "2026-11-23 was Monday.", "/srv/notes.txt"])
def test_a_key_at_the_end_of_a_text_does_not_go_on_in_the_next(
    behind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.RULES", OPEN)
    treated = Treated(chat("token key-4711abcd\n", behind), new_examiner(), Dlp())

    assert treated.body is not None
    first, second = (message["content"] for message in treated.body.json["messages"])
    assert "4711" not in first
    assert second == behind


@pytest.mark.parametrize("texts", [["it is key-4711abcd", "9f3ax7Qp2"], ["it is key-47", "11abcd and so on"]])
def test_a_key_that_is_taken_apart_is_found(texts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.RULES", OPEN)
    treated = Treated(chat(*texts), new_examiner(), Dlp())

    assert treated.body is None


@pytest.mark.usefixtures("each_item")
@pytest.mark.parametrize(
    "policy", [Dlp(actions={"SECRET": "redact"}), Dlp(on_unrewritable="drop_part")], ids=["redact", "drop"]
)
def test_no_text_is_left_empty(policy: Dlp) -> None:
    packed = b64encode(gzip.compress(b"the key is sk-abcd1234")).decode()
    gone = "sk-abcd1234" if policy.actions["SECRET"] == "redact" else packed
    body, examiner = chat("for ada@corp.io", f" {gone}\n", "then", "more"), new_examiner()

    for _ in range(2):
        treated = Treated(body, examiner, policy)

        assert treated.body is not None
        assert treated.body.json["messages"][1]["content"] == "[removed]"
        assert "corp" not in treated.body.json["messages"][0]["content"]


def test_nothing_to_change_is_no_other_body() -> None:
    assert Treated(chat("hello", "there"), new_examiner(), Dlp()).body is None
    assert Treated({"model": "m"}, new_examiner(), Dlp()).body is None


def test_a_key_that_is_itself_the_finding_is_not_told() -> None:
    key = Slot(3, "sk-abcd1234", "key", ("tools", 0, "sk-abcd1234"))

    assert (place_of(key), key_of(key)) == ("a key of tools[0]", "")
    assert place_of(Slot(0, "x", "key", ("x",))) == "a key of the body"
    assert key_of(Slot(0, "x", "text", ("ssn", 0))) == "ssn"
    assert place_of(Slot(0, "x", "text", ())) == "the body"


def test_a_key_in_which_something_was_found_is_told_nowhere() -> None:
    arguments = {"sk-abcdabcd": {"to": "ada@corp.io", "cc": ["bob@corp.io"]}, "kind": "eve@corp.io"}
    body = {"model": "m", "max_tokens": 1, "messages": [{"role": "assistant", "content": [arguments]}]}
    treated = Treated(body, new_examiner(), Dlp(), speaks="anthropic-messages")

    assert [finding.place for finding in treated.findings] == [
        "a key of messages[0].content[0]",
        "messages[0].content[0].….to",
        "messages[0].content[0].….cc[0]",
        "messages[0].content[0].kind",
    ]
    assert "sk-abcdabcd" not in str(treated.findings)
