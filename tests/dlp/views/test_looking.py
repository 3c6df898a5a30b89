from __future__ import annotations

import base64
import gzip
import io
import json
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollgate.calls import Kind
from tollgate.dlp.views import Budget, View, ViewError, attachment_views, views
from tollgate.policy.dlp import Views

SECRET = "AKIAQYLPMN5HFIQR7XYA"
LIMITS = Views()


def seen(text: str, kind: Kind = "text", limits: Views = LIMITS, budget: int = 1 << 24) -> list[View]:
    return list(views(text, kind, limits, Budget(budget)))


def names(found: list[View]) -> list[str]:
    return [view.name for view in found if SECRET in view.text]


def place(text: str, view: View) -> str | None:
    """What stands in the original where the view shows the secret."""
    start = view.text.index(SECRET)
    span = view.span(start, start + len(SECRET))
    return text[span[0] : span[1]] if span else None


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", content)
    return out.getvalue()


def b64(content: bytes | str) -> str:
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()


def percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def entities(text: str) -> str:
    return "".join(f"&#{ord(char)};" for char in text)


def escapes(text: str) -> str:
    return "".join(f"\\u{ord(char):04x}" for char in text)


def fullwidth(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def zero_width(text: str) -> str:
    return "\u200b".join(text)


IN_PLACE: dict[str, Callable[[str], str]] = {
    "percent": percent,
    "html": entities,
    "escapes": escapes,
    "fullwidth": fullwidth,
    "zero width": zero_width,
    "spaced": " ".join,
}


@pytest.mark.parametrize("encode", IN_PLACE.values(), ids=IN_PLACE)
def test_what_is_encoded_in_place_is_found_there(encode: Callable[[str], str]) -> None:
    text = f"{'prose ' * 100}the key {encode(SECRET)} is wrong {'prose ' * 100}"

    assert encode(SECRET) in [place(text, view) for view in seen(text) if SECRET in view.text]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(sorted(set(IN_PLACE) - {"spaced"})), min_size=1, max_size=3),
    st.text(st.characters(codec="ascii", exclude_characters="\\&%=\x1b"), max_size=40),
)
def test_encodings_within_each_other_are_undone(encodings: list[str], around: str) -> None:
    encoded = SECRET
    for name in encodings:
        encoded = IN_PLACE[name](encoded)
    text = f"{around} {encoded} {around}"

    assert encoded in [place(text, view) for view in seen(text) if SECRET in view.text]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"decode {b64(f'the key is {SECRET}')}", "base64"),
        (b64(b64(b64(f"the key is {SECRET}"))), "base64/base64/base64"),
        (f"hex {f'the key is {SECRET}'.encode().hex()}", "hex"),
        (b64(percent(SECRET)), "base64/percent"),
        (quote(b64(f">>> {SECRET} ??>"), safe=""), "percent/base64"),
        (b64(fullwidth(SECRET)), "base64/normalised"),
        (f"data:application/gzip;base64,{b64(gzip.compress(SECRET.encode()))}", "base64/gzip"),
        (b64(zipped(b64(f"key {SECRET}").encode())), "base64/zip/base64"),
        (f'"{b64(f"the key is {SECRET}")[:20]}" + "{b64(f"the key is {SECRET}")[20:]}"', "joined/base64"),
        (json.dumps(json.dumps({"a": f"x\n{fullwidth(SECRET)}"})), "escapes/normalised"),
    ],
)
def test_what_stands_in_an_encoding_has_the_encoding_as_its_place(text: str, name: str) -> None:
    (view,) = [view for view in seen(text) if view.name == name]
    start, end = view.enclosing

    assert SECRET in view.text
    assert "base64" not in name or view.span(0, 1) is None
    assert 0 <= start < end <= len(text)


def test_an_encoded_run_can_be_replaced_as_a_whole() -> None:
    run = b64(f"the key is {SECRET}")
    text = f"before {run} after"
    (view,) = [view for view in seen(text) if SECRET in view.text]

    assert text[view.enclosing[0] : view.enclosing[1]] == run


def test_the_same_run_twice_has_two_places() -> None:
    run = b64(f"the key is {SECRET}")

    assert len({view.enclosing for view in seen(f"{run}\n\n{run}") if SECRET in view.text}) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Plain prose, 100 % of it; R & D.",
        "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "import os\n\nclass SomeVeryLongClassNameIndeed:\n    path = '/usr/lib/python3/dist-packages'\n",
        "550e8400-e29b-41d4-a716-446655440000 1699999999 0.1234567890123456",
    ],
)
def test_ordinary_text_has_no_views(text: str) -> None:
    assert seen(text) == []


def test_views_are_of_what_is_encoded_only() -> None:
    text = "word " * 100_000 + percent("@") + " word" * 100_000

    assert sum(len(view.text) for view in seen(text)) < 1000


# -- limits --------------------------------------------------------------------------------------------------


def refusal(text: str, limits: Views = LIMITS, budget: int = 1 << 24, kind: Kind = "text") -> str:
    with pytest.raises(ViewError) as error:
        seen(text, kind, limits, budget)
    return error.value.code


def test_what_is_nested_too_deeply_is_refused() -> None:
    text = f"the key is {SECRET}"
    for _ in range(4):
        text = b64(text)

    assert refusal(text) == "too_deep"
    assert refusal(b64(f"the key is {SECRET}"), Views(depth=0)) == "too_deep"
    assert refusal(b64(gzip.compress(b64(gzip.compress(b"x")).encode()))) == "too_deep"
    assert names(seen(text, limits=Views(depth=4))) == ["base64/base64/base64/base64"]


def test_encodings_that_alternate_too_often_are_refused() -> None:
    text = "@"
    for n in range(9):
        text = (
            "".join(f"%{ord(c):02x}" if n % 2 else f"&#{ord(c)};" for c in text)
            if n < 4
            else (text.replace("%", "&#37;") if n % 2 == 0 else text.replace("&", "%26"))
        )

    assert refusal(text) == "too_deep"


def test_all_that_a_request_decodes_to_counts() -> None:
    budget = Budget(3000)
    text = b64("key " * 250)
    list(views(text, "text", LIMITS, budget))

    assert budget.left == 2000
    with pytest.raises(ViewError, match="more than 3000 bytes"):
        list(views(b64("key " * 600), "text", LIMITS, budget))


def test_bombs_are_refused() -> None:
    assert refusal(b64(gzip.compress(bytes(5_000_000))), budget=1_000_000) == "too_large"
    assert refusal("%41" * 1000, budget=500) == "too_large"


@pytest.mark.parametrize(
    "text",
    [
        "\\" * 100_000,
        "%25" * 50_000,
        "&amp" * 40_000,
        "&amp;" * 30_000,
        "=3D" * 50_000,
        "\x1b]" * 50_000,
        "а" * 100_000,
        "a " * 60_000,
        "a." * 60_000,
        '" ' * 60_000,
        "@a" * 60_000,
        "a1\n" * 40_000,
        "A" * 100_000,
        ("A" * 50 + "\n") * 3000,
        "".join("A" * (40 + n % 300) + "\n" for n in range(600)),
        "<" * 100_000,
    ],
    ids=lambda text: repr(text[:6]),
)
def test_hostile_text_takes_time_in_proportion(text: str) -> None:
    started = time.process_time()
    for document in (text, b64(zipped(text.encode()))):
        with suppress(ViewError):
            seen(document, budget=1 << 26)

    assert time.process_time() - started < 20


# -- what the policy leaves out ------------------------------------------------------------------------------

RUN = b64(f"the key is {SECRET}")
ZIP = b64(zipped(SECRET.encode()))


@pytest.mark.parametrize(
    ("limits", "kind", "text", "expected"),
    [
        (Views(encodings=False), "text", percent(SECRET), []),
        (Views(encodings=False), "text", RUN, []),
        (Views(encodings=False), "text", fullwidth(SECRET), ["normalised"]),
        (Views(encodings=False), "blob", RUN, ["base64"]),
        (Views(encodings=False, documents=False), "blob", RUN, []),
        (Views(documents=False), "text", RUN, ["base64"]),
        (Views(documents=False), "text", b64(gzip.compress(SECRET.encode())), []),
        (Views(joins=False), "text", '"AKIAQYLPMN" + "5HFIQR7XYA"', []),
        (Views(joins=True), "text", '"AKIAQYLPMN" + "5HFIQR7XYA"', ["joined"]),
    ],
)
def test_the_policy_says_what_is_looked_into(
    limits: Views, kind: Kind, text: str, expected: list[str]
) -> None:
    assert names(seen(text, kind, limits)) == expected


def test_a_short_attachment_is_looked_into() -> None:
    assert [view.text for view in seen(b64("536-22-8"), "blob")] == ["536-22-8"]
    assert seen(b64("536-22-8")) == []


def test_a_broken_document_is_refused_where_it_is_an_attachment() -> None:
    half = b64(zipped(SECRET.encode())[:-10] + b"\xff" * 60)

    assert refusal(half, kind="blob") == "broken_document"
    assert set(names(seen(f"see {half}"))) == {"base64/strings"}


# -- attachments ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (SECRET.encode(), "text"),
        (SECRET.encode("utf-16"), "text"),
        (b"\x89PNG\xff\xfe\x80\x90" + SECRET.encode() + b"\xff" * 30, "strings"),
        (zipped(SECRET.encode()), "zip"),
        (zipped(gzip.compress(percent(SECRET).encode())), "zip/gzip/percent"),
        (RUN.encode(), "text/base64"),
    ],
)
def test_attachments_are_looked_into(data: bytes, name: str) -> None:
    found = [v for v in attachment_views(data, LIMITS, Budget(1 << 20)) if SECRET in v.text]

    assert [view.name for view in found] == [name]
    assert found[0].span(0, 1) is None
    assert found[0].enclosing == (0, len(data))


def test_an_attachment_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ViewError) as error:
        list(attachment_views(b"PK\x03\x04" + bytes(40), LIMITS, Budget(1 << 20)))

    assert error.value.code == "broken_document"


# -- anything ------------------------------------------------------------------------------------------------

SCRAPS = [
    *("%41", "%25", "%C3%A9", "&#65;", "&amp;", "\\u0041", "\\ud835", "\\n", "=3D", "=\n", "=41=42=43"),
    *(
        "\u200b",
        "\uff21",
        "\u0430",
        "\u2011",
        "\u00a0",
        "\U000e0041",
        "\x1b[1m",
        "\x00",
        "\n",
        " ",
        '"',
        '" + "',
    ),
    *("QUtJQVFZTFBNTjVIRklRUjdYWUE", b64(b"PK\x03\x04" * 9), b64(b"\x1f\x8b\x08" * 9), b64(b"%PDF-1.4" * 5)),
    *("536-22-8941", "jane@x.io", "A1b2C3d4E5f6", "a", "1", "é", "中"),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(SCRAPS) | st.text(max_size=4), max_size=30).map("".join))
def test_any_text_gives_views_with_true_places_or_a_view_error(text: str) -> None:
    try:
        found = seen(text, budget=100_000)
    except ViewError:
        return
    for view in found:
        assert 0 <= view.enclosing[0] < view.enclosing[1] <= len(text)
        view.text.encode()  # no half surrogate pairs, which no detector could take
        for at in range(0, len(view.text), 7):
            span = view.span(at, at + 1)
            assert span is None or 0 <= span[0] < span[1] <= len(text)
