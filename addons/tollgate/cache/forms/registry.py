"""Every form that there is, by the name of its dialect."""

from __future__ import annotations

from collections.abc import Mapping

from tollgate.cache.forms import anthropic, cohere, converse, gemini, ollama, openai_chat, openai_responses
from tollgate.cache.forms.form import Form

FORMS: Mapping[str, Form] = {
    "openai-chat": openai_chat.CHAT,
    "openai-completions": openai_chat.COMPLETIONS,
    "openai-responses": openai_responses.RESPONSES,
    "anthropic-messages": anthropic.MESSAGES,
    "bedrock-invoke": anthropic.INVOKE,
    "bedrock-converse": converse.CONVERSE,
    "gemini": gemini.GEMINI,
    "gemini-cloudcode": gemini.CLOUDCODE,
    "cohere-chat": cohere.CHAT,
    "ollama": ollama.OLLAMA,
}
"""Chats of other dialects are not kept: nobody could say whether their answers are complete."""
