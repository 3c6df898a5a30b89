from __future__ import annotations

import pytest

from tollgate.cost.models import tokens_of
from tollgate.cost.ranks import FILES


@pytest.mark.parametrize(
    ("model", "encoding", "factor"),
    [
        ("gpt-6.1-sol", "o200k_base", 1.0),
        ("gpt-5-codex", "o200k_base", 1.0),
        ("gpt-4o-2024-08-06", "o200k_base", 1.0),
        ("openai/gpt-4.1-mini", "o200k_base", 1.0),
        ("gpt-4-turbo", "cl100k_base", 1.0),
        ("gpt-4", "cl100k_base", 1.0),
        ("gpt-35-turbo", "cl100k_base", 1.0),
        ("text-embedding-3-small", "cl100k_base", 1.0),
        ("o3", "o200k_base", 1.0),
        ("openai.gpt-oss-120b-1:0", "o200k_base", 1.0),
        ("claude-haiku-4-5", "o200k_base", 1.25),
        ("claude-sonnet-4-20250514", "o200k_base", 1.25),
        ("claude-opus-4-6", "o200k_base", 1.25),
        ("claude-opus-4-7", "o200k_base", 1.7),
        ("claude-3-7-sonnet-latest", "o200k_base", 1.25),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "o200k_base", 1.25),
        ("anthropic/claude-sonnet-4.5", "o200k_base", 1.25),
        ("claude-opus-5-5", "o200k_base", 1.7),
        ("gemini-4-argon", "o200k_base", 1.15),
        ("llama3.2", "o200k_base", 1.15),
        ("", "o200k_base", 1.15),
    ],
)
def test_every_model_has_an_encoding_and_where_its_factor_begins(
    model: str, encoding: str, factor: float
) -> None:
    row = tokens_of(model)

    assert (row.encoding, row.factor) == (encoding, factor)
    assert row.encoding in FILES
