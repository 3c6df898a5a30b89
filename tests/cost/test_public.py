"""Our own reading of answers and prices, against genai-prices' own."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest
from genai_prices import data_snapshot

from support.recorded import DATA, NOON, Asked, whole
from tollgate.cost.prices import PriceBook
from tollgate.cost.public import PublicPrices, bare, rates_of
from tollgate.policy.cost import PriceSettings
from tollgate.providers import Providers

PUBLIC = PublicPrices()
BOOK = PriceBook(PriceSettings())
MOMENT = datetime.fromtimestamp(NOON, UTC)


@pytest.mark.parametrize(
    ("name", "asked", "theirs", "flavor", "context"),
    [
        ("anthropic", Asked("anthropic", "", "anthropic-messages"), "anthropic", "default", {}),
        (
            "anthropic-batch",
            Asked("anthropic", "", "anthropic-messages"),
            "anthropic",
            "default",
            {"processing": "batch"},
        ),
        ("openai-chat", Asked("openai", "", "openai-chat"), "openai", "chat", {}),
        ("openai-long", Asked("openai", "", "openai-chat"), "openai", "chat", {}),
        (
            "openai-priority",
            Asked("openai", "", "openai-chat"),
            "openai",
            "chat",
            {"service_tier": "priority"},
        ),
        ("openai-audio", Asked("openai", "", "openai-chat"), "openai", "chat", {}),
        ("openai-embeddings", Asked("openai", "", "openai-embeddings"), "openai", "embeddings", {}),
        ("azure-chat", Asked("azure", "", "openai-chat"), "azure", "chat", {}),
        ("deepseek", Asked("deepseek", "", "openai-chat"), "deepseek", "chat", {}),
        ("mistral", Asked("mistral", "", "openai-chat"), "mistral", "default", {}),
        ("groq", Asked("groq", "", "openai-chat"), "groq", "default", {}),
        ("gemini", Asked("gemini", "", "gemini"), "google", "default", {}),
        ("gemini-audio", Asked("gemini", "", "gemini"), "google", "default", {}),
        ("gemini-image", Asked("gemini", "", "gemini"), "google", "default", {}),
        (
            "bedrock-converse",
            Asked("bedrock", "", "bedrock-converse", "global.anthropic.claude-sonnet-4-5-20250929-v1:0"),
            "aws",
            "default",
            {},
        ),
        ("cohere", Asked("cohere", "", "cohere-chat", "command-a-03-2025"), "cohere", "default", {}),
        (
            "openai-images",
            Asked("openai", "", "generic", "gpt-image-1", "images"),
            "openai",
            "images",
            {},
        ),
    ],
)
def test_both_read_the_same_money_out_of_an_answer(
    name: str, asked: Asked, theirs: str, flavor: str, context: dict[str, str]
) -> None:
    snapshot = data_snapshot.get_snapshot()
    provider = snapshot.find_provider(None, theirs, None)
    document = orjson.loads((DATA / f"{name}.json").read_bytes())
    model, usage = provider.extract_usage(document, api_flavor=flavor)
    their_price = snapshot.calc(usage, model or asked.model, theirs, None, MOMENT, context)

    call = whole(name, asked)
    price = BOOK.of(call, call.usage)
    assert price is not None
    fetched = price.parts.get("requests.file_search", 0)
    assert Decimal(price.nanos - fetched) == their_price.total_price * 10**9


def test_every_price_id_of_our_providers_is_known_there() -> None:
    assert [row.id for row in Providers.builtin().rows if row.prices and not PUBLIC.knows(row.prices)] == []


def test_every_model_there_can_be_made_into_rates() -> None:
    """But for the few that are priced by what no answer says: characters, or pages."""
    models = [(p.id, model) for p in data_snapshot.get_snapshot().providers for model in p.models]
    without = [
        model.get_prices(MOMENT) for id_, model in models if not rates_of(model.get_prices(MOMENT), id_)
    ]
    units = {key for prices in without for key, price in vars(prices).items() if price is not None}

    assert len(models) > 2_000
    assert len(without) < 220  # most of them are free of charge, and have no prices at all
    assert units <= {
        "input_mchars",
        "input_text_messages_kcount",
        "input_document_kpages",
        "input_annotated_document_kpages",
    }


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gemini-2.5-pro", "gemini-2.5-pro"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("projects/p/locations/l/publishers/anthropic/models/claude-opus-5-5", "claude-opus-5-5"),
        ("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0"),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-pro-v1:0", "us.amazon.nova-pro-v1:0"),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/x", None),
        ("openai/gpt-5.4", "openai/gpt-5.4"),
        ("accounts/fireworks/models/kimi", "accounts/fireworks/models/kimi"),
    ],
)
def test_paths_and_arns_stand_before_a_models_name(model: str, name: str | None) -> None:
    assert bare(model) == (name or model)


def test_names_are_taken_in_upper_and_lower_case() -> None:
    assert PUBLIC.find("openai", "GPT-5.4", "", "", MOMENT) == PUBLIC.find(
        "openai", "gpt-5.4", "", "", MOMENT
    )


def test_what_nobody_knows_is_not_found() -> None:
    assert PUBLIC.find("openai", "gpt-of-tomorrow", "", "", MOMENT) is None
    assert PUBLIC.find("nobody", "gpt-5.4", "", "", MOMENT) is None
    assert not PUBLIC.knows("nobody")


def test_the_fast_speed_has_its_price() -> None:
    found = PUBLIC.find("anthropic", "claude-opus-5-5", "standard", "fast", MOMENT)

    assert found is not None
    assert (found.rates["input"].nanos(1, 1), found.unsure) == (8_000, ())


@pytest.mark.parametrize(
    ("provider", "model", "unsure"),
    [
        ("openrouter", "allenai/molmo-7b-d:free", ()),
        ("google", "gemma-4-31b-it", ("no price listed",)),
    ],
)
def test_a_model_that_is_listed_without_a_price_is_free(
    provider: str, model: str, unsure: tuple[str, ...]
) -> None:
    found = PUBLIC.find(provider, model, "", "", MOMENT)

    assert found is not None
    assert (found.rates["output"].nanos(1_000, 1_000), found.unsure) == (0, unsure)
