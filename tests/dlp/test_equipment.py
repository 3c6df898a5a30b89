"""What is built once for a policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.detection import compiled
from tollgate.calls import Runtime
from tollgate.dlp.equipment import build_engine, cache_folder, equip, thresholds
from tollgate.dlp.tokens import Numbered
from tollgate.dlp.views import normalise
from tollgate.policy import Policy
from tollgate.policy.dlp import Detection, Ner
from tollgate.policy.schema import PolicyFile
from tollgate.providers import Providers
from tollgate.store import Digester


def test_equipment_finds_and_makes_the_same_tokens_when_it_is_built_again() -> None:
    runtime = Runtime(Policy(), Providers.builtin(), compiled(), Digester(bytes(32)))
    first, second = equip(runtime), equip(runtime)
    (found,) = first.examiner.text("mail bob@acme.com", "text", "", first.examiner.budget())

    assert first.detection == Detection()
    assert found.span.entity == "EMAIL_ADDRESS"
    assert first.minter.token("URL", "x") == second.minter.token("URL", "x")


def test_numbered_tokens_need_no_key_of_this_machine() -> None:
    policy = Policy(PolicyFile(detection=Detection(tokens="numbered")))
    minter = equip(Runtime(policy, Providers.builtin(), compiled(), Digester(bytes(32)))).minter

    assert minter.token("SECRET", "x") == minter.token("SECRET", "y") == Numbered().token("SECRET", "z")


def test_the_first_text_finds_its_tables_made() -> None:
    tables = (normalise._folds, normalise._foldable, normalise._telling)
    for table in tables:
        table.cache_clear()
    build_engine(Detection(), compiled(), Digester(bytes(32)))

    assert [table.cache_info().currsize for table in tables] == [1, 1, 1]


def test_the_cache_is_the_owners_alone(tmp_path: Path) -> None:
    folder = cache_folder(tmp_path)

    assert folder == cache_folder(tmp_path) == tmp_path / "cache"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_every_entity_has_its_least_score() -> None:
    detection = Detection(
        without=["PHONE_NUMBER", "IBAN_CODE"],
        countries=["de"],
        thresholds={"CREDIT_CARD": 0.9, "PERSON": 0.9},
        ner=Ner(engine="spacy", model="m", entities=["PERSON"]),
    )
    scores = thresholds(detection)

    assert scores["CREDIT_CARD"] == 0.9
    assert scores["EMAIL_ADDRESS"] == 0.4
    assert scores["PERSON"] == 0.9
    assert "DE_TAX_ID" in scores
    assert not {"PHONE_NUMBER", "IBAN_CODE"} & set(scores)
    assert "PERSON" not in thresholds(Detection())


def test_a_country_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="no country 'xx'"):
        thresholds(Detection(countries=["xx"]))
