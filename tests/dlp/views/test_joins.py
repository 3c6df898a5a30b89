from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.calls import Kind, Slot
from tollgate.dlp.views.joins import Join, gaps, glue, joins
from tollgate.dlp.views.signs import Signs
from tollgate.dlp.views.view import in_order, original

KEY = "AKIAQYLPMN5HFIQR7XYA"
CARD = "4111 1111 1111 1111"
ADDRESS = "jane.doe@contoso-bank.com"


def joined(text: str) -> str:
    """The text with its parts put together; itself where there are none."""
    return next((view.text for view in original(text).rewritten("", in_order(gaps(text, Signs(text))))), text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('k = "AKIAQYLPMN" + "5HFIQR7XYA"', f'k = "{KEY}"'),
        ("k = 'AKIAQYLPMN' . '5HFIQR7XYA'", f"k = '{KEY}'"),
        ('k = "AKIAQYLPMN" || "5HFIQR7XYA"', f'k = "{KEY}"'),
        ('k = "AKIAQYLPMN" & "5HFIQR7XYA"', f'k = "{KEY}"'),
        ('k = ("AKIAQYLPMN"\n     f"5HFIQR7XYA")', f'k = ("{KEY}")'),
        ('k = "AKIAQYLPMN" \\\n  "5HFIQR7XYA"', f'k = "{KEY}"'),
        ('k = "AKIAQYLPMN" +\n  "5HFIQR7XYA"', f'k = "{KEY}"'),
        ("k = `AKIAQYLPMN` + `5HFIQR7XYA`", f"k = `{KEY}`"),
        ("key AKIAQYLPMN\n5HFIQR7XYA.", f"key {KEY}."),
        ("key AKIAQYLPMN\r\n   5HFIQR7XYA", f"key {KEY}"),
        ("key AKIAQYLPMN\\\n5HFIQR7XYA", f"key {KEY}"),
        ("key AKIAQYLPMN=\n5HFIQR7XYA", f"key {KEY}"),
        ("mail jane.doe@con\ntoso-bank.com now", f"mail {ADDRESS} now"),
        ("mail jane.doe\n@contoso-bank.com now", f"mail {ADDRESS} now"),
        ("card 4111 1111\n1111 1111", f"card {CARD}"),
        ("card 4111 1111\n 1111 1111", f"card {CARD}"),
        ("ssn 536-22-\n8941", "ssn 536-22-8941"),
        (f"key {' '.join(KEY)} is", f"key {KEY} is"),
        (f"mail {' '.join(ADDRESS)}", f"mail {ADDRESS}"),
        *((f"key {gap.join(KEY)} is", f"key {KEY} is") for gap in "-_/|*,\t"),
        ('k = "AKIAQYLPMN" ++ "5HFIQR7XYA"', f'k = "{KEY}"'),
        ('k = "AKIAQYLPMN" .. "5HFIQR7XYA"', f'k = "{KEY}"'),
        (f"card {'.'.join('4111111111111111')}, thanks", "card 4111111111111111, thanks"),
    ],
)
def test_parts_of_a_value_are_put_together(text: str, expected: str) -> None:
    assert joined(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "plain words\nthat go on over\nseveral Lines",
        "API_KEY=abcdef0123456789\nDB_HOST=db1.internal",
        "key: abcdef0123456789\nhost2: db1",
        "write to jane@x.io\nor to bob@y.io\n2024 was long",
        "import os\n@decorator2\ndef f1(): ...",
        "10:22:33 200 1532\n10:22:34 404 1699999999",
        '["AKIAQYLPMN", "5HFIQR7XYA"]',
        'f("") + g("")  # b"".join(x)',
        "see 'the one' and 'the other'",
        "a b c d, 10.0.0.1 and 1.2.3.4.5",
        "a-b_c/d|e*f,g 1,2,3,4,5 and 12,13,14,15,16,17,18,19,20",
        "",
    ],
)
def test_what_belongs_apart_stays_apart(text: str) -> None:
    assert joined(text) == text


@pytest.mark.parametrize(
    ("tail", "head", "between"),
    [
        ("AKIAQYLPMN", "5HFIQR7XYA", ""),
        ("1111", "1111", " "),
        ("536-2", "2-8941", ""),
        ("404-555", "-1234", ""),
        ("jane.doe@", "x.io", ""),
        ("abcdefgh", "ijklmnop", None),
        ("12345", "67890", None),
        ("1794300000.12", "10.4.5", None),
        ("a1", "b2", None),
        ("jane@x.io", "or", None),
        ("mail", "bob@x.io", None),
    ],
)
def test_words_belong_together_where_they_make_a_value(tail: str, head: str, between: str | None) -> None:
    assert glue(tail, head) == between


# -- over slots ----------------------------------------------------------------------------------------------


def slots(*texts: str, kind: Kind = "text") -> list[Slot]:
    return [Slot(n, text, kind, ("messages", n)) for n, text in enumerate(texts)]


def places(join: Join, value: str) -> list[str]:
    """The pieces of the slots that a value in a join covers."""
    start = join.text.index(value)
    return [slot.text[a:b] for slot, a, b in join.spans(start, start + len(value))]


@pytest.mark.parametrize(
    ("texts", "value", "expected"),
    [
        (["my key is AKIAQYLPMN", "5HFIQR7XYA ok?"], KEY, ["AKIAQYLPMN", "5HFIQR7XYA"]),
        (["key AKIAQYLPMN\n", "\n5HFIQR7XYA"], KEY, ["AKIAQYLPMN", "5HFIQR7XYA"]),
        (["k=4111 1111", " 1111 1111"], CARD, ["4111 1111", "1111 1111"]),
        (["41111111", "11111111"], "4111111111111111", ["41111111", "11111111"]),
        (["ssn 536-2", "2-8941 end"], "536-22-8941", ["536-2", "2-8941"]),
        (["jane.doe@con", "toso-bank.com"], ADDRESS, ["jane.doe@con", "toso-bank.com"]),
        (["key AKIAQYLPMN", "ok", "and?", "5HFIQR7XYA"], KEY, ["AKIAQYLPMN", "5HFIQR7XYA"]),
        (["it: ", *KEY, " end"], KEY, list(KEY)),
        (["it: AKIA", "QYLP", "MN5HFIQR", "7XYA is it"], KEY, ["AKIA", "QYLP", "MN5HFIQR", "7XYA"]),
    ],
)
def test_values_over_slots_are_put_together(texts: list[str], value: str, expected: list[str]) -> None:
    found = [places(join, value) for join in joins(slots(*texts)) if value in join.text]

    assert expected in found


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["only one"],
        ["Please read the file.", "Of course, here it is:", "def f():\n    return 1\n", "{}"],
        ["abcdef012345: yes", "host: db"],
        ["key AKIAQYLPMN", *["Well, I see."] * 5, "5HFIQR7XYA ok?"],
    ],
)
def test_ordinary_slots_are_not_put_together(texts: list[str]) -> None:
    assert list(joins(slots(*texts))) == []


@pytest.mark.parametrize("kind", ["key", "blob"])
def test_keys_and_attachments_are_left_out(kind: Kind) -> None:
    assert list(joins(slots("AKIAQYLPMN", "5HFIQR7XYA", kind=kind))) == []


def test_long_slots_are_shown_by_their_ends_and_no_word_is_cut() -> None:
    (join,) = joins(slots("word " * 1000 + "AKIAQYLPMN", "5HFIQR7XYA " + "word " * 1000))

    assert len(join.text) < 1000
    assert join.text.startswith("word")
    assert join.text.endswith("word")


def test_words_without_end_are_cut() -> None:
    (join,) = joins(slots("x" * 100_000 + "1", "5HFIQR7XYA" + "y" * 100_000))

    assert len(join.text) < 10_000


@given(st.lists(st.text(st.sampled_from("aA1-@. \n"), max_size=12), max_size=8), st.data())
def test_a_join_knows_where_each_character_came_from(texts: list[str], data: st.DataObject) -> None:
    for join in joins(slots(*texts)):
        start = data.draw(st.integers(0, len(join.text) - 1))
        end = data.draw(st.integers(start + 1, len(join.text)))
        pieces = join.spans(start, end)

        assert "".join(slot.text[a:b] for slot, a, b in pieces).replace(" ", "") == (
            join.text[start:end].replace(" ", "")
        )
        assert [slot.ordinal for slot, _, _ in pieces] == sorted(slot.ordinal for slot, _, _ in pieces)


FRAGMENTS = st.sampled_from(
    ["ab1", "jane.doe@", "contoso-bank.com", "AKIAQYLPMN", "5HFIQR7XYA", "of", "a b", " ", ""]
)


@given(
    st.lists(st.tuples(FRAGMENTS, st.sampled_from(["text", "json", "key"])), max_size=20), st.integers(0, 20)
)
def test_joins_with_what_is_new_are_those_that_reach_it(drawn: list[tuple[str, Kind]], since: int) -> None:
    slots = [Slot(n, text, kind, ()) for n, (text, kind) in enumerate(drawn)]

    reaching = [join for join in joins(slots) if join.parts[-1].slot.ordinal >= since]

    assert list(joins(slots, since)) == reaching
