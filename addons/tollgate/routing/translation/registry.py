"""Every dialect that can be translated, as a row, and the way there of a request."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from tollgate.calls import Headers
from tollgate.dialects import dialect
from tollgate.routing.translation import embeddings, passes
from tollgate.routing.translation.answers import anthropic as anthropic_answers
from tollgate.routing.translation.answers import bedrock as bedrock_answers
from tollgate.routing.translation.answers import cohere as cohere_answers
from tollgate.routing.translation.answers import gemini as gemini_answers
from tollgate.routing.translation.answers import ollama as ollama_answers
from tollgate.routing.translation.answers import openai_chat as chat_answers
from tollgate.routing.translation.answers import openai_responses as responses_answers
from tollgate.routing.translation.codec import Asked, Codec
from tollgate.routing.translation.loss import Losses, Untranslatable
from tollgate.routing.translation.neutral import Request
from tollgate.routing.translation.requests import anthropic as anthropic_requests
from tollgate.routing.translation.requests import bedrock as bedrock_requests
from tollgate.routing.translation.requests import cohere as cohere_requests
from tollgate.routing.translation.requests import gemini as gemini_requests
from tollgate.routing.translation.requests import ollama as ollama_requests
from tollgate.routing.translation.requests import openai_chat as chat_requests
from tollgate.routing.translation.requests import openai_responses as responses_requests
from tollgate.routing.translation.session import Conversation, TranslatedRequest
from tollgate.routing.translation.streams.anthropic import MessagesDecoder, MessagesEncoder
from tollgate.routing.translation.streams.bedrock import ConverseDecoder, ConverseEncoder
from tollgate.routing.translation.streams.cohere import CohereDecoder
from tollgate.routing.translation.streams.gemini import GeminiDecoder, GeminiEncoder
from tollgate.routing.translation.streams.ollama import OllamaDecoder
from tollgate.routing.translation.streams.openai_chat import ChatDecoder, ChatEncoder
from tollgate.routing.translation.streams.openai_responses import ResponsesDecoder
from tollgate.routing.translation.streams.openai_responses import encoder as responses_encoder
from tollgate.routing.translation.toolnames import ToolNames


def _gemini_address(model: str, stream: bool) -> tuple[str, str]:
    verb, query = ("streamGenerateContent", "alt=sse") if stream else ("generateContent", "")
    return f"/v1beta/models/{quote(model.removeprefix('models/'), safe='')}:{verb}", query


def _bedrock_address(model: str, stream: bool) -> tuple[str, str]:
    return f"/model/{quote(model, safe='')}/{'converse-stream' if stream else 'converse'}", ""


CODECS: Mapping[str, Codec] = {
    codec.dialect.name: codec
    for codec in (
        Codec(
            dialect=dialect("openai-chat"),
            family="",
            custom_tools=True,
            address=lambda model, stream: ("/v1/chat/completions", ""),
            operations=r".*/chat/completions",
            read_request=chat_requests.read,
            write_request=chat_requests.write,
            marks=("choices",),
            read_answer=chat_answers.read,
            write_answer=chat_answers.write,
            decoder=ChatDecoder,
            encoder=ChatEncoder,
        ),
        Codec(
            dialect=dialect("openai-responses"),
            family="openai",
            custom_tools=True,
            address=lambda model, stream: ("/v1/responses", ""),
            operations=r".*/responses",
            read_request=responses_requests.read,
            write_request=responses_requests.write,
            marks=("output",),
            read_answer=responses_answers.read,
            write_answer=responses_answers.write,
            decoder=ResponsesDecoder,
            encoder=responses_encoder,
        ),
        Codec(
            dialect=dialect("anthropic-messages"),
            family="anthropic",
            address=lambda model, stream: ("/v1/messages", ""),
            # The newest version refuses sampling parameters, which clients of other dialects send.
            headers={"anthropic-version": "2023-06-01"},
            operations=r".*/messages",
            read_request=anthropic_requests.read,
            write_request=anthropic_requests.write,
            marks=("content",),
            read_answer=anthropic_answers.read,
            write_answer=anthropic_answers.write,
            decoder=MessagesDecoder,
            encoder=MessagesEncoder,
        ),
        Codec(
            dialect=dialect("gemini"),
            family="gemini",
            address=_gemini_address,
            operations=r".*:(?:generateContent|streamGenerateContent)",
            read_request=gemini_requests.read,
            write_request=gemini_requests.write,
            marks=("candidates", "promptFeedback"),
            read_answer=gemini_answers.read,
            write_answer=gemini_answers.write,
            decoder=GeminiDecoder,
            encoder=GeminiEncoder,
        ),
        Codec(
            dialect=dialect("bedrock-converse"),
            family="anthropic",
            address=_bedrock_address,
            operations=r".*/converse(?:-stream)?",
            read_request=bedrock_requests.read,
            write_request=bedrock_requests.write,
            marks=("output.message",),
            read_answer=bedrock_answers.read,
            write_answer=bedrock_answers.write,
            decoder=ConverseDecoder,
            encoder=ConverseEncoder,
        ),
        Codec(
            dialect=dialect("ollama"),
            family="",
            address=lambda model, stream: ("/api/chat", ""),
            write_request=ollama_requests.write,
            marks=("message",),
            read_answer=ollama_answers.read,
            decoder=OllamaDecoder,
        ),
        Codec(
            dialect=dialect("cohere-chat"),
            family="",
            address=lambda model, stream: ("/v2/chat", ""),
            write_request=cohere_requests.write,
            marks=("message",),
            read_answer=cohere_answers.read,
            decoder=CohereDecoder,
        ),
    )
}


def can(source: str, target: str) -> bool:
    """Whether calls of one dialect can go to a target of another; or of its own, without others' seals."""
    if source == embeddings.SOURCE:
        return target in embeddings.TARGETS
    return target in CODECS and source in CODECS and CODECS[source].read_request is not None


def dialects() -> tuple[str, ...]:
    """Every dialect that can be translated to; those that can be translated from come first."""
    return (*sorted(CODECS, key=lambda name: CODECS[name].read_request is None), embeddings.SOURCE)


def request(
    source: str,
    target: str,
    *,
    path: str,
    params: Mapping[str, str],
    headers: Headers,
    body: Mapping[str, Any],
    model: str,
    stream: bool,
) -> TranslatedRequest:
    """A request as the target is to get it. Untranslatable where the target has no equal for it.

    `path`, `params` and `headers` are the client's; `model` is the target's name for the model.
    """
    if not can(source, target):
        raise Untranslatable(f"{source} cannot be translated to {target}")
    if source == embeddings.SOURCE:
        return embeddings.request(target, body, model)
    theirs, ours = CODECS[source], CODECS[target]
    if re.fullmatch(theirs.operations, path) is None:
        raise Untranslatable(f"only whole conversations can be sent to {target}, not calls of {path}")
    asked, neutral, losses = Asked(body, params, headers), Request(model, stream), Losses()
    assert theirs.read_request
    theirs.read_request(asked, neutral, losses)
    names = _prepare(neutral, theirs, ours, losses)
    content = orjson.dumps(ours.write_request(neutral, losses))
    session = Conversation(theirs, ours, asked, names, model, neutral.counted, _id_of(content))
    said = {"content-type": "application/json", **ours.headers}
    return TranslatedRequest("POST", *ours.address(model, stream), said, content, losses, session=session)


def _prepare(neutral: Request, theirs: Codec, ours: Codec, losses: Losses) -> ToolNames:
    names = ToolNames(custom=ours.custom_tools, namespaces=theirs is ours)
    passes.join_seals(neutral)
    passes.drop_foreign(neutral, ours.family, losses)
    if theirs is not ours:
        passes.drop_files(neutral)
        passes.settle_ids(neutral)
    passes.settle_choice(neutral, losses)
    names.rename(neutral)
    return names


def _id_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:24]
