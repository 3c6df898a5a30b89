"""From a text to a vector, by a model in a folder of the operator's. Nothing is downloaded."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tollgate.store import StateError

type Vector = NDArray[np.float32]
type Kind = Literal["static", "onnx"]

MOST_TOKENS = 256
"""Longer texts have no vector: a model would see their beginning only."""
_WEIGHTS = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "I32": "<i4", "I64": "<i8"}
"""https://github.com/huggingface/safetensors#format"""


class Model(Protocol):
    """Turns texts into vectors of length 1."""

    def embed(self, text: str) -> Vector | None:
        """None for a text without any known token, and for one that is too long."""


def load(kind: Kind, folder: Path) -> Model:
    """The model of a folder. StateError, which names it, where it cannot be used."""
    if not folder.is_dir():
        raise _unusable(folder, "there is no such folder; models are never downloaded")
    try:
        return _LOADERS[kind](folder)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as e:
        raise e if isinstance(e, StateError) else _unusable(folder, f"{type(e).__name__}: {e}") from e


# -- a table of vectors ------------------------------------------------------------------------------------


class Static:
    """The mean of a text's token vectors, as Model2Vec has it: https://github.com/MinishLab/model2vec"""

    def __init__(self, tokenizer: Tokenizer, tables: Mapping[str, NDArray[Any]], unknown: int | None) -> None:
        """`tables`: "embeddings" (rows by tokens), perhaps "weights" and "mapping" (by token)."""
        self._tokenizer = tokenizer
        self._table = tables["embeddings"].astype(np.float32)
        self._weights, self._mapping = tables.get("weights"), tables.get("mapping")
        self._unknown = unknown

    def embed(self, text: str) -> Vector | None:
        ids = [i for i in self._tokenizer.encode(text, add_special_tokens=False).ids if i != self._unknown]
        if not 0 < len(ids) <= MOST_TOKENS:
            return None
        vectors = self._table[ids if self._mapping is None else self._mapping[ids]]
        if self._weights is not None:
            vectors = vectors * self._weights[ids][:, None]
        return _of_length_one(vectors.mean(axis=0))


def _static(folder: Path) -> Model:
    tokenizer, tables = _tokenizer(folder), _tables(folder)
    table = tables["embeddings"]
    if table.ndim != 2 or ("mapping" not in tables and len(table) < tokenizer.get_vocab_size()):
        raise ValueError(f"{tokenizer.get_vocab_size()} tokens need as many vectors, not {table.shape}")
    model = json.loads(tokenizer.to_str())["model"]
    name = model.get("unk_token") or "[UNK]"
    return Static(tokenizer, tables, tokenizer.token_to_id(name))


def _tables(folder: Path) -> Mapping[str, NDArray[Any]]:
    if (file := folder / "model.safetensors").exists():
        tables = read_safetensors(file.read_bytes())
    elif (file := folder / "embeddings.npy").exists():
        tables = {"embeddings": np.load(file, allow_pickle=False)}
    else:
        raise _unusable(folder, "it has neither model.safetensors nor embeddings.npy")
    if "embeddings" not in tables:
        raise ValueError(f'{file.name} has no table "embeddings"')
    return tables


def read_safetensors(data: bytes) -> dict[str, NDArray[Any]]:
    """The tables of a safetensors file: https://github.com/huggingface/safetensors#format"""
    start = 8 + int.from_bytes(data[:8], "little")
    head = json.loads(data[8:start])
    return {name: _table(data[start:], told) for name, told in head.items() if name != "__metadata__"}


def _table(data: bytes, told: Mapping[str, Any]) -> NDArray[Any]:
    if told["dtype"] not in _WEIGHTS:
        raise ValueError(f"weights of the type {told['dtype']}; known are {', '.join(_WEIGHTS)}")
    first, end = told["data_offsets"]
    return np.frombuffer(data[first:end], _WEIGHTS[told["dtype"]]).reshape(told["shape"])


# -- a sentence transformer --------------------------------------------------------------------------------


class Onnx:
    """A sentence transformer as an ONNX graph: https://onnxruntime.ai/docs/api/python/api_summary.html"""

    def __init__(self, tokenizer: Tokenizer, session: Any, pooling: Pooling) -> None:
        self._tokenizer = tokenizer
        self._session = session
        self._inputs = {one.name for one in session.get_inputs()}
        self._pooling = pooling

    def embed(self, text: str) -> Vector | None:
        encoding = self._tokenizer.encode(text)
        if len(encoding.ids) > MOST_TOKENS:
            return None
        told = {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }
        given = {name: np.array([told[name]], np.int64) for name in told.keys() & self._inputs}
        found = self._session.run(None, given)[0][0]
        return _of_length_one(found if found.ndim == 1 else self._pooling(found))


type Pooling = Callable[[NDArray[Any]], NDArray[Any]]


def _mean(vectors: NDArray[Any]) -> NDArray[Any]:
    mean: NDArray[Any] = vectors.mean(axis=0)
    return mean


def _first(vectors: NDArray[Any]) -> NDArray[Any]:
    first: NDArray[Any] = vectors[0]
    return first


def _onnx(folder: Path) -> Model:
    try:
        import onnxruntime  # 70 MB, which a static model does not need
    except ImportError as e:
        raise _unusable(
            folder, "it needs the package onnxruntime: pip install 'llm-tollgate[semantic]'"
        ) from e
    file = next((f for f in (folder / "model.onnx", folder / "onnx" / "model.onnx") if f.exists()), None)
    if file is None:
        raise _unusable(folder, "it has no model.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    tokenizer, errors = _tokenizer(folder), onnxruntime.capi.onnxruntime_pybind11_state
    failures = (
        errors.Fail,
        errors.InvalidArgument,
        errors.InvalidGraph,
        errors.InvalidProtobuf,
        errors.NotImplemented,
    )
    try:
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        model = Onnx(tokenizer, session, _pooling(folder))
        model.embed("Is this a model of sentences?")
    except failures as e:
        raise _unusable(folder, f"{file.name} is no sentence transformer ({type(e).__name__})") from e
    return model


def _pooling(folder: Path) -> Pooling:
    """What sentence-transformers wrote down of it: the mean of all tokens, or the first token."""
    file = folder / "1_Pooling" / "config.json"
    told = json.loads(file.read_bytes()) if file.exists() else {}
    return _first if told.get("pooling_mode_cls_token") else _mean


# -- of both -----------------------------------------------------------------------------------------------

_LOADERS: Mapping[Kind, Callable[[Path], Model]] = {"static": _static, "onnx": _onnx}


def _tokenizer(folder: Path) -> Tokenizer:
    file = folder / "tokenizer.json"
    if not file.exists():
        raise _unusable(folder, "it has no tokenizer.json")
    tokenizer = Tokenizer.from_buffer(file.read_bytes())  # its from_file() raises a bare Exception
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _of_length_one(vector: NDArray[Any]) -> Vector | None:
    length = float(np.linalg.norm(vector))
    if not math.isfinite(length) or length == 0.0:
        return None
    return (vector / length).astype(np.float32)


def _unusable(folder: Path, why: str) -> StateError:
    return StateError(f"cache_storage.embedder: the model in {folder} cannot be used: {why}")
