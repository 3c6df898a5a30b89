"""Which calls something in a policy is for."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, field_validator

from tollgate.policy.fields import Clients, Patterns
from tollgate.policy.part import Part


def check_header(name: str) -> str:
    """A header's name: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2"""
    if not re.fullmatch(r"[!#$%&'*+.^_`|~\w-]+", name, re.ASCII):
        raise ValueError(f'"{name}" is no name of a header')
    return name


type HeaderName = Annotated[str, AfterValidator(check_header)]


class When(Part):
    """Which calls it is for: all the keys that are set must match. Patterns are globs, case-insensitive;
    a list matches if one of its patterns does; a pattern that begins with "!" must not match."""

    user: Patterns | None = None
    """The proxy user where there is one, else the client's address."""
    group: Patterns | None = None
    """One of the user's groups; see `identification`."""
    client: Clients | None = None
    """The client's address: globs, or networks such as 10.0.0.0/8."""
    user_agent: Patterns | None = None
    """The whole header: claude-cli/*"""
    tool: Patterns | None = None
    """The client program, by its user agent: claude-code, codex, openai-python."""
    host: Patterns | None = None
    """The host called, without port: api.anthropic.com, "*.openai.azure.com"."""
    provider: Patterns | None = None
    """A provider's id: anthropic, openai, or one that `hosts` adds."""
    dialect: Patterns | None = None
    """How the API speaks: openai-chat, anthropic-messages."""
    operation: Patterns | None = None
    """What is asked for: chat, responses, embeddings, count_tokens."""
    model: Patterns | None = None
    """The model that the client asked for; empty where the request names none. Most name it in the body, so
    that such a rule cannot set how bodies are read."""
    headers: dict[HeaderName, Patterns] | None = None
    """Header name to patterns; "*" asks only that it is there."""

    @field_validator("*", mode="before")
    @classmethod
    def _not_nothing(cls, value: Any) -> Any:
        """A key that is there without a value was meant to hold for some calls, and not for all."""
        if value is None:
            raise ValueError("nothing stands here")
        return value
