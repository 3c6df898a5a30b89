"""What a call takes to its way up."""

from __future__ import annotations

import json
from typing import Any

import pytest
from multidict import CIMultiDict

from support.echoes import chat_chunk, payloads
from support.screens import ENGINE, KEY, MASK_ALL
from support.upstream import make_call, make_request
from tollgate.calls import Answer, Call, End
from tollgate.dlp.carried import Carried, carry, scrub
from tollgate.dlp.equipment import Equipment
from tollgate.dlp.examine import Examiner
from tollgate.dlp.operators import Operators
from tollgate.dlp.tokens import Book, Minter
from tollgate.policy.dlp import Detection, Dlp, Views

OWN, OTHER = "ann@corp.io", "bob@corp.io"
EQUIPMENT = Equipment(
    Detection(), (), ENGINE, Examiner(ENGINE, Views(), lambda data: data.hex()), Minter(KEY), Operators(KEY)
)
MASKS = {"enabled": True, "answers": {"scan": True, "actions": MASK_ALL}}


def carried(
    policy: dict[str, Any], *values: str, mode: str = "enforce"
) -> tuple[Call, Carried | None, list[str]]:
    call = make_call(make_request(b"{}"), policy={"dlp": policy, "mode": mode})
    call.answer = Answer(200)
    book = Book(Minter(KEY))
    tokens = [book.token("EMAIL_ADDRESS", value) for value in values]
    return call, carry(call, EQUIPMENT, book), tokens


def test_a_call_carries_what_its_answer_needs_and_nothing_else() -> None:
    assert carried({"enabled": True})[1] is None
    assert carried({"enabled": True}, OWN, mode="observe")[1] is None, "nothing was replaced"
    _, restoring, _ = carried({"enabled": True}, OWN)
    _, scanning, _ = carried(MASKS)

    assert restoring is not None
    assert restoring.answers is None
    assert scanning is not None
    assert scanning.answers is not None
    assert scanning.kept


def said(carry: Carried, *texts: str) -> str:
    events = [*(chat_chunk({"content": text}) for text in texts), chat_chunk({}, "stop"), End()]
    out = [one for event in events for one in carry.event(event)]
    return "".join(p["choices"][0]["delta"].get("content", "") for p in payloads(out))


def test_what_the_model_wrote_is_judged_before_tokens_are_undone() -> None:
    call, up, (token,) = carried(MASKS, OWN)
    assert up is not None

    assert said(up, f"from {token[:5]}", f"{token[5:]} to bob@", f"corp.io, not {OWN}") == (
        f"from {OWN} to ***********, not {OWN}"
    )
    up.tell(call)
    assert [(f.kind, f.count, f.action) for f in call.findings] == [("EMAIL_ADDRESS", 1, "mask")]
    assert [(v.action, v.code) for v in call.verdicts] == [
        ("change", "answer_changed"),
        ("change", "restored"),
    ]
    assert OTHER not in str(call.verdicts) + str(call.findings)


def test_a_whole_answer_too() -> None:
    _, up, (token,) = carried(MASKS, OWN)
    assert up is not None
    body = json.dumps({"choices": [{"message": {"content": f"from {token} to {OTHER}"}}]}).encode()

    assert json.loads(up.whole(body))["choices"][0]["message"]["content"] == f"from {OWN} to ***********"


@pytest.mark.parametrize("on_mangled", ["restore_fuzzy", "error_to_model", "pass"])
def test_a_token_for_a_value_of_the_answer_stays(on_mangled: str) -> None:
    policy = {
        "enabled": True,
        "on_mangled": on_mangled,
        "answers": {"scan": True, "actions": {"PERSONAL": "replace"}},
    }
    call, up, _ = carried(policy, OWN)
    assert up is not None
    token = Minter(KEY).token("EMAIL_ADDRESS", OTHER)

    arguments = {"tool_calls": [{"index": 0, "function": {"arguments": f'["{OTHER}"]'}}]}
    events = [chat_chunk({"content": f"to {OTHER}. "}), chat_chunk(arguments), chat_chunk({}, "stop"), End()]
    out = b"".join(one.data or b"" for event in events for one in up.event(event))
    whole = up.whole(json.dumps({"content": f"to {OTHER}"}).encode())

    assert out.count(token.encode()) == 2
    assert json.loads(whole) == {"content": f"to {token}"}
    up.tell(call)
    assert [v.code for v in call.verdicts] == ["answer_changed"]


def test_observed_nothing_changes_and_the_persons_own_values_do_not_count() -> None:
    call, up, _ = carried(MASKS, OWN, mode="observe")
    assert up is not None

    assert said(up, f"from {OWN} to {OTHER}") == f"from {OWN} to {OTHER}"
    up.tell(call)
    assert [(f.kind, f.count) for f in call.findings] == [("EMAIL_ADDRESS", 1)]
    assert [(v.action, v.code) for v in call.verdicts] == [("observe", "would_change_answer")]


def test_a_stream_without_events_is_told_to_be_unseen() -> None:
    call, up, _ = carried(MASKS)
    assert up is not None
    call.answer = Answer(200, framing="raw")

    up.tell(call)

    assert [(v.action, v.code) for v in call.verdicts] == [("warn", "answer_unseen")]


@pytest.mark.parametrize(
    ("status", "headers", "framing", "as_file"),
    [
        (200, {"content-type": "application/octet-stream", "content-length": "7"}, "raw", True),
        (200, {"content-type": "text/plain", "content-length": "7"}, "raw", True),
        (200, {"content-type": "audio/mpeg", "content-length": "7"}, "raw", False),
        (200, {"content-encoding": "gzip", "content-length": "7"}, "raw", False),
        (206, {"content-length": "7"}, "raw", False),
        (200, {"content-length": "7"}, "sse", False),
    ],
)
def test_a_file_that_may_be_text_is_restored_and_has_no_length(
    status: int, headers: dict[str, str], framing: str, as_file: bool
) -> None:
    _, up, _ = carried({"enabled": True}, OWN)
    assert up is not None
    answer = Answer(status, CIMultiDict(headers), framing=framing)

    up.head(answer)

    assert up.as_file is as_file
    assert ("content-length" in answer.headers) is not as_file


def test_a_file_is_left_alone_where_nothing_was_replaced() -> None:
    _, up, _ = carried(MASKS)
    assert up is not None
    answer = Answer(200, CIMultiDict({"content-length": "7"}), framing="raw")

    up.head(answer)

    assert "content-length" in answer.headers


def test_what_is_written_down_of_an_answer_is_as_clean_as_a_request() -> None:
    book = Book(Minter(KEY))
    token = book.token("EMAIL_ADDRESS", OWN)
    policy = Dlp.model_validate({"enabled": True, "actions": {"SECRET": "block"}})

    clean = scrub("openai-chat", EQUIPMENT, policy, book).whole(f"{token} {OWN} {OTHER} sk-abcdefgh".encode())

    said = clean.decode().split()
    assert said[:2] == [token, token], "who asks again has it restored"
    assert said[2].startswith("qzxe")
    assert said[3].startswith("QZXS")
    assert OTHER not in book.originals.values()


@pytest.mark.parametrize(("scan", "left"), [(True, b"***********"), (False, b"bob@corp.io")])
def test_what_answers_are_masked_by_goes_before_what_requests_are_left_with(scan: bool, left: bytes) -> None:
    actions = {"PERSONAL": "mask", "SECRET": "report"}
    told = {"actions": {"PERSONAL": "report"}, "answers": {"scan": scan, "actions": actions}}
    policy = Dlp.model_validate(told)

    assert scrub("openai-chat", EQUIPMENT, policy, Book(Minter(KEY))).whole(OTHER.encode()) == left
