"""OpenAI's encodings from files that are here. tiktoken itself would fetch them, inside a request and without
a time limit; nothing here ever opens a connection."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType
from typing import Any

import tiktoken
from tiktoken_ext import openai_public

# The SHA-256 of OpenAI's rank files: tiktoken_ext/openai_public.py. The second name is what a folder that
# TIKTOKEN_CACHE_DIR points to calls the file, the SHA-1 of its address.
FILES = {
    "o200k_base": (
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        "fb374d419588a4632f3f557e76b4b70aebbca790",
    ),
    "cl100k_base": (
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
    ),
}


def find(name: str, folder: Path | None) -> Callable[[], bytes] | None:
    """How to read an encoding's rank file: from the folder, or out of the package bpe-openai; None where that
    is not installed. ValueError where the folder does not have it, or not as OpenAI made it."""
    if folder is None:
        return _in_package(name)
    for path in (folder / f"{name}.tiktoken", folder / FILES[name][1]):
        if path.is_file():
            _check(name, path.read_bytes(), f"{path} (cost.counting.ranks)")
            return path.read_bytes
    raise ValueError(
        f"{folder}: there is no {name}.tiktoken in this folder (cost.counting.ranks); it has to hold "
        f"{' and '.join(f'{known}.tiktoken' for known in FILES)}"
    )


def load(name: str, read: Callable[[], bytes]) -> tiktoken.Encoding:
    """The encoding of that rank file, in a third of a second. ValueError where the file is not OpenAI's."""
    content = read()
    _check(name, content, f"the rank file of {name}")
    ranks = {
        base64.b64decode(token): int(rank) for token, rank in map(bytes.split, content.splitlines()) if token
    }
    return tiktoken.Encoding(**_constructor(name, ranks)())


def _check(name: str, content: bytes, what: str) -> None:
    if hashlib.sha256(content).hexdigest() != FILES[name][0]:
        raise ValueError(f"{what} is not OpenAI's {name}.tiktoken: its SHA-256 is not {FILES[name][0]}")


def _constructor(name: str, ranks: dict[bytes, int]) -> Callable[[], dict[str, Any]]:
    """tiktoken's own constructor of an encoding, which knows its pattern, with these ranks for a download."""
    original = getattr(openai_public, name)
    given = {**vars(openai_public), "load_tiktoken_bpe": lambda *args, **kwargs: ranks}
    return FunctionType(original.__code__, given)


def _in_package(name: str) -> Callable[[], bytes] | None:
    """The package is not imported: its extension module takes 130 MB, and what counts is beside it."""
    package = find_spec("bpe_openai")
    if package is None or not package.submodule_search_locations:
        return None
    path = Path(package.submodule_search_locations[0]) / "data" / f"{name}.tiktoken.gz"
    return (lambda: gzip.decompress(path.read_bytes())) if path.is_file() else None
