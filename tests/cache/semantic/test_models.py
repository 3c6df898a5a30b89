"""Vectors of texts, from models that a test makes itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from support.models import WORDS, onnx_model, safetensors, static_model, table, tokenizer_in
from tollgate.cache.semantic.models import MOST_TOKENS, Model, Vector, load, read_safetensors
from tollgate.store import StateError

QUESTION = "What is the capital of France?"


def mean_of(*words: str) -> Vector:
    vector = table()[[WORDS.index(word) for word in words]].mean(axis=0)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def embed(model: Model, text: str) -> Vector:
    vector = model.embed(text)
    assert vector is not None
    return vector


def test_a_text_is_the_mean_of_its_words_and_has_the_length_one(tmp_path: Path) -> None:
    vector = embed(load("static", static_model(tmp_path)), QUESTION)

    assert np.allclose(vector, mean_of("what", "is", "the", "capital", "of", "france", "?"), atol=1e-6)
    assert vector.dtype == np.float32


def test_unknown_words_say_nothing(tmp_path: Path) -> None:
    model = load("static", static_model(tmp_path))

    assert np.allclose(embed(model, "capital Xyzzy"), embed(model, "capital"))
    assert model.embed("Xyzzy") is None
    assert model.embed("") is None


def test_a_text_that_is_too_long_is_not_cut(tmp_path: Path) -> None:
    model = load("static", static_model(tmp_path))

    assert model.embed("cat " * MOST_TOKENS) is not None
    assert model.embed("cat " * (MOST_TOKENS + 1)) is None


def test_the_table_may_be_a_safetensors_file_with_shared_rows_and_weights(tmp_path: Path) -> None:
    rows = table().astype(np.float16)
    mapping = np.arange(len(WORDS), dtype=np.int64)[::-1].copy()
    weights = np.linspace(1, 2, len(WORDS), dtype=np.float64)
    parts: dict[str, NDArray[Any]] = {"embeddings": rows, "mapping": mapping, "weights": weights}
    data = safetensors(parts, {"embeddings": "F16", "mapping": "I64", "weights": "F64"})
    (tokenizer_in(tmp_path) / "model.safetensors").write_bytes(data)

    vector = embed(load("static", tmp_path), "cat dog")

    numbers = [WORDS.index(word) for word in ("cat", "dog")]
    mean = (rows[mapping[numbers]].astype(np.float32) * weights[numbers][:, None]).mean(axis=0)
    assert np.allclose(vector, mean / np.linalg.norm(mean), atol=1e-5)


def test_a_vector_of_zeros_is_none(tmp_path: Path) -> None:
    np.save(tokenizer_in(tmp_path) / "embeddings.npy", np.zeros((len(WORDS), 4)))

    assert load("static", tmp_path).embed("cat") is None


def test_what_is_missing_is_said_with_the_folder(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="there is no such folder; models are never downloaded") as caught:
        load("static", tmp_path / "none")
    assert str(tmp_path / "none") in str(caught.value)
    with pytest.raises(StateError, match=r"it has no tokenizer\.json"):
        load("static", tmp_path)
    tokenizer_in(tmp_path)
    with pytest.raises(StateError, match=r"neither model\.safetensors nor embeddings\.npy"):
        load("static", tmp_path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("tokenizer.json", b"{}"),
        ("model.safetensors", b"\xff" * 40),
        ("model.safetensors", b"\x02\0\0\0\0\0\0\0{}"),
        ("model.safetensors", safetensors({"embeddings": table()}, {"embeddings": "BF16"})),
        ("model.safetensors", safetensors({"embeddings": table()[:5]}, {"embeddings": "F32"})),
        ("model.safetensors", safetensors({"embeddings": table()}, {"embeddings": "F32"})[:-40]),
        ("embeddings.npy", b"no numbers"),
    ],
    ids=["tokenizer", "garbage", "empty", "type", "rows", "cut", "npy"],
)
def test_broken_files_are_an_error_that_names_the_folder(tmp_path: Path, name: str, data: bytes) -> None:
    (static_model(tmp_path) / name).write_bytes(data)

    with pytest.raises(StateError, match="cannot be used") as caught:
        load("static", tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_numpy_file_with_code_in_it_runs_none(tmp_path: Path) -> None:
    np.save(tokenizer_in(tmp_path) / "embeddings.npy", np.array([{}], object), allow_pickle=True)

    with pytest.raises(StateError, match="allow_pickle"):
        load("static", tmp_path)


def test_safetensors_are_read_as_they_were_written() -> None:
    assert np.array_equal(read_safetensors(safetensors({"x": table()}, {"x": "F32"}))["x"], table())


# -- ONNX --------------------------------------------------------------------------------------------------


def test_a_graph_gives_the_same_as_its_table(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    vector = embed(load("onnx", onnx_model(tmp_path, ["input_ids", "attention_mask"])), QUESTION)

    assert np.allclose(vector, mean_of("what", "is", "the", "capital", "of", "france", "?"), atol=1e-6)


def test_the_first_token_stands_for_all_where_the_model_says_so(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    (onnx_model(tmp_path) / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))

    assert np.allclose(embed(load("onnx", tmp_path), "cat dog"), mean_of("cat"), atol=1e-6)


def test_a_long_text_is_not_shown_to_a_graph(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")

    assert load("onnx", onnx_model(tmp_path)).embed("cat " * (MOST_TOKENS + 1)) is None


def test_a_graph_of_another_kind_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    with pytest.raises(StateError, match="pixels"):
        load("onnx", onnx_model(tmp_path, ["input_ids", "pixels"]))
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(StateError, match="no sentence transformer"):
        load("onnx", tmp_path)
    (tmp_path / "model.onnx").unlink()
    with pytest.raises(StateError, match=r"it has no model\.onnx"):
        load("onnx", tmp_path)


def test_without_its_package_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    with pytest.raises(StateError, match=r"pip install 'llm-tollgate\[semantic\]'"):
        load("onnx", onnx_model(tmp_path))
