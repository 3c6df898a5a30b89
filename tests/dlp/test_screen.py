"""What becomes of what is found in answers."""

from __future__ import annotations

from typing import Any

import pytest

from support.screens import KEY, MASK_ALL, make_screen, new_book
from tollgate.calls import Refused
from tollgate.dlp.screen import Screen
from tollgate.dlp.tokens import Minter
from tollgate.policy.dlp import AnswerScan

TEXT = "mail bob@corp.io, push with sk-abcdefgh"


def decided(screen: Screen, text: str, **more: Any) -> list[str | None]:
    return [
        screen.stand_in(span, text[span.start : span.end], "the answer's text", **more)
        for span in screen.look(text)
    ]


def test_each_entity_has_its_action() -> None:
    screen = make_screen({"sk-rule": "redact", "SECRET": "mask", "EMAIL_ADDRESS": "mask"})

    assert decided(screen, TEXT) == ["***********", ""]
    assert {(f.kind, f.place, f.action, f.count) for f in screen.findings} == {
        ("EMAIL_ADDRESS", "the answer's text", "mask", 1),
        ("SECRET", "the answer's text", "redact", 1),
    }


def test_what_is_not_named_is_reported_and_what_is_ignored_is_not() -> None:
    screen = make_screen({"EMAIL_ADDRESS": "ignore"})

    assert decided(screen, TEXT) == [None]
    assert [(f.kind, f.action) for f in screen.findings] == [("SECRET", "report")]


@pytest.mark.parametrize("action", ["hash", "encrypt", "mask", "redact"])
def test_a_value_is_changed_by_the_operator(action: str) -> None:
    (stand_in,) = decided(make_screen({"SECRET": action}), "sk-abcdefgh")

    assert stand_in is not None
    assert "sk-abcdefgh" not in stand_in


def test_a_token_of_an_answer_is_known_to_nobody() -> None:
    book = new_book("ann@corp.io")
    screen = make_screen({"PERSONAL": "replace"}, book=book)
    (stand_in,) = decided(screen, "bob@corp.io")

    assert stand_in == Minter(KEY).token("EMAIL_ADDRESS", "bob@corp.io")
    assert screen.minted == {stand_in}
    assert list(book.originals.values()) == ["ann@corp.io"]


def test_a_blocked_entity_is_named_and_not_its_value() -> None:
    screen = make_screen({"SECRET": "block"})

    with pytest.raises(Refused) as caught:
        decided(screen, "sk-abcdefgh")

    assert "SECRET" in caught.value.message
    assert "the answer's text" in caught.value.message
    assert "abcdefgh" not in caught.value.message
    assert caught.value.code == "dlp_answer_blocked"
    assert [(f.kind, f.action) for f in screen.findings] == [("SECRET", "block")]


def test_what_is_signed_stays() -> None:
    screen = make_screen({"SECRET": "block", "PERSONAL": "mask"})

    assert decided(screen, TEXT, signed=True) == [None, None]
    assert {f.action for f in screen.findings} == {"report"}


def test_observed_it_is_noted_and_stays() -> None:
    screen = make_screen({"SECRET": "block", "PERSONAL": "mask"}, observe=True)

    assert decided(screen, TEXT) == [None, None]
    assert {f.action for f in screen.findings} == {"block", "mask"}
    assert not screen.holds


def test_a_value_of_the_request_is_the_persons_own() -> None:
    screen = make_screen(book=new_book("bob@corp.io"))

    assert [TEXT[s.start : s.end] for s in screen.look(TEXT)] == ["sk-abcdefgh"]


def test_a_token_for_one_is_no_finding_and_a_key_that_holds_one_is() -> None:
    book = new_book("bob@corp.io")
    (token,) = book.originals
    word = token.partition("@")[0]
    screen = make_screen(book=book)
    other = Minter(b"other").token("SECRET", "x").lower()

    assert screen.look(f"sk-{word}") == [], "for the most part a token"
    assert screen.look(other) == []
    assert len(screen.look(f"sk-{other}")) == 1, "it stands for nothing here"
    assert len(screen.look(f"-----BEGIN KEY-----\nabcdefgh\nabcdefgh\n{word}\n-----END KEY-----")) == 1


def test_of_overlapping_findings_the_strongest_action_holds() -> None:
    text = "-----BEGIN KEY-----\n536-22-8941"
    weak, strong = {"SECRET": "report", "US_SSN": "mask"}, {"SECRET": "block", "US_SSN": "mask"}

    assert [span.entity for span in make_screen(weak).look(text)] == ["US_SSN"]
    assert [span.entity for span in make_screen(strong).look(text)] == ["SECRET"]


def test_slow_detectors_are_not_asked_for_streams() -> None:
    screen = make_screen()

    assert screen.look("Ada") == []
    assert [span.entity for span in screen.look_well("Ada")] == ["PERSON"]


@pytest.mark.parametrize(
    ("actions", "holds"),
    [
        ({"SECRET": "report", "PERSONAL": "ignore"}, False),
        ({"SECRET": "block"}, True),
        (MASK_ALL, True),
        (AnswerScan().actions, False),
    ],
)
def test_text_waits_only_where_something_may_have_to_go(actions: dict[str, Any], holds: bool) -> None:
    assert make_screen(actions).holds is holds


@pytest.mark.parametrize(
    ("actions", "observe", "told"),
    [
        ({"SECRET": "report"}, False, ("warn", "answer_reported")),
        (MASK_ALL, False, ("change", "answer_changed")),
        (MASK_ALL, True, ("observe", "would_change_answer")),
    ],
)
def test_the_verdict_counts_and_tells_no_value(
    actions: dict[str, Any], observe: bool, told: tuple[str, str]
) -> None:
    screen = make_screen(actions, observe=observe)
    assert not list(screen.verdicts)
    decided(screen, TEXT)

    (verdict,) = screen.verdicts

    assert (verdict.action, verdict.code) == told
    assert verdict.reason == "the model wrote 1 EMAIL_ADDRESS, 1 SECRET"
