from __future__ import annotations

from typing import NamedTuple

import pytest

from tollgate.providers import Providers
from tollgate.providers.places import host_in, path_of, speaks
from tollgate.providers.table import Provider

ROWS = {row.id: row for row in Providers.builtin().rows}


class Row(NamedTuple):
    host: str
    provider: str
    dialect: str | None
    port: int | None


@pytest.mark.parametrize(
    ("provider", "region", "host"),
    [
        ("openai", None, "api.openai.com"),
        ("openai", "eu", "eu.api.openai.com"),
        ("mistral", "us", "api.us.mistral.ai"),
        ("bedrock", "eu-central-1", "bedrock-runtime.eu-central-1.amazonaws.com"),
        ("vertex", "europe-west4", "europe-west4-aiplatform.googleapis.com"),
    ],
)
def test_a_region_picks_the_host(provider: str, region: str | None, host: str) -> None:
    assert host_in(ROWS[provider], region) == host


@pytest.mark.parametrize(("provider", "region"), [("bedrock", None), ("anthropic", "eu")])
def test_a_host_that_the_table_does_not_tell_is_asked_for(provider: str, region: str | None) -> None:
    with pytest.raises(ValueError, match="name its host"):
        host_in(ROWS[provider], region)


@pytest.mark.parametrize(
    ("provider", "dialect", "operation", "values", "path"),
    [
        ("openai", "openai-chat", "chat", {}, "/v1/chat/completions"),
        ("groq", "openai-chat", "chat", {}, "/openai/v1/chat/completions"),
        ("mistral", "openai-chat", "chat", {}, "/v1/chat/completions"),
        ("huggingface", "openai-chat", "chat", {"model": "a/b"}, "/v1/chat/completions"),
        ("openai", "openai-responses", "responses", {}, "/v1/responses"),
        ("bedrock-mantle", "openai-responses", "responses", {}, "/v1/responses"),
        ("perplexity", "openai-responses", "responses", {}, "/v1/responses"),
        ("cerebras", "openai-responses", "responses", {}, "/v1/responses"),  # where the policy insists
        ("anthropic", "anthropic-messages", "count_tokens", {}, "/v1/messages/count_tokens"),
        (
            "gemini",
            "gemini",
            "chat",
            {"model": "gemini-3", "verb": "streamGenerateContent"},
            "/v1beta/models/gemini-3:streamGenerateContent",
        ),
        ("gemini", "gemini", "chat", {"model": "gemini-3", "verb": "converse"}, None),
        ("gemini", "gemini", "chat", {"model": "gemini-3"}, None),
        ("gemini", "openai-chat", "chat", {}, "/v1beta/openai/chat/completions"),
        (
            "bedrock",
            "bedrock-converse",
            "chat",
            {"model": "arn:a/b", "verb": "converse"},
            "/model/arn%3Aa%2Fb/converse",
        ),
        ("openai", "anthropic-messages", "chat", {}, None),
        ("openai", "generic", "files", {}, None),
        ("cloudflare", "openai-chat", "chat", {}, None),
    ],
)
def test_a_path_is_that_of_the_table(
    provider: str, dialect: str, operation: str, values: dict[str, str], path: str | None
) -> None:
    assert path_of(ROWS[provider], dialect, operation, values) == path


def test_a_server_of_ones_own_has_the_dialects_usual_base() -> None:
    row = Row("vllm.test", "vllm", "openai-chat", None)
    own = Providers.builtin().with_hosts([row]).provider_of("vllm.test", 443)

    assert isinstance(own, Provider)
    assert path_of(own, "openai-chat", "chat", {}) == "/v1/chat/completions"


def test_the_usual_dialect_is_the_first() -> None:
    assert speaks(ROWS["openai"], "chat")[0] == "openai-chat"
    assert speaks(ROWS["xai"], "chat")[:2] == ("openai-chat", "generic")
    assert speaks(ROWS["openai"], "rerank") == ("generic",)
    assert speaks(ROWS["gemini"], "chat")[0] == "gemini"  # its own; there is one like OpenAI's, too


def test_what_is_only_assumed_is_not_spoken() -> None:
    assert speaks(ROWS["groq"], "responses")[0] == "openai-responses"
    assert "openai-responses" not in speaks(ROWS["cerebras"], "responses")


@pytest.mark.parametrize(
    ("dialect", "spoken"),
    [("openai-chat", False), ("openai-responses", True), (None, True)],
)
def test_a_server_of_ones_own_has_the_responses_api_unless_it_is_said_to_speak_chat(
    dialect: str | None, spoken: bool
) -> None:
    row = Row("vllm.test", "vllm", dialect, None)
    own = Providers.builtin().with_hosts([row]).provider_of("vllm.test", 443)

    assert own is not None
    assert ("openai-responses" in speaks(own, "responses")) is spoken
