"""Who the simulator is, by host: paths, credentials, errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import unquote

from simulator import anthropic, bedrock, cohere, errors, gemini, ollama, sigv4
from simulator import openai_chat as chat
from simulator import openai_other as other
from simulator import openai_responses as responses
from simulator.exchange import Answer, Ask, Mistake, Operation

type Fault = Callable[[Mistake], bytes]


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    """A regular expression; what it names becomes `Ask.params`."""
    operation: Operation
    fault: Fault
    """The error event of its streams."""


@dataclass(frozen=True)
class Provider:
    name: str
    routes: tuple[Route, ...]
    authorise: Callable[[Ask], None]
    error: Callable[[Mistake, Ask], Answer]
    id_header: str = "x-request-id"

    def route(self, ask: Ask) -> tuple[Route, dict[str, str]]:
        """`Mistake` 404 or 405 where there is no such path, or not with that method."""
        found = [(route, match) for route in self.routes if (match := re.fullmatch(route.path, ask.path))]
        if not found:
            raise Mistake(404, f"Unknown request URL: {ask.method} {ask.path}", code="unknown_url")
        for route, match in found:
            if route.method == ask.method:
                return route, {name: unquote(value) for name, value in match.groupdict().items()}
        raise Mistake(405, f"Not allowed to {ask.method} on {ask.path}", code="method_not_supported")


def _bearer(ask: Ask) -> None:
    if not re.fullmatch(r"Bearer \S+", ask.headers.get("authorization", "")):
        raise Mistake(401, "You didn't provide an API key.", code="invalid_api_key")


def _anthropic_key(ask: Ask) -> None:
    if not ask.headers.get("x-api-key"):
        _bearer(ask)
    if ask.headers.get("anthropic-version") not in anthropic.VERSIONS:
        raise Mistake(400, "anthropic-version: header is required, and must be a valid version")


def _google_key(ask: Ask) -> None:
    if not (ask.headers.get("x-goog-api-key") or ask.query.get("key")):
        raise Mistake(403, "Method doesn't allow unregistered callers. Please use API Key.")


def _aws_key(ask: Ask) -> None:
    if ask.headers.get("authorization", "").startswith("Bearer "):
        return _bearer(ask)
    return sigv4.verify(ask)


def _no_key(ask: Ask) -> None:
    pass


def _openai_routes(prefix: str) -> tuple[Route, ...]:
    fault = errors.openai_fault
    return (
        Route("POST", f"{prefix}/chat/completions", chat.chat, fault),
        Route("POST", f"{prefix}/responses", responses.responses, errors.responses_fault),
        Route("POST", f"{prefix}/responses/input_tokens", responses.input_tokens, fault),
        Route("POST", f"{prefix}/completions", other.completions, fault),
        Route("POST", f"{prefix}/embeddings", other.embeddings, fault),
        Route("GET", f"{prefix}/models", other.models, fault),
        Route("GET", f"{prefix}/models/(?P<model>[^/]+)", other.model, fault),
    )


_GEMINI = "/(v1|v1beta|v1alpha)/models"
_GEMINI_VERBS: dict[str, Operation] = {
    "generateContent": gemini.generate,
    "streamGenerateContent": gemini.stream_generate,
    "countTokens": gemini.count_tokens,
    "embedContent": gemini.embed,
    "batchEmbedContents": gemini.embed_batch,
}
_BEDROCK_VERBS: dict[str, Operation] = {
    "converse": bedrock.converse,
    "converse-stream": bedrock.converse_stream,
    "invoke": bedrock.invoke,
    "invoke-with-response-stream": bedrock.invoke_stream,
    "count-tokens": bedrock.count_tokens,
}
_MODEL = "(?P<model>[^/]+)"

OPENAI = Provider("openai", _openai_routes("/v1"), _bearer, errors.openai)
COMPATIBLE = replace(OPENAI, name="compatible", routes=_openai_routes("(/[a-z]+)*/v1"), authorise=_no_key)
ANTHROPIC = Provider(
    "anthropic",
    (
        Route("POST", "/v1/messages", anthropic.messages, errors.anthropic_fault),
        Route("POST", "/v1/messages/count_tokens", anthropic.count_tokens, errors.anthropic_fault),
        Route("GET", "/v1/models", anthropic.models, errors.anthropic_fault),
    ),
    _anthropic_key,
    errors.anthropic,
    "request-id",
)
GEMINI = Provider(
    "gemini",
    (
        *(
            Route("POST", f"{_GEMINI}/{_MODEL}:{verb}", operation, errors.gemini_fault)
            for verb, operation in _GEMINI_VERBS.items()
        ),
        Route("GET", _GEMINI, gemini.models, errors.gemini_fault),
    ),
    _google_key,
    errors.gemini,
)
BEDROCK = Provider(
    "bedrock",
    tuple(
        Route("POST", f"/model/{_MODEL}/{verb}", operation, errors.bedrock_fault)
        for verb, operation in _BEDROCK_VERBS.items()
    ),
    _aws_key,
    errors.bedrock,
    "x-amzn-requestid",
)
COHERE = Provider(
    "cohere",
    (
        Route("POST", "/v2/chat", cohere.chat, errors.cohere_fault),
        Route("POST", "/v2/embed", cohere.embed, errors.cohere_fault),
    ),
    _bearer,
    errors.cohere,
)
OLLAMA = Provider(
    "ollama",
    (
        Route("POST", "/api/chat", ollama.chat, errors.ollama_fault),
        Route("POST", "/api/generate", ollama.generate, errors.ollama_fault),
        Route("POST", "/api/embed", ollama.embed, errors.ollama_fault),
        Route("GET", "/api/tags", ollama.tags, errors.ollama_fault),
        Route("GET", "/api/version", ollama.version, errors.ollama_fault),
        *_openai_routes("/v1"),
    ),
    _no_key,
    errors.ollama,
)

HOSTS = {
    "api.openai.com": OPENAI,
    "api.anthropic.com": ANTHROPIC,
    "generativelanguage.googleapis.com": GEMINI,
    "bedrock-runtime.us-east-1.amazonaws.com": BEDROCK,
    "bedrock-runtime.eu-central-1.amazonaws.com": BEDROCK,
    "api.cohere.com": COHERE,
    "ollama.test": OLLAMA,
    "vllm.test": COMPATIBLE,
    "localhost": COMPATIBLE,
    "127.0.0.1": COMPATIBLE,
}
"""A host that is not here speaks as OpenAI does."""
