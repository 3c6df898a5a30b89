"""Whole answers and streams, in every dialect, from a model that says what it should not."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.detection import compiled
from support.echoes import ECHOES, TEXT_ONLY, chat_chunk, messages_stream, payloads, pieces, sse
from support.screens import MASK_ALL, make_screen, new_book
from tollgate.calls import End, Event, Refused
from tollgate.dlp.allow import AllowList
from tollgate.dlp.answers import AnswerScreen
from tollgate.dlp.engine import Engine, build
from tollgate.dlp.operators import Operators
from tollgate.dlp.screen import Screen
from tollgate.dlp.span import Span
from tollgate.policy.dlp import Allowed, AnswerScan, Detection
from tollgate.store import Digester

ALL = ECHOES | TEXT_ONLY
MAIL, KEY, CARD = "bob@corp.io", "sk-abcdefgh12345678", "4111 1111 1111 1111"
MASKED = {MAIL: "*" * 11, KEY: "*" * 15 + "5678", CARD: "*" * 15 + "1111"}
PARTS = st.sampled_from([*MASKED, " ", "\n", "a few words ", "密", '"', "\\", ", and so on; "])
TEXTS = st.lists(PARTS, max_size=25).map(" ".join)
CUTS = st.lists(st.integers(0, 500), max_size=30)


MASKER = Operators(b"k" * 32)
MASKER.apply("mask", MAIL)  # imports for a second


def screen_of(dialect: str, actions: dict[str, Any] | None = None, **more: Any) -> AnswerScreen:
    return AnswerScreen(dialect, make_screen(actions, window=32, **more))


def judged(answer: AnswerScreen, events: list[Event]) -> list[Event]:
    return [out for event in events for out in answer.event(event)]


def masked(text: str) -> str:
    for value, stand_in in MASKED.items():
        text = text.replace(value, stand_in)
    return text


@pytest.mark.parametrize("name", ALL)
@settings(deadline=None)  # the machine may be busy
@given(data=st.data(), text=TEXTS, value=TEXTS)
def test_any_chunking_gives_what_the_whole_answer_gives(
    name: str, data: st.DataObject, text: str, value: str
) -> None:
    """As text and as a tool's arguments."""
    dialect, echo = ALL[name]
    tree = {"path": "/tmp/x", "nested": [{"text": value}]}
    wanted = {"path": "/tmp/x", "nested": [{"text": masked(value)}]} if name in ECHOES else {}
    arguments = json.dumps(tree, ensure_ascii=data.draw(st.booleans()))
    events = echo.events(pieces(text, data.draw(CUTS)), pieces(arguments, data.draw(CUTS)), tree)

    out = judged(screen_of(dialect), events)
    whole = screen_of(dialect).whole(json.dumps(echo.whole(text, tree)).encode())

    assert echo.read(out) == (masked(text), wanted)
    assert echo.read_whole(json.loads(whole)) == (masked(text), wanted)
    assert len(out) == len(events), "no event comes or goes"


@pytest.mark.parametrize("name", ALL)
@settings(deadline=None)  # the machine may be busy
@given(text=st.text(), cuts=CUTS)
def test_what_nothing_is_found_in_goes_on_as_it_came(name: str, text: str, cuts: list[int]) -> None:
    dialect, echo = ALL[name]
    text = text.replace("@", "").replace("sk-", "")
    events = echo.events(pieces(text, cuts), ['{"text": ', "1}"], {"text": 1})
    body = json.dumps(echo.whole(text, {})).encode()

    out = judged(screen_of(dialect), events)

    assert all(one is other for one, other in zip(out, events, strict=True))
    assert screen_of(dialect).whole(body) is body


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "more", [{"actions": {"SECRET": "report"}}, {"observe": True}], ids=["report", "observe"]
)
def test_a_report_holds_nothing_back(name: str, more: dict[str, Any]) -> None:
    dialect, echo = ALL[name]
    events = echo.events(list(f"so {MAIL} and {KEY}"), ["{}"], {})
    answer = screen_of(dialect, **more)

    for event in events:
        assert answer.event(event) == [event]
    assert {(f.kind, f.count) for f in answer.screen.findings} >= {("SECRET", 1)}


@pytest.mark.parametrize("name", ALL)
def test_a_blocked_value_ends_the_stream_before_it_shows(name: str) -> None:
    dialect, echo = ALL[name]
    answer = screen_of(dialect, {"SECRET": "block"})
    out: list[Event] = []
    events = echo.events(list(f"the key is {KEY}, and more words follow here"), ["{}"], {})

    with pytest.raises(Refused, match="SECRET"):
        out.extend(one for event in events for one in answer.event(event))
    assert b"sk-" not in b"".join(event.data or b"" for event in out)
    with pytest.raises(Refused):
        screen_of(dialect, {"SECRET": "block"}).whole(json.dumps(echo.whole(KEY, {})).encode())


@pytest.mark.parametrize("name", ALL)
def test_copies_count_once(name: str) -> None:
    """What the Responses API says again is judged already."""
    dialect, echo = ALL[name]
    answer = screen_of(dialect)
    judged(answer, echo.events(list(f"so {MAIL}"), ["{}"], {}))

    assert [(f.kind, f.count) for f in answer.screen.findings] == [("EMAIL_ADDRESS", 1)]


@pytest.mark.parametrize("name", ALL)
def test_a_stream_that_broke_off_gives_what_waited(name: str) -> None:
    dialect, echo = ALL[name]
    events = echo.stream(["So ", "bob@", "corp.io"], ["{}"], {})
    begun = next(n for n, event in enumerate(events) if _says(event, "corp.io")) + 1
    answer = screen_of(dialect)

    out = judged(answer, [*events[:begun], End("cut")])

    assert len(out) == begun + 1
    assert not any(_says(event, "corp.io") for event in out)
    assert isinstance(out[-1], End)


def _says(event: Event, text: str) -> bool:
    data = event.data or b""
    inner = json.loads(data).get("bytes", "") if data.startswith(b'{"bytes"') else ""
    return text.encode() in (b64decode(inner) if inner else data)


@pytest.mark.parametrize(
    "name", ["chat", "messages", "responses", "invoke", "converse", "interactions", "cohere"]
)
def test_numbers_in_arguments_stay_valid_json(name: str) -> None:
    dialect, echo = ECHOES[name]
    arguments = '{"card": 4111111111111111, "n": 12, "ok": true}'
    tree = json.loads(arguments)

    _, said = echo.read(judged(screen_of(dialect), echo.events(["ok"], pieces(arguments, [12, 20]), tree)))
    _, whole = echo.read_whole(
        json.loads(screen_of(dialect).whole(json.dumps(echo.whole("ok", tree)).encode()))
    )

    assert said == whole == {"card": "*" * 12 + "1111", "n": 12, "ok": True}


@pytest.mark.parametrize("name", ["gemini", "cloudcode", "ollama"])
def test_numbers_in_objects_too(name: str) -> None:
    dialect, echo = ECHOES[name]
    tree = {"list": [4111111111111111], "n": 123456789}

    _, said = echo.read(judged(screen_of(dialect), echo.events(["ok"], [], tree)))

    assert said == {"list": ["*" * 12 + "1111"], "n": 123456789}


def test_numbers_elsewhere_are_no_findings() -> None:
    body = b'{"created": 4111111111111111, "text": "ok"}'

    assert screen_of("openai-chat").whole(body) is body


def test_the_key_is_context() -> None:
    body = orjson.dumps({"content": [{"type": "tool_use", "input": {"pin": "1234"}}]})

    assert json.loads(screen_of("anthropic-messages").whole(body))["content"][0]["input"] == {"pin": "****"}


def test_keys_of_a_tools_input_are_read_too() -> None:
    body = orjson.dumps({"content": [{"type": "tool_use", "input": {KEY: "x"}}]})

    assert json.loads(screen_of("anthropic-messages").whole(body))["content"][0]["input"] == {
        MASKED[KEY]: "x"
    }


def test_signed_thoughts_are_reported_and_never_wait() -> None:
    def thought(text: str) -> Event:
        delta = {"type": "thinking_delta", "thinking": text}
        return sse({"type": "content_block_delta", "index": 0, "delta": delta})

    answer = screen_of("anthropic-messages", {"SECRET": "block", "PERSONAL": "mask"})
    events = [*map(thought, f"use {KEY}"), sse({"type": "content_block_stop", "index": 0})]

    for event in events:
        assert answer.event(event) == [event]
    body = orjson.dumps({"content": [{"type": "thinking", "thinking": MAIL, "signature": KEY}]})
    assert answer.whole(body) is body
    assert [(f.kind, f.action, f.place) for f in answer.screen.findings] == [
        ("SECRET", "report", "a signed thought of the answer"),
        ("EMAIL_ADDRESS", "report", "a signed thought of the answer"),
    ]


def test_the_answer_may_say_what_was_thought_and_is_judged_by_itself() -> None:
    blocks = [{"type": "thinking", "thinking": MAIL, "signature": "c2ln"}, {"type": "text", "text": MAIL}]
    body = json.loads(screen_of("anthropic-messages").whole(orjson.dumps({"content": blocks})))

    assert [body["content"][0]["thinking"], body["content"][1]["text"]] == [MAIL, MASKED[MAIL]]


def test_a_value_of_the_request_is_left() -> None:
    answer = screen_of("openai-chat", book=new_book(MAIL))

    assert judged(answer, [event := chat_chunk({"content": f"to {MAIL}"}, "stop")]) == [event]


def test_choices_are_judged_apart() -> None:
    halves = [
        chat_chunk({"content": text}, index=n) for text in ("sk-abcd", "efgh12345678 ok") for n in (0, 1)
    ]
    events = [*halves, chat_chunk({}, "stop", index=0), chat_chunk({}, "stop", index=1)]

    out = [p["choices"][0] for p in payloads(judged(screen_of("openai-chat"), events))]

    said = ["".join(c["delta"].get("content", "") for c in out if c["index"] == n) for n in (0, 1)]
    assert said == [f"{MASKED[KEY]} ok"] * 2


def test_text_before_a_tool_call_does_not_wait_for_the_end_of_it() -> None:
    """Chat does not say when a text ends."""
    answer = screen_of("openai-chat")
    assert answer.event(chat_chunk({"content": "I will write that."})) == []
    piece = {"tool_calls": [{"index": 0, "function": {"arguments": "[" + "1, " * 20}}]}

    out = answer.event(chat_chunk(piece))

    assert b"I will write" in (out[0].data or b"")


class _Words:
    """Takes every long word for a key, as rules for keys do that know no prefix."""

    def scan(self, text: str, key: str = "") -> list[Span]:
        return [Span(m.start(), m.end(), "SECRET", 0.9) for m in re.finditer(r"\b\w{8,}", text)]


def test_a_stand_in_that_other_tool_calls_interrupt_is_left() -> None:
    """The first half of a token looks like a key; the whole is known to be none."""
    book = new_book()
    token = book.token("SECRET", KEY)
    policy = AnswerScan.model_validate({"scan": True, "actions": MASK_ALL, "window": 32})
    screen = Screen(Engine([_Words()], AllowList(Allowed())), policy, book, MASKER.apply, observe=False)
    answer = AnswerScreen("openai-chat", screen)
    halves = f'["{"some words " * 4}{token[:11]}', f'{token[11:]}{" and more" * 4}"]'
    pieces = [
        {"tool_calls": [{"index": n, "function": {"arguments": half}}]} for half in halves for n in range(3)
    ]
    events = [*map(chat_chunk, pieces), chat_chunk({}, "tool_calls")]

    assert judged(answer, events) == events


def test_events_that_say_nothing_pass_in_order() -> None:
    answer = screen_of("openai-chat")
    empty = [Event(b"binary \x00"), Event(b'"text"'), Event(None)]
    assert judged(answer, empty) == empty

    held, done = chat_chunk({"content": "so"}), Event(b"[DONE]")
    assert answer.event(held) == []
    assert answer.event(empty[0]) == []
    assert answer.event(done) == [held, empty[0], done]


def test_arguments_that_gemini_streams_end_where_they_say_so() -> None:
    def part(text: str, more: bool) -> Event:
        piece = {"jsonPath": "$.a", "stringValue": text, "willContinue": more}
        return sse({"candidates": [{"content": {"parts": [{"functionCall": {"partialArgs": [piece]}}]}}]})

    answer = screen_of("gemini")
    assert answer.event(part("bob@", True)) == []

    out = answer.event(part("corp.io", False))

    assert len(out) == 2
    assert not any(b"corp" in (event.data or b"") for event in out)


def test_log_probabilities_of_a_text_that_changed_are_dropped() -> None:
    choice = {"index": 0, "delta": {"content": MAIL}, "logprobs": {"content": [{"token": "bob"}]}}

    (out,) = judged(screen_of("openai-chat"), [sse({"choices": [choice | {"finish_reason": "stop"}]})])

    assert json.loads(out.data or b"")["choices"][0]["logprobs"] is None


@pytest.mark.parametrize(
    ("body", "becomes"),
    [
        (b"mail bob@corp.io", b"mail ***********"),
        (b"nothing", b"nothing"),
        (b"bob@corp.io \xff", b"bob@corp.io \xff"),
    ],
    ids=["text", "nothing", "binary"],
)
def test_an_answer_that_is_no_json_is_read_as_text(body: bytes, becomes: bytes) -> None:
    assert screen_of("generic").whole(body) == becomes


def test_whole_answers_are_looked_at_well() -> None:
    """Names take a language model, which is too slow for streams."""
    event = sse({"response": "Ada", "done": True})

    assert screen_of("ollama").whole(b'{"response": "Ada"}') == b'{"response": "***"}'
    assert screen_of("ollama").event(event) == [event]


def test_an_unknown_dialect_is_generic() -> None:
    events = messages_stream([MAIL], ["{}"], {})

    assert not any(_says(event, MAIL) for event in judged(screen_of("unheard of", MASK_ALL), events))


@pytest.fixture(scope="module")
def engine() -> Engine:
    built = build(Detection(), compiled(), Digester(bytes(32)), environ={})
    built.scan(f"warm up: {CARD}, +1 415-555-2671 and me@example.com")
    return built


@settings(deadline=None)  # the machine may be busy
@given(data=st.data())
def test_with_all_detectors_too(engine: Engine, data: st.DataObject) -> None:
    values = ["ada.lovelace@analytical-engines.io", CARD, "+1 415-555-2671", "DE89 3704 0044 0532 0130 00"]
    prose = [
        "I said",
        "and more of it,",
        "which is fine.",
        "\n\n- ",
        "def run(self): pass",
        "naïve 密码 text",
    ]
    text = " so ".join(data.draw(st.lists(st.sampled_from([*values, *prose]), max_size=30)))
    policy = AnswerScan(scan=True, actions={"SECRET": "redact", "PERSONAL": "redact"})
    answers = [
        AnswerScreen("openai-chat", Screen(engine, policy, new_book(), MASKER.apply, observe=False))
        for _ in range(2)
    ]
    echo = ECHOES["chat"][1]
    events = echo.events(pieces(text, data.draw(CUTS)), ["{}"], {})

    said, _ = echo.read(judged(answers[0], events))
    whole, _ = echo.read_whole(json.loads(answers[1].whole(json.dumps(echo.whole(text, {})).encode())))

    assert said == whole
    assert not [value for value in values if value in said]
