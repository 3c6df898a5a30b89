"""Names, organisations and places, by a language model of the operator's, through Presidio's own classes.

They download what is missing, so every model is looked for first, and its absence is an error. Models are
slow: only lines that may hold a name are shown to them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import regex

from tollgate.dlp.profile import THRESHOLD
from tollgate.dlp.span import Span
from tollgate.policy import Unfit
from tollgate.policy.dlp import Ner

_LANGUAGE = "en"
"""Presidio's tag for a model; it says nothing about the texts."""
_MAX_LINE = 4000
_LINE = regex.compile(rf"[^\r\n]{{1,{_MAX_LINE}}}")
_NAME = regex.compile(r"(?<![\w./\\#@$-])\p{Lu}[\p{Ll}'’]{1,20}(?:[\s-]|[,.:;!?)]|$)|[\p{Lo}]{2}")
_CODE = regex.compile(
    r"[{};]\s*$|^\s*(?:import|from|def|class|return|if|for|while|@|#include|//)\b|\w\(|=>|::|\w+=\w"
)


NO_THRESHOLDS: Mapping[str, float] = MappingProxyType({})


class ModelMissing(Unfit):
    """A model, or the package that runs it, is not on this machine."""

    def __init__(self, message: str) -> None:
        super().__init__(("detection", "ner", "model"), message)


class Recognizer(Protocol):
    """Finds entities in a piece of text."""

    def analyze(self, text: str) -> Sequence[Any]:
        """Presidio's results."""


class NerDetector:
    """A model behind a gate. Models are no good with threads: one text at a time."""

    def __init__(self, recognizer: Recognizer, thresholds: Mapping[str, float] = NO_THRESHOLDS) -> None:
        """`thresholds` is the least score by entity, where it is not the usual one."""
        self._recognizer = recognizer
        self._thresholds = thresholds
        self._lock = threading.Lock()

    def scan(self, text: str, key: str = "") -> list[Span]:
        with self._lock:
            return [span for start, line in lines_with_names(text) for span in self._judged(start, line)]

    def _judged(self, offset: int, line: str) -> Iterator[Span]:
        for result in self._recognizer.analyze(line):
            if result.score >= self._thresholds.get(result.entity_type, THRESHOLD):
                yield Span(
                    offset + result.start, offset + result.end, result.entity_type, float(result.score)
                )


def lines_with_names(text: str) -> Iterator[tuple[int, str]]:
    """The lines that may hold a name, with where they begin: with a capital word, and not like code."""
    for line in _LINE.finditer(text):
        if _NAME.search(line[0]) and not _CODE.search(line[0]):
            yield line.start(), line[0]


def build_ner(policy: Ner, thresholds: Mapping[str, float] = NO_THRESHOLDS) -> NerDetector | None:
    """The detector that a policy wants; None for no engine. ModelMissing where its model is not here."""
    if policy.engine == "none" or not policy.model:
        return None
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    least = min((thresholds.get(entity, THRESHOLD) for entity in policy.entities), default=THRESHOLD)
    return NerDetector(_ENGINES[policy.engine](policy.model, policy.entities, least), thresholds)


def _need_package(package: str, engine: str) -> None:
    if find_spec(package) is None:
        raise ModelMissing(f"the engine {engine} needs the package {package}, which is not installed")


def _need_folder(model: str, engine: str) -> str:
    if not Path(model).is_dir():
        raise ModelMissing(f"{model!r} is no folder with a model for {engine}: nothing is downloaded")
    return model


class _NlpRecognizer:
    """An engine of Presidio that reads a text, and the recognizer that takes its entities out."""

    def __init__(self, engine: Any, entities: Sequence[str]) -> None:
        from presidio_analyzer.predefined_recognizers import SpacyRecognizer

        engine.load()
        self._engine = engine
        self._entities = list(entities)
        self._recognizer = SpacyRecognizer(supported_entities=self._entities)

    def analyze(self, text: str) -> Sequence[Any]:
        artifacts = self._engine.process_text(text, _LANGUAGE)
        found: list[Any] = self._recognizer.analyze(text, self._entities, artifacts)
        return found


class _ModelRecognizer:
    """A recognizer of Presidio that runs its model itself."""

    def __init__(self, recognizer: Any, entities: Sequence[str]) -> None:
        self._recognizer = recognizer
        self._entities = list(entities)

    def analyze(self, text: str) -> Sequence[Any]:
        found = self._recognizer.analyze(text, self._entities)
        return [result for result in found if result.entity_type in self._entities]


def _spacy(model: str, entities: Sequence[str], _least: float) -> Recognizer:
    import spacy.util
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    if not spacy.util.is_package(model):
        _need_folder(model, "spacy")
    return _NlpRecognizer(SpacyNlpEngine(models=[{"lang_code": _LANGUAGE, "model_name": model}]), entities)


def _stanza(model: str, entities: Sequence[str], _least: float) -> Recognizer:
    """`model` is the code of a language whose models are in stanza's own folder."""
    _need_package("stanza", "stanza")
    from presidio_analyzer.nlp_engine import StanzaNlpEngine

    resources = os.environ.get("STANZA_RESOURCES_DIR") or Path.home() / "stanza_resources"
    _need_folder(str(Path(resources, model)), "stanza")
    models = [{"lang_code": _LANGUAGE, "model_name": model}]
    return _NlpRecognizer(StanzaNlpEngine(models=models, download_if_missing=False), entities)


def _transformers(model: str, entities: Sequence[str], least: float) -> Recognizer:
    _need_package("transformers", "transformers")
    _need_package("torch", "transformers")
    from presidio_analyzer.predefined_recognizers import HuggingFaceNerRecognizer

    folder = _need_folder(model, "transformers")
    return _ModelRecognizer(HuggingFaceNerRecognizer(model_name=folder, threshold=least), entities)


def _gliner(model: str, entities: Sequence[str], least: float) -> Recognizer:
    """GLiNER is asked for words: person, organization."""
    _need_package("gliner", "gliner")
    from presidio_analyzer.predefined_recognizers import GLiNERRecognizer

    folder = _need_folder(model, "gliner")
    asked = {entity.lower().replace("_", " "): entity for entity in entities}
    recognizer = GLiNERRecognizer(
        model_name=folder, entity_mapping=asked, threshold=least, local_files_only=True
    )
    return _ModelRecognizer(recognizer, entities)


_ENGINES: Mapping[str, Callable[[str, Sequence[str], float], Recognizer]] = {
    "spacy": _spacy,
    "stanza": _stanza,
    "transformers": _transformers,
    "gliner": _gliner,
}
