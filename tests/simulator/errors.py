"""How each provider says no: before the answer as a body, in mid-stream as an event."""

from __future__ import annotations

from typing import Any

import orjson

from simulator import eventstream
from simulator.exchange import Answer, Ask, Mistake, sse, whole

OPENAI_TYPES = {429: "rate_limit_error", 500: "server_error", 502: "server_error", 503: "server_error"}
ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
GOOGLE_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
AWS_TYPES = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
BROKEN = Mistake(500, "The server had an error while processing your request.")


def _openai_error(mistake: Mistake) -> dict[str, Any]:
    kind = OPENAI_TYPES.get(mistake.status, "invalid_request_error")
    return {
        "message": mistake.message,
        "type": kind,
        "param": mistake.param or None,
        "code": mistake.code or None,
    }


def openai(mistake: Mistake, ask: Ask) -> Answer:
    return whole({"error": _openai_error(mistake)}, status=mistake.status)


def openai_fault(mistake: Mistake) -> bytes:
    return sse({"error": _openai_error(mistake)})


def responses_fault(mistake: Mistake) -> bytes:
    error = {"code": mistake.code or "server_error", "message": mistake.message, "param": None}
    return sse({"type": "error", **error, "sequence_number": 9999}, "error")


def _anthropic_error(mistake: Mistake) -> dict[str, Any]:
    kind = ANTHROPIC_TYPES.get(mistake.status, "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": mistake.message}}


def anthropic(mistake: Mistake, ask: Ask) -> Answer:
    return whole({**_anthropic_error(mistake), "request_id": f"req_{ask.digest[:24]}"}, status=mistake.status)


def anthropic_fault(mistake: Mistake) -> bytes:
    return sse(_anthropic_error(mistake), "error")


def _google_error(mistake: Mistake) -> dict[str, Any]:
    status = GOOGLE_STATUSES.get(mistake.status, "UNKNOWN")
    return {"error": {"code": mistake.status, "message": mistake.message, "status": status}}


def gemini(mistake: Mistake, ask: Ask) -> Answer:
    return whole(_google_error(mistake), status=mistake.status)


def gemini_fault(mistake: Mistake) -> bytes:
    return sse(_google_error(mistake), eol="\r\n")


def bedrock(mistake: Mistake, ask: Ask) -> Answer:
    kind = mistake.code or AWS_TYPES.get(mistake.status, "ValidationException")
    return whole({"message": mistake.message}, status=mistake.status, headers={"x-amzn-errortype": kind})


def bedrock_fault(mistake: Mistake) -> bytes:
    kind = AWS_TYPES.get(mistake.status, "InternalServerException")
    return eventstream.exception(kind[0].lower() + kind[1:], orjson.dumps({"message": mistake.message}))


def cohere(mistake: Mistake, ask: Ask) -> Answer:
    return whole({"id": ask.digest[:24], "message": mistake.message}, status=mistake.status)


def cohere_fault(mistake: Mistake) -> bytes:
    end = {"finish_reason": "ERROR", "error": mistake.message}
    return sse({"type": "message-end", "delta": end}, "message-end")


def ollama(mistake: Mistake, ask: Ask) -> Answer:
    return whole({"error": mistake.message}, status=mistake.status)


def ollama_fault(mistake: Mistake) -> bytes:
    return orjson.dumps({"error": mistake.message}) + b"\n"
