"""The streaming machine: what goes out when, and what it says in the end."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.echoes import pieces
from tollgate.dlp.restore import NOTICE, Manner, OnMangled, Restorer, begins
from tollgate.dlp.tokens import Book, Minter

BOOK = Book(Minter(b"k" * 32))
KEY = BOOK.token("SECRET", 'a "quoted"\nkey\\')
MAIL = BOOK.token("EMAIL_ADDRESS", "bob@corp.com")
NAME = BOOK.token("PERSON", "Bob Smith")
KNOWN = BOOK.originals
UNKNOWN = Minter(b"other").token("SECRET", "x")
BROKEN = KEY[:8] + "0" + KEY[9:]

TEXTS = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from([KEY, MAIL, NAME, UNKNOWN, "q", "Qz", "qzx", "QZXS", "@pii", MAIL[:14]]),
        st.sampled_from(["{", "[", '"', '\\"', '{"a": "', "}", "\\", "\n"]),
    )
).map("".join)


def in_pieces(
    text: str, cuts: list[int], manner: Manner = "text", on_mangled: OnMangled = "restore_fuzzy"
) -> str:
    restorer = Restorer(KNOWN, on_mangled)
    return "".join([restorer.feed("c", piece, manner) for piece in pieces(text, cuts)]) + restorer.flush("c")


@pytest.mark.parametrize(
    ("text", "restored"),
    [
        (NAME, "Bob Smith"),
        (f"Dear {NAME}, your mail {MAIL}.", "Dear Bob Smith, your mail bob@corp.com."),
        (f"{NAME}'s `{NAME}` **{NAME}** _{NAME}_", "Bob Smith's `Bob Smith` **Bob Smith** _Bob Smith_"),
        (f"<{NAME}> [{NAME}]({NAME})\\_{NAME}", "<Bob Smith> [Bob Smith](Bob Smith)\\_Bob Smith"),
        (NAME.upper() + NAME.lower(), "Bob SmithBob Smith"),
        (f"abc{NAME}def", "abcBob Smithdef"),
        (f"QZX{NAME}QZ", "QZXBob SmithQZ"),
        (f"QZXP{NAME}", "QZXPBob Smith"),
        (MAIL.upper(), "bob@corp.com"),
        (f"mailto:{MAIL}", "mailto:bob@corp.com"),
        (MAIL.replace("@", "\\@").replace(".", "\\."), "bob@corp.com"),
        (MAIL.replace("@", "%40"), "bob@corp.com"),
        (MAIL + "@pii.invalid", "bob@corp.com@pii.invalid"),
        (MAIL[:14], "bob@corp.com"),
        (MAIL[:14] + "@pi", "bob@corp.com@pi"),
        (MAIL[:14] + "@pip", "bob@corp.com@pip"),
        (NAME + "@pii.invalid", "Bob Smith@pii.invalid"),
        (NAME[:13], NAME[:13]),
        (UNKNOWN, UNKNOWN),
        (BROKEN, BROKEN),
        ("", ""),
    ],
)  # fmt: skip
def test_values_stand_where_tokens_stood(text: str, restored: str) -> None:
    assert Restorer(KNOWN).whole(text) == restored
    assert in_pieces(text, list(range(len(text)))) == restored


@given(text=TEXTS, cuts=st.lists(st.integers(0, 200)), manner=st.sampled_from(["text", "input", "json"]))
def test_pieces_say_what_the_whole_says(text: str, cuts: list[int], manner: Manner) -> None:
    assert in_pieces(text, cuts, manner) == Restorer(KNOWN).whole(text, manner)


@given(text=TEXTS, cuts=st.lists(st.integers(0, 200)), manner=st.sampled_from(["text", "input", "json"]))
def test_pieces_count_what_the_whole_counts(text: str, cuts: list[int], manner: Manner) -> None:
    restorer, whole = Restorer(KNOWN, "pass"), Restorer(KNOWN, "pass")
    for piece in pieces(text, cuts):
        restorer.feed("c", piece, manner)
    restorer.flush("c")
    whole.whole(text, manner)

    assert restorer.counts == whole.counts


@pytest.mark.parametrize(
    ("piece", "goes_out"),
    [
        ("plain text", "plain text"),
        ("ends with q", "ends with "),
        ("Iraq.", "Iraq."),
        ("a qz", "a "),
        ("a qzx", "a "),
        ("a QZXS2", "a "),
        ("a QZXS1", "a QZXS1"),
        (f"a {NAME}", "a Bob Smith"),
        (f"a {MAIL[:14]}", "a "),
        (f"a {MAIL[:20]}", "a "),
        (f"a {MAIL}", "a bob@corp.com"),
        (f"a {MAIL[:14]} ", "a bob@corp.com "),
        (f"a {UNKNOWN}", f"a {UNKNOWN}"),
    ],
)
def test_only_what_may_be_the_beginning_of_a_token_waits(piece: str, goes_out: str) -> None:
    restorer = Restorer(KNOWN)

    assert restorer.feed("c", piece) == goes_out
    assert restorer.holds("c") == (goes_out == "a " or goes_out == "ends with ")


def test_channels_wait_apart() -> None:
    restorer = Restorer(KNOWN)

    assert restorer.feed("one", NAME[:5]) == restorer.feed("two", KEY[:9]) == ""
    assert restorer.feed("one", NAME[5:]) == "Bob Smith"
    assert restorer.flush("two") == KEY[:9]
    assert restorer.flush("two") == restorer.flush("three") == ""


@given(cuts=st.lists(st.integers(0, 60)))
def test_in_json_a_value_is_escaped(cuts: list[int]) -> None:
    arguments = json.dumps({"path": "/tmp", "text": f"{KEY} and {KEY}"})

    restored = in_pieces(arguments, cuts, "json")

    assert json.loads(restored)["text"] == 'a "quoted"\nkey\\ and a "quoted"\nkey\\'


@pytest.mark.parametrize(
    "broken", [BROKEN, KEY[:7] + KEY[8:], KEY[:9] + "A1" + KEY[9:], BROKEN[:-1], KEY[:-2]]
)
@pytest.mark.parametrize("around", ["{}", '"{}"', "x={};"])
@pytest.mark.parametrize(
    ("on_mangled", "becomes", "counted"),
    [
        ("restore_fuzzy", KNOWN[KEY], {"mended": 1}),
        ("error_to_model", NOTICE, {"mangled": 1}),
        ("pass", None, {"mangled": 1}),
    ],
)
def test_a_changed_token_in_a_tools_input_is_handled_by_policy(
    broken: str, around: str, on_mangled: OnMangled, becomes: str | None, counted: dict[str, int]
) -> None:
    text = around.format(broken)
    restorer = Restorer(KNOWN, on_mangled)

    wanted = around.format(becomes or broken)
    assert restorer.whole(text, "input") == wanted
    assert restorer.counts == counted
    assert in_pieces(text, list(range(len(text))), "input", on_mangled) == wanted
    assert Restorer(KNOWN, on_mangled).whole(text, "text") == text


def test_a_changed_mail_token_goes_with_its_domain() -> None:
    broken = MAIL[:8] + "0" + MAIL[9:]

    assert Restorer(KNOWN).whole(f"to {broken}!", "input") == "to bob@corp.com!"
    assert in_pieces(f"to {broken}!", list(range(40)), "input") == "to bob@corp.com!"


@pytest.mark.parametrize("text", ["qzxs1", "QZXS" + "7" * 20, UNKNOWN])
def test_what_is_far_from_every_token_is_never_restored(text: str) -> None:
    assert Restorer(KNOWN).whole(text, "input") == text


def test_unknown_tokens_are_counted() -> None:
    restorer = Restorer(KNOWN)

    assert restorer.whole(f"{UNKNOWN} {NAME} {UNKNOWN.lower()}")
    assert restorer.counts == {"unknown": 2, "restored": 1}


def test_where_nothing_is_known_nothing_waits() -> None:
    restorer = Restorer({})

    assert restorer.feed("c", "q") == "q"
    assert restorer.whole(KEY) == KEY


def test_the_notice_can_stand_in_json() -> None:
    assert json.loads(f'"{NOTICE}"') == NOTICE


@pytest.mark.parametrize(
    ("text", "does"), [("aqzxb", True), ("aQ", True), ("qZ", True), ("qa qz a", False), ("", False)]
)
def test_begins(text: str, does: bool) -> None:
    assert begins(text) == does


def test_a_long_text_in_many_pieces() -> None:
    """A megabyte in pieces of 1 to 12 characters, tokens cut anywhere."""
    chance = random.Random(1)
    words = [KEY, MAIL, NAME, "lorem ipsum", "Iraq", "\n", "Qz"]
    text = " ".join(chance.choice(words) for _ in range(60_000))
    restorer, out, at = Restorer(KNOWN), [], 0
    while at < len(text):
        size = chance.randint(1, 12)
        out.append(restorer.feed("c", text[at : at + size]))
        at += size

    assert "".join(out) + restorer.flush("c") == Restorer(KNOWN).whole(text)


@pytest.mark.parametrize("manner", ["text", "json"])
def test_tokens_of_others_are_spared(manner: Manner) -> None:
    token, other = Minter(b"a").token("SECRET", "x"), Minter(b"b").token("SECRET", "y")
    restorer = Restorer({token: "x"}, "error_to_model")
    restorer.spare([other])

    assert restorer.whole(f"{other} {token}", manner) == f"{other} x"
    assert restorer.counts == {"restored": 1}


def nested(text: str, times: int) -> str:
    for _ in range(times):
        text = json.dumps({"path": '/tmp/"x"', "it": text})
    return text


@pytest.mark.parametrize("times", range(1, 4))
@given(cuts=st.lists(st.integers(0, 200)))
def test_in_json_within_json_a_value_is_escaped_as_often(times: int, cuts: list[int]) -> None:
    restored = in_pieces(nested(f"key: {KEY}", times), cuts, "json")

    for _ in range(times):
        restored = json.loads(restored)["it"]
    assert restored == f"key: {KNOWN[KEY]}"


@pytest.mark.parametrize("manner", ["text", "input"])
@given(cuts=st.lists(st.integers(0, 200)))
def test_json_in_a_text_stays_json(manner: Manner, cuts: list[int]) -> None:
    restored = in_pieces(f"It is {KEY}:\n{nested(KEY, 2)}\nand {KEY}.", cuts, manner)

    assert restored == f"It is {KNOWN[KEY]}:\n{nested(KNOWN[KEY], 2)}\nand {KNOWN[KEY]}."


def test_each_channel_is_followed_by_itself() -> None:
    restorer = Restorer(KNOWN)

    assert restorer.feed("one", '{"a": "') == '{"a": "'
    assert restorer.feed("two", KEY) == KNOWN[KEY]
    assert restorer.feed("one", KEY) == json.dumps(KNOWN[KEY])[1:-1]
    assert restorer.flush("one") == ""
    assert restorer.feed("one", KEY) == KNOWN[KEY]


def test_without_values_that_need_it_nothing_is_followed() -> None:
    assert Restorer(KNOWN).follows
    assert not Restorer({MAIL: "bob@corp.com"}).follows
