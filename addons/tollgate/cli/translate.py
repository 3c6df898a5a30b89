"""tollgate translate: a recorded request, answer or stream in another dialect's words."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from multidict import CIMultiDict
from rich.console import Console
from rich.text import Text

from tollgate.cli.files import read_bytes
from tollgate.dialects import FRAMINGS, FramingError, dialect, framing_of
from tollgate.routing.translation import (
    Loss,
    Session,
    TranslatedRequest,
    Untranslatable,
    can,
    dialects,
    request,
)

_MODEL = "MODEL"
"""Where neither the command nor the file names one."""
_UNUSABLE = (OSError, ValueError, FramingError)
"""Untranslatable is a ValueError."""


class What(StrEnum):
    """What a file holds."""

    REQUEST = "request"
    ANSWER = "answer"
    STREAM = "stream"


File = Annotated[
    Path, typer.Argument(metavar="FILE", help="A body as it was on the wire; - for standard input.")
]
From = Annotated[str, typer.Option("--from", help="The dialect of the file: openai-chat, gemini …")]
To = Annotated[str, typer.Option("--to", help="The dialect that is wanted.")]
Kind = Annotated[What | None, typer.Option("--what", help="What the file holds; else it is guessed.")]
Model = Annotated[str, typer.Option("--model", help="The target's name for the model; else the file's own.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 if anything of weight is lost.")]


def translate(
    file: File, source: From, target: To, what: Kind = None, model: Model = "", strict: Strict = False
) -> None:
    """Print a recorded request, answer or stream in another dialect's words.

    What the other dialect cannot say is listed on standard error. Exits with 2 for what cannot be translated.
    """
    try:
        data = read_bytes(file)
        written, losses = translated(data, source, target, what or guess(data, source), model)
    except _UNUSABLE as e:
        said = e.strerror if isinstance(e, OSError) else e
        Console(stderr=True, highlight=False).print(Text(f"{file}: {said}", "red"), soft_wrap=True)
        raise typer.Exit(2) from e
    typer.echo(written, nl=False)
    _show(losses)
    if strict and any(not loss.hint for loss in losses):
        raise typer.Exit(1)


def guess(data: bytes, source: str) -> What:
    """What a file of that dialect holds: a stream by its framing, an answer by what only answers have."""
    _known(source)
    framing = _framing(data, source)
    if framing and (data.lstrip()[:1] != b"{" or b"\n{" in data):
        return What.STREAM
    document = orjson.loads(data)
    return What.ANSWER if isinstance(document, dict) and _ANSWERS & document.keys() else What.REQUEST


def _framing(data: bytes, source: str) -> str:
    """How a recorded stream is framed; empty for one JSON document. ValueError for neither."""
    in_array = source == "gemini" and data.lstrip().startswith(b"[")  # without alt=sse
    framing = framing_of("", data[:64], "json-array" if in_array else dialect(source).framing)
    if framing == "raw":
        raise ValueError("this is neither JSON nor a recorded stream")
    return framing


_ANSWERS = {
    "choices",
    "output",
    "stop_reason",
    "candidates",
    "done",
    "finish_reason",
    "data",
    "embeddings",
    "error",
}
"""Each stands in the answers of some dialect, and in no request."""


def translated(
    data: bytes, source: str, target: str, what: What, model: str = ""
) -> tuple[bytes, list[Loss]]:
    """The bytes in the other dialect, and what was lost. ValueError or FramingError where that cannot be."""
    _known(source, target)
    if what is What.REQUEST:
        sent = _sent(source, target, orjson.loads(data), model)
        return _pretty(sent.body), sent.losses
    session = _sent(target, source, _EMPTY[target], model).session
    if what is What.STREAM:
        return _stream(data, source, target, session)
    _, _, body, losses = session.answer(200, CIMultiDict(), data)
    return _pretty(body), losses


def _known(*names: str) -> None:
    for name in names:
        if name not in dialects():
            raise Untranslatable(f"{name!r} cannot be translated; there is {', '.join(dialects())}")


_USER = {"role": "user", "content": "?"}
_EMPTY: Mapping[str, Mapping[str, Any]] = {
    "openai-chat": {"messages": [_USER], "stream_options": {"include_usage": True}},
    "openai-responses": {"input": "?"},
    "anthropic-messages": {"messages": [_USER], "max_tokens": 1},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "?"}]}]},
    "bedrock-converse": {"messages": [{"role": "user", "content": [{"text": "?"}]}]},
    "openai-embeddings": {"input": "?"},
}
"""The least that a client asks: an answer is told to somebody who asked."""

_PATHS = {
    "openai-chat": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "anthropic-messages": "/v1/messages",
    "gemini": "/v1beta/models/m:generateContent",
    "bedrock-converse": "/model/m/converse",
    "openai-embeddings": "/v1/embeddings",
}


def _sent(source: str, target: str, body: Any, model: str) -> TranslatedRequest:
    if not can(source, target):
        raise Untranslatable(f"{source} is a dialect that calls are translated to, but not from")
    if not isinstance(body, dict):
        raise Untranslatable("a request is a JSON object")
    return request(
        source,
        target,
        path=_PATHS[source],
        params={},
        headers=CIMultiDict(),
        body=body,
        model=model or str(body.get("model") or _MODEL),
        stream=dialect(source).streams(body, {}),
    )


def _stream(data: bytes, source: str, target: str, session: Session) -> tuple[bytes, list[Loss]]:
    framing = _framing(data, source)
    if not framing:
        raise ValueError(f"this is one JSON document, and no stream as {source} has it")
    decoder = FRAMINGS[framing].decoder()
    encoder = FRAMINGS[dialect(target).framing].encoder()
    translator = session.events()
    told = [out for event in (*decoder.feed(data), *decoder.close()) for out in translator.feed(event)]
    told += translator.close()
    return b"".join(map(encoder.encode, told)), translator.losses


def _pretty(body: bytes) -> bytes:
    return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _show(losses: list[Loss]) -> None:
    console = Console(stderr=True, highlight=False)
    for loss in losses:
        console.print(
            Text(f"lost: {loss.what} at {loss.where}", "dim" if loss.hint else "yellow"), soft_wrap=True
        )
