"""Presidio's recognizers, judged window by window."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from support.addresses import rows
from support.detection import compiled
from tollgate.dlp.prefilter import Re2Prefilter
from tollgate.dlp.presidio import PatternJudge, all_entities, build_judges, entities, looks_beyond_words
from tollgate.dlp.span import Span
from tollgate.dlp.windows import DetectionFailed, Windowed, build_windowed, gates
from tollgate.policy import Unfit
from tollgate.policy.dlp import Detection, Pattern

type Find = Callable[[str], list[tuple[str, str]]]

SSN, ITIN, NHS, BANK = "536-22-8941", "912-78-1234", "943 476 5919", "98456712"
IBAN = "DE89 3704 0044 0532 0130 00"
WALLET = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"  # of BIP 173


@pytest.fixture(scope="module")
def detector() -> Windowed:
    return build_windowed(build_judges(Detection()), compiled())


def found(detector: Windowed, text: str, key: str = "") -> set[tuple[str, str]]:
    return {(span.entity, text[span.start : span.end]) for span in detector.scan(text, key)}


@pytest.mark.parametrize(
    ("text", "entity", "value"),
    [
        ("write to bob@acme.com.", "EMAIL_ADDRESS", "bob@acme.com"),
        ("email=bob@acme.com&x=1", "EMAIL_ADDRESS", "bob@acme.com"),
        ("to 'bob+x@acme.co.uk'", "EMAIL_ADDRESS", "bob+x@acme.co.uk"),
        ("an jörg@müller.de gesandt", "EMAIL_ADDRESS", "jörg@müller.de"),
        ("bob@mail.corp", "EMAIL_ADDRESS", "bob@mail.corp"),
        ("bob@acme.co.uk.txt", "EMAIL_ADDRESS", "bob@acme.co.uk"),
        ("bob@mail.corp.PDF", "EMAIL_ADDRESS", "bob@mail.corp"),
        ("bill_bob@acme.com_2024_05.csv", "EMAIL_ADDRESS", "bill_bob@acme.com"),
        ("write to bob@acme.com.Then wait", "EMAIL_ADDRESS", "bob@acme.com"),
        (f"pay {IBAN} TO me", "IBAN_CODE", IBAN),
        (f"pay {IBAN.lower().replace(' ', '')}", "IBAN_CODE", IBAN.lower().replace(" ", "")),
        ("host 10.20.30.40 and", "IP_ADDRESS", "10.20.30.40"),
        ("addr==10.20.30.40.", "IP_ADDRESS", "10.20.30.40"),
        ("after conversion: 10.20.30.40", "IP_ADDRESS", "10.20.30.40"),
        ("host 2001:db8::8a2e:370:7334", "IP_ADDRESS", "2001:db8::8a2e:370:7334"),
        ("ether 00:1b:63:84:45:e6", "MAC_ADDRESS", "00:1b:63:84:45:e6"),
        ("16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ", "CRYPTO", "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ"),
        ("x16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ", "CRYPTO", "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ"),
        (f"({WALLET})", "CRYPTO", WALLET),
        ("https://acme.com/?mail=bob@acme.com", "EMAIL_ADDRESS", "bob@acme.com"),
        ("pay SD2129010501234001 now", "IBAN_CODE", "SD2129010501234001"),
        ("pay PK36SCBL0000001123456702", "IBAN_CODE", "PK36SCBL0000001123456702"),
        ('if ip == "10.20.30.40"', "IP_ADDRESS", "10.20.30.40"),
        ("10.20.30.40:8080 -> [2001:db8::1]:443", "IP_ADDRESS", "10.20.30.40"),
        (f"it is {SSN}", "US_SSN", SSN),
        (f"itin {ITIN}", "US_ITIN", ITIN),
        (f"my NHS number is {NHS}", "UK_NHS", NHS),
        (f"account: {BANK}", "US_BANK_NUMBER", BANK),
        ("driver license H1234567", "US_DRIVER_LICENSE", "H1234567"),
    ],
)
def test_what_the_profile_finds(detector: Windowed, text: str, entity: str, value: str) -> None:
    assert (entity, value) in found(detector, text)


@pytest.mark.parametrize(
    "text",
    [
        NHS,
        f"it is {BANK}",
        "H1234567",
        "flow.re and self.co",
        "https://user:word@host.example.com/",  # a password, and no address
        "user@nowhere",
        "user@host.unknowntld",
        "user@host.unknowntld.txt, icon@2x.png, x@Model.Name.First, foo@org.junit.Test",
        "IBAN DE89 3704 0044 0532 0130 01",
        "2026-11-22 14:52:10",
        "550e8400-e29b-41d4-a716-446655440000",
        "OID 1.3.6.1.4.1.311.21.20",
        "torch>=2.9.0.1, release 2.9.0.1, v2.9.0.1",
        "section 4.5.6.7.8",
        "as in release\n2.9.0.1",
        'AssemblyVersion("1.0.0.0"), productVersion = 1.0.0.0, file_version: 1.0.0.0',
        "Section 3.2.1.4 of the contract",
        "a::b and c::d()",
        "x[::2] and y[1::2], 9::3",
        "torch==2.9.0.1, torch-2.9.0.1.tar.gz, ^2.9.0.1, libtorch.so.2.9.0.1, 2.9.0.1-beta1",
        "<Version>2.9.0.1</Version>, firmware 2.9.0.1, ver. 2.9.0.1, § 4.5.6.7",
        "oid 2.5.29.15 and 2.5.4.3",
        "SHA1 fingerprint b3:2a:6d:36:e7:20:fe:f6:46:54:11:16:d7:51:2c:6c:df:9e:ba:61",
        "    b3:2a:6d:36:e7:20:fe:f6:46:54:11:16:d7:51:2c:\n    6c:df:9e:ba:61:00:01",
        "git clone git@github.com:acme/x.git",
        f"{SSN}-1, 1-{SSN}, +{SSN}, v1.{SSN}",
    ],
)
def test_what_is_none_without_a_word_or_a_checksum(detector: Windowed, text: str) -> None:
    assert found(detector, text) == set()


@pytest.mark.parametrize("entity", ["IP_ADDRESS", "US_SSN"])
def test_addresses_and_numbers_are_told_from_what_looks_like_them(detector: Windowed, entity: str) -> None:
    right = wrong = missed = 0
    for row in rows():
        labelled = {(span["start"], span["end"]) for span in row["spans"] if span["type"] == entity}
        spans = {(span.start, span.end) for span in detector.scan(row["text"]) if span.entity == entity}
        hits = {label for label in labelled if any(s <= label[0] and label[1] <= e for s, e in spans)}
        right += len(hits)
        missed += len(labelled - hits)
        wrong += bool(spans and not labelled)

    assert 2 * right / (2 * right + wrong + missed) >= 0.98


def test_a_json_key_is_a_word(detector: Windowed) -> None:
    assert ("US_SSN", "536228941") in found(detector, "536228941", "ssn")
    assert found(detector, "536228941", "id") == set()


def test_the_score_rises_with_a_word(detector: Windowed) -> None:
    scores = {span.score for span in detector.scan(f"{SSN} or ssn {SSN}") if span.entity == "US_SSN"}
    assert {0.5, 0.85} <= scores


PHONES = Detection(entities=["ZA_MOBILE_NUMBER"])


@pytest.mark.parametrize(
    ("detection", "text", "entity", "values"),
    [
        (Detection(), "see https://acme.com/x", "URL", set()),
        (Detection(entities=["URL"]), "see https://acme.com/x", "URL", {"https://acme.com/x", "acme.com/x"}),
        (PHONES, "082 123 4567", "ZA_MOBILE_NUMBER", {"082 123 4567"}),
        (
            PHONES.model_copy(update={"thresholds": {"ZA_MOBILE_NUMBER": 0.9}}),
            "082 123 4567",
            "ZA_MOBILE_NUMBER",
            set(),
        ),
        (Detection(countries=["DE"]), "Steuernummer 21/815/08150", "DE_TAX_NUMBER", {"21/815/08150"}),
        (Detection(without=["IP_ADDRESS"]), "10.20.30.40", "IP_ADDRESS", set()),
        (Detection(thresholds={"IP_ADDRESS": 0.7}), "10.20.30.40", "IP_ADDRESS", set()),
        (Detection(thresholds={"IP_ADDRESS": 0.7}), "ip 10.20.30.40", "IP_ADDRESS", {"10.20.30.40"}),
    ],
)
def test_a_policy_chooses(detection: Detection, text: str, entity: str, values: set[str]) -> None:
    detector = build_windowed(build_judges(detection), compiled())
    assert {value for name, value in found(detector, text, "key") if name == entity} == values


EMPLOYEE = Pattern(name="EMPLOYEE_ID", regex=r"\b\d{6}\b", score=0.3, context=["employee"])
CODENAME = Pattern(name="CODENAME", words=["Blue Bird", "C++"])


def test_patterns_of_a_policy() -> None:
    detector = build_windowed(build_judges(Detection(patterns=[EMPLOYEE, CODENAME])), compiled())
    text = "employee 123456 sits in the room on the left, 654321, with blue bird, bluebird and C++ code"
    assert found(detector, text) == {
        ("EMPLOYEE_ID", "123456"),
        ("CODENAME", "blue bird"),
        ("CODENAME", "C++"),
    }


def test_a_pattern_of_a_policy_may_be_a_bare_number() -> None:
    sure = EMPLOYEE.model_copy(update={"score": 0.9})
    detector = build_windowed(build_judges(Detection(patterns=[sure])), compiled())
    assert ("EMPLOYEE_ID", "654321") in found(detector, "room 654321")


@pytest.mark.parametrize(
    ("detection", "message"),
    [
        (Detection(entities=["IBAN"]), "there is no entity 'IBAN'"),
        (Detection(entities=["EMAIL_ADRESS"]), "did you mean 'EMAIL_ADDRESS'"),
        (Detection(countries=["xx"]), "there is no country 'xx'"),
        (
            Detection(countries=["DE", "xx"]),
            "detection.countries[1]: there is no country 'xx': there are au, ",
        ),
        (Detection(without=["IP_ADRESS"]), "detection.without[0]: there is no entity 'IP_ADRESS'"),
        (Detection(thresholds={"PHONE": 0.5}), "detection.thresholds.PHONE: there is no entity 'PHONE'"),
    ],
)
def test_what_does_not_exist_is_an_error(detection: Detection, message: str) -> None:
    with pytest.raises(Unfit, match=regex.escape(message)):
        build_judges(detection)


def test_names_of_patterns_models_and_our_own_recognizers_are_entities() -> None:
    named = ["CODENAME", "PERSON", "CREDIT_CARD", "US_SSN"]
    detection = Detection(
        patterns=[CODENAME], without=named, thresholds=dict.fromkeys(named, 0.5), countries=["DE"]
    )

    assert all_entities(detection) > {*named, "US_PASSPORT"}
    assert entities(detection).isdisjoint(named)


def test_a_pattern_that_takes_too_long_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        def finditer(self, *arguments: object, **options: object) -> list[object]:
            raise TimeoutError

    (judge, *_) = build_judges(Detection())
    assert isinstance(judge, PatternJudge)
    monkeypatch.setattr(judge, "_regex", Slow())
    with pytest.raises(DetectionFailed, match="took longer than 2 s"):
        list(judge.judge("x", 0, 1, ""))


NEVER_LONG = ["a" * 64, "1." * 32, "a." * 32, "a-" * 32, "1:" * 32, "a@" + "b." * 31, "(1" * 32, "!a" * 32]


@pytest.mark.parametrize("word", NEVER_LONG)
def test_no_pattern_takes_long_for_a_short_word(word: str) -> None:
    countries = [
        "au",
        "ca",
        "de",
        "es",
        "fi",
        "in",
        "it",
        "kr",
        "pl",
        "se",
        "sg",
        "th",
        "tr",
        "uk",
        "us",
        "za",
    ]
    for judge in build_judges(Detection(countries=countries)):
        if isinstance(judge, PatternJudge):
            list(judge._regex.finditer(word, timeout=0.5))


def test_a_policys_own_pattern_may_take_long_for_a_short_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tollgate.dlp.presidio.TIMEOUT", 0.01)
    judge = build_judges(Detection(patterns=[Pattern(name="SLOW", regex="(?:a|aa)+[bc]", score=1)]))[-1]

    with pytest.raises(DetectionFailed, match="a pattern of SLOW took longer"):
        list(judge.judge("a" * 50, 0, 50, ""))


@pytest.mark.parametrize(
    ("entity", "text", "opens"),
    [
        ("IBAN_CODE", "pay de89370400440532013000", True),
        ("IBAN_CODE", "commit fc89370400440532013000", False),
        ("CRYPTO", "x16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ.", True),
        ("CRYPTO", "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ0", False),
    ],
)
def test_gates_open_for_what_may_be_a_value_only(entity: str, text: str, opens: bool) -> None:
    judges = build_judges(Detection())
    prefilter = Re2Prefilter(
        [gates([judge])[0] for judge in judges if getattr(judge, "_entity", "") == entity]
    )
    assert bool(prefilter.ends(text)) is opens


def test_no_value_is_logged(detector: Windowed, caplog: pytest.LogCaptureFixture) -> None:
    detector.scan("IBAN DE89\u017f\u017f\u017f\u017f04400532013000, and DE89370400440532013001")
    assert not caplog.records


def test_nothing_asks_the_network(detector: Windowed, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr("socket.socket.connect", refuse)
    assert found(detector, "bob@some-new-name.berlin") == {("EMAIL_ADDRESS", "bob@some-new-name.berlin")}


# -- the same as without the prefilter ---------------------------------------------------------------------

PIECES = ["bob@acme.com", "jörg@müller.de", SSN, f"ssn {SSN}", ITIN, f"nhs {NHS}", IBAN, "iban", "10.1.2.3"]
PIECES += [
    "driver license H1234567",
    "passport 123456789",
    f"bank account {BANK}",
    "00:1b:63:84:45:e6",
    "::1",
]
PIECES += ["fe80::1%eth0", "1.2.3.4.5", "def f(x): return x", "Ünïcödé wörter", "漢字テキスト", "x" * 120]
PIECES += ["account", BANK, BANK[::-1], "check([15564488, 0.395783162190559])"]
PIECES += ["9" * 40, "a@b", "@", "\n", "\u00a0", "٣٤٥", "::", "--", "DE", "_", "-"]


@pytest.fixture(scope="module")
def unfiltered(detector: Windowed) -> Callable[[str], set[Span]]:
    """What the same judges find in whole texts."""
    judges = build_judges(Detection())
    return lambda text: {span for judge in judges for span in judge.judge(text, 0, len(text), "")}


@settings(deadline=None)  # patterns are compiled when they are first needed
@given(st.lists(st.sampled_from(PIECES), max_size=30), st.sampled_from([" ", "", "\n", ", ", "="]))
def test_the_prefilter_changes_no_finding(
    detector: Windowed, unfiltered: Callable[[str], set[Span]], pieces: list[str], joint: str
) -> None:
    text = joint.join(pieces)
    assert set(detector.scan(text)) == unfiltered(text)


@pytest.fixture(scope="module")
def behind_re2() -> Windowed:
    judges = build_judges(Detection())
    return Windowed(judges, Re2Prefilter(gates(judges)))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(PIECES), max_size=12), st.sampled_from([" ", "", "\n", ", ", "="]))
def test_neither_does_the_one_in_its_place(
    behind_re2: Windowed, unfiltered: Callable[[str], set[Span]], pieces: list[str], joint: str
) -> None:
    text = joint.join(pieces)
    assert set(behind_re2.scan(text)) == unfiltered(text)


def test_the_prefilter_changes_no_finding_in_long_texts(
    detector: Windowed, unfiltered: Callable[[str], set[Span]]
) -> None:
    shuffle = random.Random(1)
    text = " ".join(shuffle.choice(PIECES) for _ in range(3000))
    assert set(detector.scan(text)) == unfiltered(text)


@pytest.mark.parametrize(
    ("pattern", "beyond"),
    [
        (r"\b\d{3}-\d{2}\b", False),
        (r"[a-f0-9:]+(?:/\d+)?", False),
        (r"[!#$%&?^_.\w]+@\w+", False),
        (r"a\.b", False),
        (r"\S+", False),
        (r"a b", True),
        (r"[- ]\d", True),
        (r"a\sb", True),
        (r"\W", True),
        (r"[^@]+", True),
        (r"a.b", True),
        (r"\x20", True),
        (r"\d{6}$", True),
        (r"\d{6}\Z", True),
        (r"\d{6}\$", False),
    ],
)
def test_which_patterns_look_beyond_words(pattern: str, beyond: bool) -> None:
    assert looks_beyond_words(pattern) is beyond


@pytest.mark.parametrize("length", range(20, 80, 3))
def test_an_address_with_a_long_domain_is_found_in_a_long_text(detector: Windowed, length: int) -> None:
    address = f"ada@{'d' * length}.com"
    text = f"{'x ' * 300}write to {address} now {'y ' * 300}"

    assert [text[span.start : span.end] for span in detector.scan(text)] == [address]
