"""Has providers say the usage of streams that do so only if asked, and hides it from who did not ask.

Of a stream whose usage nobody asked for, OpenAI's Chat API says none. The request then gets one more member,
and the client never sees what follows from it: the extra chunk without choices, and `"usage":null` in all
others. It is asked for only where the provider is known to take it; elsewhere it is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tollgate.calls import Call, Event

DIALECTS = frozenset({"openai-chat", "openai-completions"})
PROVIDERS = frozenset(
    {
        "openai",  # https://platform.openai.com/docs/api-reference/chat/create#chat-create-stream_options
        "azure",  # https://learn.microsoft.com/azure/ai-foundry/openai/reference
        "azure-apim",
        "xai",  # https://docs.x.ai/docs/api-reference#chat-completions
        "gemini",  # https://ai.google.dev/gemini-api/docs/openai
        "ollama",  # https://docs.ollama.com/api/openai-compatibility
        "lm-studio",  # https://lmstudio.ai/docs/developer/openai-compat
    }
)
"""Those that take the question. Mistral, DeepSeek, Groq, OpenRouter and others say it unasked, and some of
them refuse what they do not know."""

_AZURE_SINCE = "2024-09-01"
"""The first API version that takes it: https://learn.microsoft.com/azure/ai-foundry/openai/whats-new"""
_VERSION = re.compile(r"[?&]api-version=(\d{4}-\d\d-\d\d)").search

_ASKED = b'{"include_usage":true}'
_NULL = re.compile(rb',\s*"usage":\s*null')
_NO_CHOICES = re.compile(rb'"choices":\s*\[\s*\]').search
_SAYS = re.compile(rb'"usage":\s*\{').search


def ask(call: Call) -> bool:
    """Ask in the client's place. True where the request was changed, and `hide` is needed.

    A client that has `stream_options` of its own has said what it wants.
    """
    body = call.request.body
    if (
        not call.stream
        or not _takes(call)
        or not isinstance(body.json, dict)
        or "stream_options" in body.json
    ):
        return False
    body.add("stream_options", _ASKED)
    return True


def _takes(call: Call) -> bool:
    version = _VERSION(call.request.target)
    return (
        call.dialect.name in DIALECTS
        and call.provider in PROVIDERS
        and (version is None or version[1] >= _AZURE_SINCE)
    )


def hide(call: Call, event: Event) -> Iterable[Event]:
    """The event as it would be had nobody asked; nothing for the one that is there to say the usage."""
    data = event.data
    if data is None or b'"usage"' not in data:
        return (event,)
    if _SAYS(data) and _NO_CHOICES(data):
        return ()
    raw = event.raw and _NULL.sub(b"", event.raw)
    return (Event(_NULL.sub(b"", data), event.name, raw),)
