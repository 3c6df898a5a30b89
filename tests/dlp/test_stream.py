"""Whole answers and streams, in every dialect, with an echo for a model."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.echoes import ECHOES, TEXT_ONLY, chat_chunk, messages_stream, payloads, pieces, sse
from tollgate.calls import End, Event
from tollgate.dlp.redact import redact
from tollgate.dlp.restore import NOTICE
from tollgate.dlp.span import Span
from tollgate.dlp.stream import AnswerRestorer
from tollgate.dlp.tokens import Book, Minter, core
from tollgate.policy.dlp import Dlp

MINTER = Minter(b"k" * 32)
ALL = ECHOES | TEXT_ONLY
VALUE = 'pass "word"\nwith\\all'
MAIL = "bob@corp.com"


def book() -> Book:
    made = Book(MINTER)
    made.token("SECRET", VALUE)
    made.token("EMAIL_ADDRESS", MAIL)
    return made


KEY_TOKEN, MAIL_TOKEN = book().originals


def restorer(dialect: str, **policy: Any) -> AnswerRestorer:
    return AnswerRestorer(dialect, book().originals, Dlp(**policy))


def restored(answer: AnswerRestorer, events: Iterable[Event]) -> list[Event]:
    return [out for event in events for out in answer.event(event)]


TEXTS = st.lists(
    st.one_of(st.text(max_size=10), st.sampled_from(["q", "Qz", "qzx", "\\", '"', "QZXS", "@pii"]))
).map("".join)
ENTITIES = st.sampled_from(["SECRET", "EMAIL_ADDRESS", "PERSON", "US_SSN"])
CUTS = st.lists(st.integers(0, 120), max_size=30)


@st.composite
def redacted(draw: st.DrawFn, made: Book) -> tuple[str, str]:
    """A text, and what becomes of it when any parts of it are found."""
    text = draw(TEXTS)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    spans = [Span(a, b, draw(ENTITIES), 1.0) for a, b in zip(cuts[::2], cuts[1::2], strict=False) if a < b]
    return text, redact(text, [(span, "replace") for span in spans], made, lambda _, value: value)


@pytest.mark.parametrize("name", ALL)
@given(data=st.data())
def test_what_an_echo_says_comes_back_as_it_was(name: str, data: st.DataObject) -> None:
    """Any text with any findings, in any chunking, as text and as a tool's arguments."""
    dialect, echo = ALL[name]
    made = Book(MINTER)
    (text, sent), (value, sent_value), (key, sent_key) = (data.draw(redacted(made)) for _ in range(3))
    tree = {"path": "/tmp/x", "nested": [{"text": sent_value}], "key" + sent_key: True}
    wanted = {"path": "/tmp/x", "nested": [{"text": value}], "key" + key: True} if name in ECHOES else {}
    arguments = json.dumps(tree, ensure_ascii=data.draw(st.booleans()))
    events = echo.events(pieces(sent, data.draw(CUTS)), pieces(arguments, data.draw(CUTS)), tree)

    out = restored(AnswerRestorer(dialect, made.originals, Dlp()), events)
    whole = AnswerRestorer(dialect, made.originals, Dlp()).whole(json.dumps(echo.whole(sent, tree)).encode())

    assert echo.read(out) == (text, wanted)
    assert echo.read_whole(json.loads(whole)) == (text, wanted)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("known", [{}, book().originals], ids=["nothing known", "something known"])
@given(text=st.text(), cuts=CUTS)
def test_what_holds_no_token_goes_on_as_the_very_event(
    name: str, known: dict[str, str], text: str, cuts: list[int]
) -> None:
    dialect, echo = ALL[name]
    text = text.replace("q", "").replace("Q", "") if known else text
    events = echo.events(pieces(text, cuts), ["{}"], {"text": text})
    body = json.dumps(echo.whole(text, {})).encode()
    answer = AnswerRestorer(dialect, known, Dlp())

    assert restored(answer, events) == events
    assert answer.whole(body) is body


SAY_IT_WITH_THE_END = {"ollama", "completions", "generate"}
"""Here the event that ends the text has a place for the rest of it."""


@pytest.mark.parametrize("name", ALL)
def test_what_is_held_back_goes_out_before_its_end(name: str) -> None:
    """The text ends with the beginning of a token."""
    dialect, echo = ALL[name]
    events = echo.stream(["So: ", "Iraq", KEY_TOKEN[:1], KEY_TOKEN[1:7]], ["{}"], {})

    out = restored(restorer(dialect), events)

    assert echo.read(out) == (f"So: Iraq{KEY_TOKEN[:7]}", {})
    assert len(out) - len(events) == (0 if name in SAY_IT_WITH_THE_END else 1)


@pytest.mark.parametrize("name", ALL)
def test_what_is_held_back_goes_out_at_the_end_of_a_stream_that_broke_off(name: str) -> None:
    dialect, echo = ALL[name]
    events = echo.stream(["So: ", "QZ"], ["{}"], {})
    begun = next(n for n, event in enumerate(events) if b"QZ" in _inner(event)) + 1

    out = restored(restorer(dialect), [*events[:begun], End("cut")])

    assert "".join(_said(out)) == "So: QZ"
    assert isinstance(out[-1], End)


def _inner(event: Event) -> bytes:
    payload = json.loads(event.data or b"0") if event.data != b"[DONE]" else {}
    return b64decode(payload["bytes"]) if "bytes" in payload else event.data or b""


def _said(events: list[Event]) -> list[str]:
    """Every text of an answer's events, whatever its dialect."""

    def texts(node: Any) -> list[str]:
        if isinstance(node, list):
            return [text for item in node for text in texts(item)]
        if not isinstance(node, dict):
            return []
        own = [
            node[name] for name in ("text", "content", "delta", "response") if isinstance(node.get(name), str)
        ]
        return own + [text for value in node.values() for text in texts(value)]

    return [text for event in events if event.data for text in texts(json.loads(_inner(event)))]


def test_an_event_of_its_own_has_everything_that_its_kind_needs() -> None:
    answer = restorer("openai-chat")

    *out, done = restored(
        answer, [chat_chunk({"role": "assistant", "content": "q"}, index=1), Event(b"[DONE]")]
    )

    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "usage": None}
    first = {
        "index": 1,
        "delta": {"role": "assistant", "content": ""},
        "finish_reason": None,
        "logprobs": None,
    }
    rest = {"index": 1, "delta": {"content": "q"}}
    assert [json.loads(event.data or b"") for event in out] == [
        head | {"choices": [first]},
        head | {"choices": [rest]},
    ]
    assert done.data == b"[DONE]"


def test_choices_are_held_back_apart() -> None:
    first, second = KEY_TOKEN[:6], KEY_TOKEN[6:]
    events = [
        chat_chunk({"content": first}, index=0),
        chat_chunk({"content": MAIL_TOKEN[:9]}, index=1),
        chat_chunk({"content": second}, index=0),
        chat_chunk({}, "stop", index=0),
        chat_chunk({"content": MAIL_TOKEN[9:]}, index=1),
        chat_chunk({}, "stop", index=1),
    ]

    choices = [p["choices"][0] for p in payloads(restored(restorer("openai-chat"), events))]

    said = {n: "".join(c["delta"].get("content", "") for c in choices if c["index"] == n) for n in (0, 1)}
    assert said == {0: VALUE, 1: MAIL}
    assert len(choices) == len(events)


def test_a_last_chunk_with_text_says_all_of_it() -> None:
    (out,) = restorer("openai-chat").event(chat_chunk({"content": "Iraq"}, "stop"))

    assert b'"content": "Iraq"' in (out.data or b"")


def test_log_probabilities_of_a_text_that_changed_are_dropped() -> None:
    logprobs = {"content": [{"token": KEY_TOKEN[:4], "logprob": -0.1}]}
    choice = {"index": 0, "delta": {"content": KEY_TOKEN}, "logprobs": logprobs}

    (changed,) = restorer("openai-chat").event(sse({"choices": [choice]}))
    whole = restorer("openai-chat").whole(
        orjson.dumps({"choices": [{"message": {"content": KEY_TOKEN}, "logprobs": logprobs}]})
    )

    assert json.loads(changed.data or b"")["choices"] == [
        {"index": 0, "delta": {"content": VALUE}, "logprobs": None}
    ]
    assert json.loads(whole)["choices"] == [{"message": {"content": VALUE}, "logprobs": None}]


def test_thoughts_that_claude_signed_are_never_touched() -> None:
    thought = {"type": "thinking", "thinking": f"use {KEY_TOKEN}", "signature": KEY_TOKEN}
    body = orjson.dumps({"content": [thought, {"type": "redacted_thinking", "data": KEY_TOKEN}]})
    event = sse(
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "thinking_delta", "thinking": KEY_TOKEN},
        }
    )

    for dialect in ("anthropic-messages", "generic", "bedrock-invoke"):
        assert restorer(dialect).whole(body) == body
        assert restorer(dialect).event(event) == [event]


def test_thoughts_of_others_are_restored_apart_from_the_answer() -> None:
    parts = [{"thought": True, "text": KEY_TOKEN[:5]}, {"text": MAIL_TOKEN[:5]}]
    rest = [{"text": MAIL_TOKEN[5:]}, {"thought": True, "text": KEY_TOKEN[5:]}]
    events = [sse({"candidates": [{"content": {"role": "model", "parts": p}}]}) for p in (parts, rest)]

    said = [p["candidates"][0]["content"]["parts"] for p in payloads(restored(restorer("gemini"), events))]

    assert said == [
        [{"thought": True, "text": ""}, {"text": ""}],
        [{"text": MAIL}, {"thought": True, "text": VALUE}],
    ]


def test_arguments_that_gemini_streams_end_where_they_say_so() -> None:
    def part(text: str, path: str, more: bool) -> Event:
        piece = {"jsonPath": path, "stringValue": text, "willContinue": more}
        return sse({"candidates": [{"content": {"parts": [{"functionCall": {"partialArgs": [piece]}}]}}]})

    events = [
        part(KEY_TOKEN[:5], "$.a", True),
        part(MAIL_TOKEN[:5], "$.b", True),
        part(KEY_TOKEN[5:], "$.a", True),
        part("q", "$.a", False),
        part(MAIL_TOKEN[5:], "$.b", False),
    ]

    out = [
        (piece["jsonPath"], piece["stringValue"])
        for p in payloads(restored(restorer("gemini"), events))
        for piece in p["candidates"][0]["content"]["parts"][0]["functionCall"]["partialArgs"]
    ]
    assert out == [("$.a", ""), ("$.b", ""), ("$.a", VALUE), ("$.a", "q"), ("$.b", MAIL)]


@pytest.mark.parametrize(
    ("kind", "field", "escaped"),
    [
        ("response.custom_tool_call_input", "input", False),
        ("response.mcp_call_arguments", "arguments", True),
        ("response.shell_call_command", "command", False),
        ("response.code_interpreter_call_code", "code", False),
        ("response.reasoning_summary_text", "text", False),
        ("response.refusal", "refusal", False),
    ],
)
def test_every_kind_of_delta_and_its_final_copy_agree(kind: str, field: str, escaped: bool) -> None:
    events = [
        sse({"type": f"{kind}.delta", "output_index": 0, "delta": piece})
        for piece in pieces(f"<{KEY_TOKEN}>", [3, 9])
    ]
    events.append(sse({"type": f"{kind}.done", "output_index": 0, field: f"<{KEY_TOKEN}>"}))

    *deltas, done = payloads(restored(restorer("openai-responses"), events))

    wanted = f"<{json.dumps(VALUE)[1:-1] if escaped else VALUE}>"
    assert "".join(delta["delta"] for delta in deltas) == done[field] == wanted


@pytest.mark.parametrize(
    ("on_mangled", "written"), [("restore_fuzzy", VALUE), ("error_to_model", NOTICE), ("pass", None)]
)
@pytest.mark.parametrize("name", ECHOES)
def test_a_changed_token_in_arguments_is_handled_by_policy(
    name: str, on_mangled: str, written: str | None
) -> None:
    dialect, echo = ECHOES[name]
    broken = KEY_TOKEN[:8] + "1" + KEY_TOKEN[9:]
    arguments = json.dumps({"text": broken})
    answer = restorer(dialect, on_mangled=on_mangled)

    _, said = echo.read(restored(answer, echo.events(["ok"], list(arguments), {"text": broken})))
    _, whole = echo.read_whole(
        json.loads(
            restorer(dialect, on_mangled=on_mangled).whole(
                json.dumps(echo.whole("ok", {"text": broken})).encode()
            )
        )
    )

    assert said["text"] == whole["text"] == (written or broken)
    assert answer.counts["mended" if on_mangled == "restore_fuzzy" else "mangled"] >= 1


def test_unknown_tokens_pass_and_are_counted() -> None:
    token = Minter(b"other").token("SECRET", "x")
    answer = restorer("anthropic-messages")
    events = messages_stream([token], ["{}"], {})

    assert restored(answer, events) == events
    assert answer.counts == {"unknown": 1}


def test_a_key_that_stands_twice_is_read_as_parsers_read_it() -> None:
    body = b'{"content": "one", "content": "%b"}' % KEY_TOKEN.encode()

    assert json.loads(restorer("ollama").whole(body)) == {"content": VALUE}


def test_bytes_around_a_restored_string_stay() -> None:
    body = b'{ "n": 1.50, "big": 123456789012345678901234567890,\n "text": "%b" }' % KEY_TOKEN.encode()

    assert restorer("generic").whole(body) == body.replace(
        KEY_TOKEN.encode(), json.dumps(VALUE)[1:-1].encode()
    )


def test_an_answer_that_is_plain_text_is_restored_as_such() -> None:
    body = b"<p>%b\xff</p>" % MAIL_TOKEN.encode()

    assert restorer("generic").whole(body) == b"<p>bob@corp.com\xff</p>"


@pytest.mark.parametrize(
    "event",
    [
        Event(None, raw=b": keep-alive\n\n"),
        Event(b"QZX binary \x00", raw=b"QZX binary \x00"),
        Event(b'"qzx"'),
        sse({"bytes": "no base64: qzx"}),
    ],
    ids=["none", "binary", "string", "broken"],
)
@pytest.mark.parametrize("dialect", ["openai-chat", "bedrock-invoke", "unheard of"])
def test_events_that_say_nothing_pass(event: Event, dialect: str) -> None:
    assert restorer(dialect).event(event) == [event]


def test_nova_on_bedrock_is_restored() -> None:
    said = [
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": KEY_TOKEN[:8]}}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": KEY_TOKEN[8:] + "q"}}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
    ]
    events = [sse({"bytes": b64encode(orjson.dumps(p)).decode()}, "chunk") for p in said]

    out = [json.loads(_inner(event)) for event in restored(restorer("bedrock-invoke"), events)]

    assert [p["contentBlockDelta"]["delta"]["text"] for p in out[:-1]] == ["", VALUE, "q"]
    assert out[-1] == said[-1]


def test_tokens_are_known_by_their_letters_alone() -> None:
    (out,) = restorer("openai-chat").event(chat_chunk({"content": f"`{core(KEY_TOKEN)}`"}, "stop"))

    assert json.loads(out.data or b"")["choices"][0]["delta"]["content"] == f"`{VALUE}`"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_file_has_its_values_again_however_it_is_cut(size: int) -> None:
    line = json.dumps({"said": f'"é" {MAIL_TOKEN}, {KEY_TOKEN}', "q": "q"}, ensure_ascii=False).encode()
    sent = b"\xff\x00\n" + line + b"\n" + line + b"\xc3"
    answer = restorer("generic")

    pieces = [Event(sent[at : at + size], raw=sent[at : at + size]) for at in range(0, len(sent), size)]
    out = [one for event in [*pieces, End()] for one in answer.file(event)]

    begin, *lines = b"".join(event.data or b"" for event in out).split(b"\n")
    assert begin == b"\xff\x00"
    assert [json.loads(line.removesuffix(b"\xc3"))["said"] for line in lines] == [f'"é" {MAIL}, {VALUE}'] * 2
    assert lines[-1].endswith(b"\xc3")
    assert isinstance(out[-1], End)
    assert all(event.raw == event.data for event in out[:-1])


def test_a_piece_of_a_file_in_which_nothing_stands_goes_on_as_it_came() -> None:
    event, answer = Event(b"\x89PNG", raw=b"\x89PNG"), restorer("generic")

    assert answer.file(event) == [event]
    assert answer.file(event)[0] is event
