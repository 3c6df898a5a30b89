from __future__ import annotations

import base64
import quopri
from itertools import chain, pairwise
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.dlp.views.encodings import Run, pieces, runs
from tollgate.dlp.views.signs import Signs
from tollgate.dlp.views.view import in_order, original

SECRET = "jane.doe@contoso-bank.com"


def decoded(text: str) -> tuple[str, str]:
    """The names of what was undone, and the text with it undone."""
    found = dict(pieces(text))
    view = next(original(text).rewritten("", in_order(chain.from_iterable(found.values()))), None)
    return "+".join(found), view.text if view else text


def found_runs(text: str, shortest: int) -> list[Run]:
    return list(runs(text, Signs(text), shortest, lambda data: True, set()))


def percent(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("percent", "q=jane%40x.io", "q=jane@x.io"),
        ("percent", "q=jane%252540x.io", "q=jane@x.io"),
        ("percent", percent("Zoë €𝐀"), "Zoë €𝐀"),
        ("percent", "%25C3%25AB", "ë"),
        ("percent", "%u0041%u00eb", "Aë"),
        ("html", "&#53;&#x33;&#X36;&#45", "536-"),
        ("html", "a&amp;#64;b &eacute; &lt;", "a@b é <"),
        ("escapes", r"\u0041\x4b\u{49}\U00000041", "AKIA"),
        ("escapes", r"a\nb\t\"c\" \/", 'a\nb\t"c" /'),
        ("escapes", r"\\\\\u0041\\\"", 'A"'),
        ("escapes", r"\ud835\udc00 \\ud835\\udc00", "𝐀 𝐀"),
        ("escapes", r"\ud835! \U00110000", "\ufffd! \ufffd"),
        ("quoted-printable", "=41=4B=49=41=C3=AB", "AKIAë"),
        ("quoted-printable", "key=3DAKIA=\n5HF=\r\n7", "key=AKIA5HF7"),
        ("quoted-printable", "jane=40x.io", "jane@x.io"),
        ("octal", r"key \101\113\111\101", "key AKIA"),
        ("codes", "bytes([65, 75, 73, 65, 0x35, 72, 70, 55])", "bytes(AKIA5HF7)"),
        ("terminal", "\x1b[01;31m\x1b[KAKIA\x1b[m\x1b]8;;u\x07x\x1b(B", "AKIAx"),
    ],
)
def test_encodings_are_undone_in_place(name: str, text: str, expected: str) -> None:
    assert decoded(text) == (name, expected)


@pytest.mark.parametrize(
    "text",
    [
        "100 % of 5%zz",
        "a & b; &nothing; AT&T",
        "C:\\Windows\\System",
        "[65, 75, 73]",
        "[100, 200, 100, 200, 100, 200, 100, 200]",
        r"\1\12 \101",
        "x=40; y == 3",
        "\\\\\\",
    ],
)
def test_what_is_no_encoding_stays(text: str) -> None:
    assert decoded(text) == ("", text)


def test_several_encodings_are_undone_at_once() -> None:
    assert decoded(r"%41 &#66; \x43") == ("percent+html+escapes", "A B C")


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
def test_any_text_comes_back_from_percent_and_quoted_printable(text: str) -> None:
    assert decoded(percent(text))[1] == text
    quoted = "".join(f"={byte:02X}" for byte in f"000{text}".encode())
    assert decoded(quoted)[1] == f"000{text}"


@pytest.mark.parametrize("depth", range(1, 5))
def test_percent_encoding_of_any_depth_is_undone_at_once(depth: int) -> None:
    text = SECRET
    for _ in range(depth):
        text = quote(text)

    assert decoded(text)[1] == SECRET


# -- runs ----------------------------------------------------------------------------------------------------

PLAIN = base64.b64encode(SECRET.encode()).decode()


@pytest.mark.parametrize(
    ("name", "run"),
    [
        ("base64", PLAIN),
        ("base64", PLAIN.rstrip("=")),
        ("hex", SECRET.encode().hex()),
        ("hex", SECRET.encode().hex().upper()),
        ("hex", f"0x{SECRET.encode().hex()}"),
    ],
)
@pytest.mark.parametrize("around", ["{}", "see: {} here", "«{}»", '{{"data": "{}"}}', "x={}\n"])
def test_runs_are_found_with_their_place(name: str, run: str, around: str) -> None:
    text = around.format(run)
    start = text.index(run)

    assert found_runs(text, 16) == [Run(start, start + len(run), name, SECRET.encode())]


def test_the_url_safe_alphabet_is_read() -> None:
    data = b"\xfb\xef\xbe\xff\xff\xfe" * 4

    assert [run.data for run in found_runs(base64.urlsafe_b64encode(data).decode(), 16)] == [data]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\n  "])
@pytest.mark.parametrize("width", [60, 64, 76])
@pytest.mark.parametrize("length", [90, 114, 171, 200])
def test_wrapped_base64_is_one_run(line_end: str, width: int, length: int) -> None:
    data = bytes(range(1, length + 1))
    packed = base64.b64encode(data).decode()
    wrapped = line_end.join(packed[at : at + width] for at in range(0, len(packed), width))

    assert found_runs(f"{wrapped}\n\nand so on", 16) == [Run(0, len(wrapped), "base64", data)]


def test_the_line_behind_a_run_does_not_belong_to_it() -> None:
    packed = base64.b64encode(b"0123456789" * 6).decode()

    assert [run.data for run in found_runs(f"{packed}\nplain words follow", 16)] == [b"0123456789" * 6]


@pytest.mark.parametrize(
    "text", ["too short", "a_long_function_name_in_python", "usr/lib/python3/dist-packages"]
)
def test_names_and_paths_are_no_runs(text: str) -> None:
    assert found_runs(text, 16) == []


def test_a_run_with_a_character_too_many_is_read_without_it() -> None:
    assert [run.data for run in found_runs(base64.b64encode(b"012345678901").decode() + "A", 16)] == [
        b"012345678901"
    ]


@given(st.text(st.sampled_from("AZaz09+/-_= \n\r\té\\%"), max_size=300))
def test_runs_lie_within_the_text_and_apart(text: str) -> None:
    found = found_runs(text, 4)
    assert all(0 <= a.start < a.end <= len(text) for a in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\%&\x1b"), max_size=200))
def test_pieces_of_quoted_printable_agree_with_the_standard_library(text: str) -> None:
    encoded = quopri.encodestring(f"a=b {text}".encode()).decode("ascii")

    assert decoded(encoded)[1] == quopri.decodestring(encoded).decode()


def test_a_run_that_is_not_promising_is_looked_at_once() -> None:
    seen: list[bytes] = []

    def promising(data: bytes) -> bool:
        seen.append(data)
        return False

    text = "CamelCaseIsNoBase64 " * 3
    assert list(runs(text, Signs(text), 16, promising, set())) == []
    assert len(seen) == 1


def test_a_long_run_is_looked_at_again_for_its_next_lines_may_differ() -> None:
    line = base64.b64encode(bytes(45)).decode()
    assert len(found_runs(f"{line}\n\n{line}\n{line}", 16)) == 2


@pytest.mark.parametrize("data", [b"jane.doe@contoso-bank.com", b"536-22-8941 and more", b"x" * 17])
def test_base32_is_read_whatever_its_length(data: bytes) -> None:
    (run,) = found_runs(f"see {base64.b32encode(data).decode()} there", 16)
    assert (run.name, run.data) == ("base32", data)


def test_capitals_without_digits_are_no_base32() -> None:
    (run,) = found_runs("see ABCDEFGHIJKLMNOPQRSTUVWX there", 16)
    assert run.name == "base64"
