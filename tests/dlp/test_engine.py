"""All detectors together, and findings without overlaps."""

from __future__ import annotations

import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.detection import compiled
from tollgate.dlp.allow import AllowList
from tollgate.dlp.engine import Engine, build, resolve
from tollgate.dlp.span import Span
from tollgate.policy.dlp import Allowed, Detection, KnownValues, Pattern, Secrets
from tollgate.store import Digester

DIGESTER = Digester(bytes(32))


@pytest.fixture(scope="module")
def engine() -> Engine:
    return build(Detection(), compiled(), DIGESTER, environ={})


def found(engine: Engine, text: str, key: str = "") -> dict[str, str]:
    return {text[span.start : span.end]: span.entity for span in engine.scan(text, key)}


TEXT = """Hi, I am reachable at bob@acme.com or +1 415-555-2671, from 10.20.30.40.
My card is 4111 1111 1111 1111, my IBAN DE89 3704 0044 0532 0130 00, my SSN 536-22-8941.
DB_PASSWORD=Vk3xw9Q!zz and jane@example.com"""


def test_everything_is_found_at_once(engine: Engine) -> None:
    assert found(engine, TEXT) == {
        "bob@acme.com": "EMAIL_ADDRESS",
        "+1 415-555-2671": "PHONE_NUMBER",
        "10.20.30.40": "IP_ADDRESS",
        "4111 1111 1111 1111": "CREDIT_CARD",
        "DE89 3704 0044 0532 0130 00": "IBAN_CODE",
        "536-22-8941": "US_SSN",
        "Vk3xw9Q!zz": "SECRET",
    }
    spans = engine.scan(TEXT)
    assert spans == sorted(set(spans))


def test_the_json_key_is_context(engine: Engine) -> None:
    assert found(engine, "536228941", "ssn") == {"536228941": "US_SSN"}
    assert found(engine, "9498777106", "phone") == {"9498777106": "PHONE_NUMBER"}


def test_a_policy_says_what_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("WORD=xyzzy-plugh")
    detection = Detection(
        without=["CREDIT_CARD", "PHONE_NUMBER", "US_SSN"],
        patterns=[Pattern(name="CODENAME", words=["Bluebird"])],
        allow=Allowed(values=["bob@acme.com"]),
        secrets=Secrets(assignments=False),
        known_values=KnownValues(environment=["ACME_*"], files=[tmp_path / ".env"]),
    )
    engine = build(detection, compiled(), DIGESTER, {"ACME_KEY": "plover-fee-fie", "HOME": "/home/nobody"})
    text = TEXT + " Bluebird xyzzy-plugh plover-fee-fie /home/nobody"
    assert found(engine, text) == {
        "10.20.30.40": "IP_ADDRESS",
        "DE89 3704 0044 0532 0130 00": "IBAN_CODE",
        "Bluebird": "CODENAME",
        "xyzzy-plugh": "SECRET",
        "plover-fee-fie": "SECRET",
    }


def test_a_language_model_is_one_more_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bobs:
        def scan(self, text: str, key: str = "") -> list[Span]:
            return [Span(0, 3, "PERSON", 0.9)]

    monkeypatch.setattr("tollgate.dlp.engine.build_ner", lambda policy, thresholds: Bobs())
    assert found(build(Detection(), compiled(), DIGESTER, {}), "Bob is here") == {"Bob": "PERSON"}


def test_threads_may_scan_at_the_same_time(engine: Engine) -> None:
    wanted = engine.scan(TEXT * 20)
    with ThreadPoolExecutor(4) as pool:
        assert all(spans == wanted for spans in pool.map(engine.scan, [TEXT * 20] * 12))


def test_any_text_can_be_scanned(engine: Engine) -> None:
    shuffle = random.Random(2)
    for _ in range(200):
        engine.scan(
            "".join(chr(shuffle.choice([32, 48, 64, 97, 0xE9, 0x3B1, 0xD800, 0x1F600])) for _ in range(200))
        )


def test_presidio_is_imported_only_when_an_engine_is_built() -> None:
    code = "import tollgate.dlp.engine, sys; sys.exit(bool({'presidio_analyzer', 'spacy'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- findings without overlaps -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spans", "resolved"),
    [
        ([], []),
        ([Span(5, 9, "B", 0.5), Span(0, 5, "A", 0.5)], [Span(0, 5, "A", 0.5), Span(5, 9, "B", 0.5)]),
        ([Span(0, 9, "A", 0.5), Span(2, 4, "B", 1.0)], [Span(0, 9, "A", 0.5)]),
        ([Span(0, 9, "A", 0.5), Span(0, 9, "B", 1.0)], [Span(0, 9, "B", 1.0)]),
        ([Span(0, 6, "A", 0.5), Span(4, 12, "B", 0.4)], [Span(0, 12, "B", 0.4)]),
        ([Span(0, 3, "A", 1.0), Span(2, 6, "B", 1.0), Span(5, 7, "C", 1.0)], [Span(0, 7, "B", 1.0)]),
    ],
)
def test_one_finding_stands_for_all_that_overlap(spans: list[Span], resolved: list[Span]) -> None:
    assert resolve(spans) == resolved


def test_the_strongest_action_wins() -> None:
    spans = [Span(0, 9, "A", 0.5), Span(2, 4, "B", 0.5)]
    assert resolve(spans, lambda span: int(span.entity == "B")) == [Span(0, 9, "B", 0.5)]


SPANS = st.builds(
    lambda start, length, entity: Span(start, start + length, entity, 0.5),
    st.integers(0, 60),
    st.integers(1, 20),
    st.sampled_from("ABC"),
)


@given(st.lists(SPANS))
def test_resolved_findings_cover_the_same_and_do_not_overlap(spans: list[Span]) -> None:
    resolved = resolve(spans)
    covered = {place for span in spans for place in range(span.start, span.end)}
    assert sorted(place for span in resolved for place in range(span.start, span.end)) == sorted(covered)


class _Finds:
    def __init__(self, word: str) -> None:
        self._word = word

    def scan(self, text: str, key: str = "") -> list[Span]:
        at = text.find(self._word)
        return [Span(at, at + len(self._word), "WORD", 1.0)] if at >= 0 else []


def test_the_quick_engine_leaves_slow_detectors_out() -> None:
    engine = Engine([_Finds("one")], AllowList(Allowed()), slow=[_Finds("two")])

    assert found(engine, "one two") == {"one": "WORD", "two": "WORD"}
    assert found(engine.quick, "one two") == {"one": "WORD"}
    assert Engine([], AllowList(Allowed())).quick.scan("one") == []
