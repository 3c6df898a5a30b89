"""Names by a language model: one that the tests train, and none that is downloaded."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Literal

import pytest
import spacy
from spacy.training import Example
from thinc.api import fix_random_seed

from tollgate.dlp.ner import ModelMissing, NerDetector, build_ner, lines_with_names
from tollgate.dlp.span import Span
from tollgate.policy.dlp import Ner

NAMES = ["Alice Miller", "Robert Stone", "Clara Young", "Peter Marsh", "Nadia Cole"]
SENTENCES = [
    "My name is {}.",
    "{} called me.",
    "Ask {} about it.",
    "Is {} there?",
    "The letter from {} came.",
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with a model that knows a few names."""
    fix_random_seed(1)
    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    examples = []
    for name in NAMES:
        for sentence in SENTENCES:
            start = sentence.index("{}")
            entities = [(start, start + len(name), "PERSON")]
            examples.append(Example.from_dict(nlp.make_doc(sentence.format(name)), {"entities": entities}))
    nlp.initialize(lambda: examples)
    for _ in range(12):
        nlp.update(examples)
    folder = tmp_path_factory.mktemp("model")
    nlp.to_disk(folder)
    return str(folder)


def test_a_spacy_model_finds_names(model: str) -> None:
    detector = build_ner(Ner(engine="spacy", model=model))
    assert detector is not None
    text = "x = 1\n\nAsk Clara Young about it.\nnothing here\nPeter Marsh called me."
    assert [text[span.start : span.end] for span in detector.scan(text)] == ["Clara Young", "Peter Marsh"]
    assert {span.entity for span in detector.scan(text)} == {"PERSON"}


def test_entities_are_chosen(model: str) -> None:
    detector = build_ner(Ner(engine="spacy", model=model, entities=["LOCATION"]))
    assert detector is not None
    assert detector.scan("Ask Clara Young about it.") == []


def test_no_engine_is_no_detector() -> None:
    assert build_ner(Ner()) is None


@pytest.mark.parametrize(
    ("engine", "model", "message"),
    [
        (
            "spacy",
            "en_core_web_that_is_not_installed",
            "is no folder with a model for spacy: nothing is downloaded",
        ),
        ("stanza", "en", "needs the package stanza"),
        ("transformers", "dslim/bert-base-NER", "needs the package transformers"),
        ("gliner", "urchade/gliner", "needs the package gliner"),
    ],
)
def test_a_model_that_is_not_here_is_an_error(
    engine: Literal["spacy", "stanza", "transformers", "gliner"], model: str, message: str
) -> None:
    with pytest.raises(ModelMissing, match=message):
        build_ner(Ner(engine=engine, model=model))


# -- engines whose packages the tests do not have: Presidio's classes run, the packages are stood in for ----


def install(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    for name in packages:
        package = ModuleType(name)
        package.__spec__ = ModuleSpec(name, None)
        monkeypatch.setitem(sys.modules, name, package)


@pytest.mark.parametrize(
    ("engine", "packages"),
    [("stanza", ["stanza"]), ("transformers", ["transformers", "torch"]), ("gliner", ["gliner"])],
)
def test_a_model_is_a_folder(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    engine: Literal["stanza", "transformers", "gliner"],
    packages: list[str],
) -> None:
    install(monkeypatch, *packages)
    monkeypatch.setenv("STANZA_RESOURCES_DIR", str(tmp_path))
    with pytest.raises(ModelMissing, match="is no folder with a model"):
        build_ner(Ner(engine=engine, model="en"))


def test_gliner_is_asked_for_words_and_stays_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import presidio_analyzer.predefined_recognizers.ner.gliner_recognizer as presidio

    told: dict[str, Any] = {}

    class Gliner:
        @classmethod
        def from_pretrained(cls, name: str, **options: Any) -> Gliner:
            told.update(options, name=name)
            return cls()

        def predict_entities(self, text: str, labels: list[str], **options: Any) -> list[dict[str, Any]]:
            start = text.index("Bob")
            return [
                {"label": label, "start": start, "end": start + 3, "score": 0.9} for label in sorted(labels)
            ]

    install(monkeypatch, "gliner")
    monkeypatch.setattr(presidio, "GLiNER", Gliner)
    detector = build_ner(Ner(engine="gliner", model=str(tmp_path), entities=["PERSON"]))
    assert detector is not None
    assert detector.scan("hello Bob there") == [Span(6, 9, "PERSON", 0.9)]
    assert told["name"] == str(tmp_path)
    assert told["local_files_only"] is True


def test_transformers_reads_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import presidio_analyzer.predefined_recognizers.ner.huggingface_ner_recognizer as presidio

    def pipeline(task: str, model: str, **options: Any) -> Any:
        assert model == str(tmp_path)
        found = [
            {"entity_group": label, "start": 6, "end": 9, "score": score, "word": "Bob"}
            for label, score in [("PER", 0.9), ("MISC", 0.9), ("PER", 0.1)]
        ]
        return lambda text, **_: found

    install(monkeypatch, "transformers", "torch")
    monkeypatch.setattr(presidio, "hf_pipeline", pipeline)
    monkeypatch.setattr(presidio, "torch", SimpleNamespace())
    detector = build_ner(Ner(engine="transformers", model=str(tmp_path), entities=["PERSON"]))
    assert detector is not None
    assert detector.scan("hello Bob there") == [Span(6, 9, "PERSON", 0.9)]


def test_a_models_own_threshold_is_the_least_that_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import presidio_analyzer.predefined_recognizers.ner.huggingface_ner_recognizer as presidio

    def pipeline(task: str, model: str, **options: Any) -> Any:
        found = [
            {"entity_group": label, "start": start, "end": start + 3, "score": 0.3, "word": "Bob"}
            for label, start in [("PER", 6), ("LOC", 10)]
        ]
        return lambda text, **_: found

    install(monkeypatch, "transformers", "torch")
    monkeypatch.setattr(presidio, "hf_pipeline", pipeline)
    monkeypatch.setattr(presidio, "torch", SimpleNamespace())
    policy = Ner(engine="transformers", model=str(tmp_path), entities=["PERSON", "LOCATION"])
    detector = build_ner(policy, {"PERSON": 0.2})
    assert detector is not None
    assert detector.scan("hello Bob Rom there") == [Span(6, 9, "PERSON", 0.3)]


def test_a_spacy_models_score_has_to_reach_the_threshold(model: str) -> None:
    detector = build_ner(Ner(engine="spacy", model=model), {"PERSON": 0.99})
    assert detector is not None
    assert detector.scan("Ask Clara Young about it.") == []


def test_stanza_reads_its_own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: str) -> None:
    import presidio_analyzer.nlp_engine.stanza_nlp_engine as presidio

    def load_pipeline(name: str, **options: Any) -> Any:
        assert name == "en"
        assert options["download_method"] is None
        return spacy.load(model)

    (tmp_path / "en").mkdir()
    install(monkeypatch, "stanza")
    monkeypatch.setenv("STANZA_RESOURCES_DIR", str(tmp_path))
    monkeypatch.setattr(presidio, "load_pipeline", load_pipeline)
    detector = build_ner(Ner(engine="stanza", model="en"))
    assert detector is not None
    assert [span.entity for span in detector.scan("Ask Clara Young about it.")] == ["PERSON"]


# -- the gate ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "is_shown"),
    [
        ("Ask Clara about it.", True),
        ("frage Jörg, bitte", True),
        ("東京の田中さん", True),
        ("all in small letters", False),
        ("CONSTANT AND 12", False),
        ("import Path from x", False),
        ("value = Path(name)", False),
        ("class Name:", False),
        ("    return Result;", False),
        ("see ./Makefile", False),
        ("", False),
    ],
)
def test_lines_without_names_are_not_shown_to_a_model(line: str, is_shown: bool) -> None:
    assert list(lines_with_names(f"x\n{line}\r\ny")) == ([(2, line)] if is_shown else [])


def test_long_lines_are_cut() -> None:
    assert [start for start, _ in lines_with_names("Bob and " * 1000)] == [0, 4000]


def test_unsure_findings_are_left_out() -> None:
    class Unsure:
        def analyze(self, text: str) -> list[SimpleNamespace]:
            return [
                SimpleNamespace(start=0, end=3, entity_type="PERSON", score=score) for score in (0.1, 0.8)
            ]

    assert NerDetector(Unsure()).scan("x\nBob is") == [Span(2, 5, "PERSON", 0.8)]
    assert NerDetector(Unsure(), {"PERSON": 0.9}).scan("x\nBob is") == []
    assert len(NerDetector(Unsure(), {"PERSON": 0.1, "LOCATION": 0.9}).scan("x\nBob is")) == 2
