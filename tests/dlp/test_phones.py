"""Phone numbers of the world, and the numbers that only look like them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from support.detection import compiled
from tollgate.dlp.phones import _NUMBER, PhoneJudge, check_regions, phone_judges
from tollgate.dlp.windows import Windowed, build_windowed
from tollgate.policy import Unfit
from tollgate.policy.dlp import Detection

REGIONS = Detection().phone_regions
JUDGE = PhoneJudge(REGIONS, 0.4)


@pytest.fixture(scope="module")
def detector() -> Windowed:
    return build_windowed(phone_judges(REGIONS, 0.4), compiled())


def found(text: str, key: str = "", judge: PhoneJudge = JUDGE) -> list[str]:
    return [text[span.start : span.end] for span in judge.judge(text, 0, len(text), key)]


def example(region: str, style: int) -> str:
    number = phonenumbers.example_number(region)
    assert number is not None
    return phonenumbers.format_number(number, style)


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("text", ["{}", "Jane Doe, {}", "12 High Street\n{}\nSomewhere"])
def test_numbers_as_a_region_writes_them_need_no_word(region: str, text: str) -> None:
    number = example(region, PhoneNumberFormat.NATIONAL)
    assert found(text.format(number)) == [number]


@pytest.mark.parametrize(
    "region", ["US", "GB", "DE", "JP", "ZA", "CH", "NO", "EE", "UY", "NZ", "KE", "SA", "CN"]
)
@pytest.mark.parametrize("style", [PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164])
def test_international_numbers_need_no_word(region: str, style: int) -> None:
    number = example(region, style)
    assert found(f"she has {number}, too") == [number]


@pytest.mark.parametrize(
    "number", ["9469 9966", "72 128 827", "467 3395", "02.27.96.63.08", "555-0147", "9498777106"]
)
@pytest.mark.parametrize(
    "text",
    [
        "Tel.: {}",
        "please call me back at {} today",
        "or text us:\n{}",
        "{} is my mobile number",
        "{} office",
        "My phone number has changed, the new one is {}",
        "Kontakt: Max, Telefon {}",
        "Llámame al {}",
        "WhatsApp {}",
        "电话: {}",
    ],
)
def test_a_word_tells_of_any_number(number: str, text: str) -> None:
    assert found(text.format(number)) == [number]


def test_a_json_key_tells_too() -> None:
    assert found("9498777106", "phoneNumber") == ["9498777106"]
    assert found("9498777106", "offset") == []
    assert JUDGE.wants("mobile_no")
    assert not JUDGE.wants("account")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("(415) 555-2671 x123", ["(415) 555-2671 x123"]),
        ("001-415-555-2671", ["001-415-555-2671"]),
        ("+46 (0)8 123 456 78", ["+46 (0)8 123 456 78"]),
        ("call 415-555-2671 or 415-555-2672.", ["415-555-2671", "415-555-2672"]),
        ("phone 011 2421-2816", ["011 2421-2816"]),
        ("phone of order 5: 415-555-2671", ["415-555-2671"]),
        ("Anna (+34 612 34 56 78)", ["+34 612 34 56 78"]),
        ("Anna (415-555-2671), please", ["415-555-2671"]),
        ("(+61) 412 345 678", ["(+61) 412 345 678"]),
        ("tel:+14155552671 phone=9498777106 Fax:030.123456", ["+14155552671", "9498777106", "030.123456"]),
        ("**415-555-2671**", ["415-555-2671"]),
        ("[415-555-2671](tel:+14155552671)", ["415-555-2671", "+14155552671"]),
        ("customerPhone=9498777106", ["9498777106"]),
        ('{"phoneNumber": "9498777106"}', ["9498777106"]),
        ("homeTel: 949-8777", ["949-8777"]),
        ("mobilenumber 9498777106, faxno 9498777107", ["9498777106", "9498777107"]),
        ("name,phone,age\nAda,9498777106,42", ["9498777106"]),
        ("Ada,+44 20 7946 0958,42", ["+44 20 7946 0958"]),
        ("phone 08.12.89.28", ["08.12.89.28"]),
        ("ask 058-012-0234 or 127.047.8795", ["058-012-0234", "127.047.8795"]),
        ("(012)345-6789", ["(012)345-6789"]),
        ("Ada, 0612345678", ["0612345678"]),
        ("Ada, 415-5552671", ["415-5552671"]),
        ("Kontakt: 08912345678 (mobil), 08912345679 (privat)", ["08912345678", "08912345679"]),
    ],
)
def test_ways_of_writing(text: str, numbers: list[str]) -> None:
    assert found(text) == numbers


@pytest.mark.parametrize(
    "text",
    [
        "my card number is 9498777106",
        "phone me about order 94987771",
        "account number 12 3456 7890",
        "IP 192.168.100.200",
        "between 2026-11-22 14:52 and 22.11.2026 10",
        "4096 2026-05-09 14:42",
        "tel 1.25678901",
        "ISBN 978-3-16-148410-0",
        "zip 12345-6789",
        "ssn 536-22-8941",
        "call 1 2 3 4 5 6 7",
        "+1234567 lines, +12,34 in @@ -1,2 +3,4 @@",
        "+99 99 99 99",
        "the function called 1601532978 times",
        "0000 0001 0203 0405",
        "x = [5489635, 806551, 1048299]",
        "00 61 42 65 30 79 f7",
        "fe80 0061 4265 3079 f7fe",
        "12345678901234567 phone",
        "0099 999 999 99",
        "123 4 567 8901",
        "x=415-555-2671, size:415-555-2671",
        "[415-555-2671] and [3, 415-555-2671]",
        "2*415-555-2671 or f(x)*415-555-2671",
        "contact_id=9498777106",
        "sum,415-555-2671 and 415-555-2671,12",
        "0123456789",
        "0.0612345678 and 10612345678",
        "order 0612345678",
        "balance: 415 555 2671",
        "415 -555 -2671",
        "frames 415/555/2671",
        "rev 415555-2671",
    ],
)
def test_other_numbers_are_none(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("text", ["[" + "9" * 60 + "]", "[0." + "7" * 60 + "]"])
def test_a_row_of_digits_is_not_taken_apart_in_every_way(text: str) -> None:
    """There are billions of ways; arrays of floats end as these do."""
    assert len(list(_NUMBER.finditer(text, timeout=5.0))) <= 1
    assert found(text) == []


def test_the_score_rises_with_a_word() -> None:
    strict = PhoneJudge(REGIONS, 0.9)
    assert found("+1 415-555-2671", judge=strict) == []
    assert found("phone +1 415-555-2671", judge=strict) == ["+1 415-555-2671"]


def test_a_possible_number_needs_a_word_or_blocks() -> None:
    assert found("+19999999999") == []
    assert found("+999999999999999") == []
    assert found("tel +19999999999") == ["+19999999999"]
    assert found("+1 999 999 9999") == ["+1 999 999 9999"]


def test_a_region_that_does_not_exist_is_an_error() -> None:
    check_regions(["US", "GB"])
    with pytest.raises(Unfit, match=r"phone_regions\[1\]: there are no phone numbers of a region 'UK'"):
        check_regions(["US", "UK"])


RANDOM = random.Random(11)


def moment() -> datetime:
    return datetime.fromtimestamp(RANDOM.randrange(10**9, 18 * 10**8), UTC)


MACHINES: dict[str, Callable[[], str]] = {
    "uuid": lambda: str(uuid.UUID(int=RANDOM.getrandbits(128), version=4)),
    "epoch": lambda: str(RANDOM.randrange(15 * 10**8, 18 * 10**8)),
    "epoch in ms": lambda: str(RANDOM.randrange(15 * 10**11, 18 * 10**11)),
    "epoch with fraction": lambda: f"{RANDOM.uniform(15e8, 18e8):.6f}",
    "float": lambda: repr(RANDOM.uniform(-1e6, 1e6)),
    "hash": lambda: f"{RANDOM.getrandbits(160):040x}",
    "short hash": lambda: f"{RANDOM.getrandbits(28):07x}",
    "iso time": lambda: moment().isoformat(),
    "log time": lambda: moment().strftime("%Y-%m-%d %H:%M:%S,123"),
    "compact time": lambda: moment().strftime("%Y%m%d-%H%M%S"),
    "place": lambda: f"src/a{RANDOM.randrange(99)}.py:{RANDOM.randrange(2000)}:{RANDOM.randrange(80)}",
    "diff": lambda: f"@@ -{RANDOM.randrange(999)},7 +{RANDOM.randrange(999)},9 @@",
    "listing": lambda: f"-rw-r--r-- 1 root root {RANDOM.randrange(10**8)} Nov 12 10:4{RANDOM.randrange(9)} x",
    "integers": lambda: ", ".join(str(RANDOM.randrange(10**7)) for _ in range(4)),
    "dump": lambda: " ".join(f"{RANDOM.randrange(10**4):04}" for _ in range(6)),
    "coordinates": lambda: f"{RANDOM.uniform(-90, 90):.6f}, {RANDOM.uniform(-180, 180):.6f}",
}


@pytest.mark.parametrize("machine", MACHINES)
def test_machines_make_no_phone_numbers(detector: Windowed, machine: str) -> None:
    made = [MACHINES[machine]() for _ in range(300)]
    assert [text for text in made if detector.scan(text)] == []


def test_the_gate_opens_wherever_there_is_a_number(detector: Windowed) -> None:
    numbers = [example(region, PhoneNumberFormat.NATIONAL) for region in REGIONS]
    numbers += ["+1 415-555-2671", "phone: 9498777106", "9498777106 office", "call 33 93 31"]
    filler = " and so on " * 40
    text = filler.join(numbers)
    assert {(span.start, span.end) for span in detector.scan(text)} == {
        (span.start, span.end) for span in JUDGE.judge(text, 0, len(text), "")
    }
    assert len(detector.scan(text)) == len(numbers)


TOLD = ("Please call me at {}", "Tel: {}", "phone={}", "my number is {}, thanks", "Contact: Ann, {}")
UNTOLD = ("Jane ({}) asked", "{}", "name: Bob\n{}\nLondon", "| Jane | {} | NYC |")


@pytest.mark.parametrize("text", [*TOLD, *UNTOLD])
@pytest.mark.parametrize("style", [PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164])
def test_international_numbers_of_nearly_every_region_are_found(text: str, style: int) -> None:
    numbers = [example(region, style) for region in sorted(phonenumbers.SUPPORTED_REGIONS)]
    hits = [number in found(text.format(number)) for number in numbers]

    assert sum(hits) >= 0.97 * len(hits)


@pytest.mark.parametrize("text", TOLD)
def test_a_word_tells_of_national_numbers_of_nearly_every_region(text: str) -> None:
    numbers = [
        example(region, PhoneNumberFormat.NATIONAL) for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    ]
    hits = [number in found(text.format(number)) for number in numbers if sum(map(str.isdigit, number)) > 6]

    assert sum(hits) >= 0.95 * len(hits)


numbers = st.lists(
    st.tuples(
        st.sampled_from(
            ["", "-", " ", ".", "/", " - ", ") ", "(", " (", "\t", "\u00a0", "\u2013", "+", ", ", ":"]
        ),
        st.text("0123456789", min_size=1, max_size=7),
    ),
    min_size=1,
    max_size=6,
).map(lambda blocks: "".join(separator + digits for separator, digits in blocks))
around = st.sampled_from(
    [
        "",
        " ",
        "\n",
        "x ",
        "call ",
        "tel: ",
        "telling ",
        "手机",
        "_phones(",
        "calling Ann, ",
        "order ",
        "+",
        "00",
        "(0",
        "2026-11-22 ",
        " office",
        "=",
        '"',
    ]
)


def test_the_engine_takes_the_gates(detector: Windowed) -> None:
    assert not detector._prefilter.unfiltered


@given(st.lists(st.tuples(around, numbers, around).map("".join), min_size=1, max_size=5).map(" ".join))
def test_the_gates_change_no_finding(detector: Windowed, text: str) -> None:
    assert set(detector.scan(text)) == set(JUDGE.judge(text, 0, len(text), ""))
