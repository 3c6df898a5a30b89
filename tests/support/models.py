"""Tiny models of sentences, made in the folder of a test."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

_WORDS = (
    "[UNK] what is the a capital of france germany please tell me how many legs has spider ant not who owes "
    "alice bob money 2 3 ? . cat dog email to write weather latest"
)
WORDS = _WORDS.split()


def table(width: int = 16) -> NDArray[np.float32]:
    """A vector for each word, the same ones in every run."""
    drawn = np.random.default_rng(7).standard_normal((len(WORDS), width))
    return drawn.astype(np.float32)


def tokenizer_in(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    (folder / "tokenizer.json").write_text(tokenizer.to_str())
    return folder


def static_model(folder: Path) -> Path:
    """As Model2Vec writes it, but with a NumPy file."""
    np.save(tokenizer_in(folder) / "embeddings.npy", table())
    return folder


def safetensors(tables: Mapping[str, NDArray[Any]], types: Mapping[str, str]) -> bytes:
    """A safetensors file: a head of JSON behind its length, then the numbers."""
    head: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, rows in tables.items():
        place = [len(data), len(data) + rows.nbytes]
        head[name] = {"dtype": types[name], "shape": list(rows.shape), "data_offsets": place}
        data += rows.tobytes()
    told = json.dumps(head).encode()
    return struct.pack("<Q", len(told)) + told + data


# -- ONNX, without its package: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto ---------------------


def onnx_model(folder: Path, inputs: Sequence[str] = ("input_ids",)) -> Path:
    """A graph that looks up a vector for each token, of type float and shape (1, tokens, width)."""
    (tokenizer_in(folder) / "model.onnx").write_bytes(_graph(table(), inputs))
    return folder


def _graph(rows: NDArray[np.float32], inputs: Sequence[str]) -> bytes:
    weights = _field(1, rows.shape[0]) + _field(1, rows.shape[1]) + _field(2, 1)
    weights += _field(8, b"table") + _field(9, rows.tobytes())
    node = _field(1, b"table") + _field(1, b"input_ids") + _field(2, b"vectors") + _field(4, b"Gather")
    graph = _field(1, node) + _field(2, b"tiny") + _field(5, weights)
    graph += b"".join(_field(11, _value(name.encode(), 7, 2)) for name in inputs)
    graph += _field(12, _value(b"vectors", 1, 3))
    return _field(1, 8) + _field(7, graph) + _field(8, _field(2, 13))


def _value(name: bytes, kind: int, dimensions: int) -> bytes:
    """A named tensor with dimensions of any length."""
    shape = b"".join(_field(1, _field(2, b"any%d%b" % (n, name))) for n in range(dimensions))
    return _field(1, name) + _field(2, _field(1, _field(1, kind) + _field(2, shape)))


def _field(number: int, value: int | bytes) -> bytes:
    """A field of protobuf: https://protobuf.dev/programming-guides/encoding/"""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
