"""What recorded answers cost, worked out by hand to the nano-dollar, streamed and whole.

One dollar for a million tokens is 1,000 nano-dollars for one, and $10 for 1,000 searches 10,000,000 for one.
The prices are those of genai-prices 0.2.3 for noon, UTC, of 22 November 2026.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from support.costs import make_call
from support.recorded import NOON, Asked, streamed, whole
from tollgate.calls import Attempt, Call, Usage
from tollgate.cost.prices import NOTHING, Price, PriceBook
from tollgate.policy.cost import PriceSettings
from tollgate.policy.price_file import Tariff

BOOK = PriceBook(PriceSettings())
GENAI = "genai-prices 0.2.3"

ANTHROPIC = Asked("anthropic", "api.anthropic.com", "anthropic-messages", "claude-opus-5-5")
OPENAI = Asked("openai", "api.openai.com", "openai-chat", "gpt-5.4")
AUDIO = Asked("openai", "api.openai.com", "generic", "", "audio")
GEMINI = Asked("gemini", "generativelanguage.googleapis.com", "gemini")
CLAUDE_AWS = "global.anthropic.claude-sonnet-4-5-20250929-v1:0"
BEDROCK = "bedrock-runtime.us-east-1.amazonaws.com"

type Case = tuple[str, Asked, dict[str, int]]

CASES: list[Case] = [
    (
        "anthropic",  # $4 in, $20 out; cache: $0.20 read, $5 and $8 written; $10 for 1,000 searches
        ANTHROPIC,
        {
            "input": 100 * 4_000,
            "cache_read": 50_000 * 200,
            "cache_write": 1_500 * 5_000,
            "cache_write_long": 500 * 8_000,
            "output": (300 - 120) * 20_000,
            "reasoning": 120 * 20_000,
            "requests.web_search": 2 * 10_000_000,
            "requests.web_fetch": 0,
        },
    ),
    ("anthropic-batch", ANTHROPIC, {"input": 1_000 * 2_000, "output": 200 * 10_000}),
    (
        "anthropic-fast-us",  # $8 in, $40 out, and all of it 1.1 times in the US
        ANTHROPIC,
        {"input": 1_000 * 8_800, "output": 200 * 44_000},
    ),
    (
        "openai-chat",  # $2.50 in, $15 out, $0.25 cached
        OPENAI,
        {
            "input": (2_000 - 1_024) * 2_500,
            "cache_read": 1_024 * 250,
            "output": (500 - 320) * 15_000,
            "reasoning": 320 * 15_000,
        },
    ),
    ("openai-priority", OPENAI, {"input": 1_000 * 5_000, "output": 100 * 30_000}),
    (
        "openai-long",  # above 272,000 tokens of input all of them cost $5, and the output $22.50
        OPENAI,
        {"input": 272_001 * 5_000, "output": 1_000 * 22_500},
    ),
    (
        "openai-audio",  # $2.50 in, $10 out; audio $32 and $64
        Asked("openai", "api.openai.com", "openai-chat", "gpt-audio"),
        {
            "input": 40 * 2_500,
            "input_audio": 110 * 32_000,
            "output": 20 * 10_000,
            "output_audio": 70 * 64_000,
        },
    ),
    (
        "openai-responses",  # flex: $1 in, $5 out, $0.05 cached, $1.25 written; searches $2.50 and $10
        Asked("openai", "api.openai.com", "openai-responses", "gpt-6.1-sol", "responses"),
        {
            "input": (3_000 - 1_000 - 500) * 1_000,
            "cache_read": 1_000 * 50,
            "cache_write": 500 * 1_250,
            "output": (400 - 250) * 5_000,
            "reasoning": 250 * 5_000,
            "requests.file_search": 2_500_000,
            "requests.web_search": 3 * 10_000_000,
        },
    ),
    (
        "openai-embeddings",  # $0.02
        Asked("openai", "api.openai.com", "openai-embeddings", "text-embedding-3-small", "embeddings"),
        {"input": 8 * 20},
    ),
    (
        "openai-images",  # text $5, pictures $10 in, $40 out
        Asked("openai", "api.openai.com", "generic", "gpt-image-1", "images"),
        {"input": 77 * 5_000, "input_image": 323 * 10_000, "output": 1_000 * 40_000},
    ),
    (
        "openai-whisper",  # $0.36 an hour, which is $0.0001 a second
        Asked("openai", "api.openai.com", "generic", "whisper-1", "audio"),
        {"seconds": 90 * 100_000},
    ),
    (
        "openai-transcribe",  # text $2.50, audio $6 in, $10 out
        Asked("openai", "api.openai.com", "generic", "gpt-4o-transcribe", "audio"),
        {"input": 20 * 2_500, "input_audio": 120 * 6_000, "output": 30 * 10_000},
    ),
    (
        "azure-chat",  # $2.50 in, $10 out; the deployment's name says nothing, the answer's does
        Asked("azure", "corp.openai.azure.com", "openai-chat", "prod-chat"),
        {"input": 1_000 * 2_500, "output": 10 * 10_000},
    ),
    (
        "deepseek",  # $0.66 in, $1.98 out, $0.022 cached, outside of the peak hours
        Asked("deepseek", "api.deepseek.com", "openai-chat", "deepseek-v4-pro"),
        {"input": 400 * 660, "cache_read": 600 * 22, "output": 100 * 1_980},
    ),
    (
        "mistral",  # $0.70 in, $2.10 out, $0.07 cached
        Asked("mistral", "api.mistral.ai", "openai-chat", "mistral-large-4"),
        {"input": 36 * 700, "cache_read": 64 * 70, "output": 10 * 2_100},
    ),
    (
        "groq",  # $0.15 in, $0.60 out, $0.075 cached
        Asked("groq", "api.groq.com", "openai-chat", "openai/gpt-oss-120b"),
        {"input": 488 * 150, "cache_read": 512 * 75, "output": 100 * 600},
    ),
    (
        "gemini",  # $1.25 in, $10 out, $0.125 cached; what tools put into the prompt is input too
        GEMINI,
        {
            "input": (1_000 - 400 + 30) * 1_250,
            "cache_read": 400 * 125,
            "output": 50 * 10_000,
            "reasoning": 200 * 10_000,
        },
    ),
    ("gemini-audio", GEMINI, {"input": 100 * 300, "input_audio": 400 * 1_000, "output": 90 * 2_500}),
    ("gemini-image", GEMINI, {"input": 20 * 300, "output": 20 * 2_500, "output_image": 1_290 * 30_000}),
    (
        "gemini-search",  # $0.75 in, $3.75 out, $14 for 1,000 searches
        GEMINI,
        {"input": 100 * 750, "output": 10 * 3_750, "requests.web_search": 2 * 14_000_000},
    ),
    (
        "gemini-interactions",
        Asked("gemini", "generativelanguage.googleapis.com", "gemini-interactions"),
        {"input": (100 - 40 + 5) * 750, "cache_read": 40 * 75, "output": 10 * 3_750, "reasoning": 20 * 3_750},
    ),
    (
        "gemini-cloudcode",  # paid by a plan, and priced all the same
        Asked("gemini-code-assist", "cloudcode-pa.googleapis.com", "gemini-cloudcode"),
        {"input": 100 * 1_250, "output": 10 * 10_000},
    ),
    (
        "bedrock-converse",  # $3 in, $15 out, cache: $0.30 read, $3.75 for 5 minutes, $6 for an hour
        Asked("bedrock", BEDROCK, "bedrock-converse", CLAUDE_AWS),
        {
            "input": 100 * 3_000,
            "cache_read": 1_000 * 300,
            "cache_write": 500 * 3_750,
            "cache_write_long": 1_500 * 6_000,
            "output": 20 * 15_000,
        },
    ),
    (
        "cohere",  # $2.50 in, $10 out, of what it bills
        Asked("cohere", "api.cohere.com", "cohere-chat", "command-a-03-2025"),
        {"input": 50 * 2_500, "output": 10 * 10_000},
    ),
    (
        "cohere-embed",  # $0.12
        Asked("cohere", "api.cohere.com", "generic", "embed-v4.0", "embeddings"),
        {"input": 4 * 120},
    ),
    (
        "voyage",  # $0.06
        Asked("voyage", "api.voyageai.com", "openai-embeddings", "voyage-3.5", "embeddings"),
        {"input": 10 * 60},
    ),
]


def priced(call: Call | None) -> Price | None:
    assert call is not None
    return BOOK.of(call, call.usage)


@pytest.mark.parametrize(("name", "asked", "parts"), CASES, ids=[name for name, _, _ in CASES])
def test_an_answer_costs_what_the_price_lists_say(name: str, asked: Asked, parts: dict[str, int]) -> None:
    price = priced(whole(name, asked))

    assert price is not None
    assert dict(price.parts) == parts
    assert (price.nanos, price.source, price.unpriced) == (sum(parts.values()), GENAI, ())


STREAMED = [(name, asked) for name, asked, _ in CASES if streamed(name, asked)]


@pytest.mark.parametrize(("name", "asked"), STREAMED, ids=[name for name, _ in STREAMED])
def test_streamed_it_costs_the_same(name: str, asked: Asked) -> None:
    assert priced(streamed(name, asked)) == priced(whole(name, asked))


def test_all_dialects_that_stream_are_among_them() -> None:
    unstreamed = {name for name, _, _ in CASES} - {name for name, _ in STREAMED}

    never = {"openai-embeddings", "cohere-embed", "voyage", "openai-whisper"}
    assert unstreamed == {"anthropic-batch", *never}


def test_reranking_is_counted_by_the_search_and_priced_where_a_price_is_known(tmp_path: Path) -> None:
    call = whole("cohere-rerank", Asked("cohere", "api.cohere.com", "generic", "rerank-v3.5", "rerank"))
    assert priced(call) is None, "genai-prices has no reranking of Cohere's"

    file = tmp_path / "prices.yaml"
    file.write_text("prices:\n  - {model: 'rerank-*', prices: {tools: {search: 0.002}}}\n")
    price = PriceBook(PriceSettings(overlays=[file])).of(call, call.usage)
    assert price is not None
    assert dict(price.parts) == {"requests.search": 2 * 2_000_000}


def test_bedrocks_own_form_of_claude_costs_the_same_as_converse() -> None:
    asked = Asked("bedrock", BEDROCK, "bedrock-invoke", CLAUDE_AWS)
    converse = priced(whole("bedrock-converse", Asked("bedrock", BEDROCK, "bedrock-converse", CLAUDE_AWS)))

    for call in (whole("bedrock-invoke", asked), streamed("bedrock-invoke", asked)):
        price = priced(call)
        assert price is not None
        assert converse is not None
        assert price.parts == converse.parts


@pytest.mark.parametrize(
    ("name", "provider", "nanos"),
    [
        ("openrouter", "openrouter", 420_000),
        ("xai", "xai", 500_000),
        ("perplexity", "perplexity", 14_450_000),
    ],
)
def test_what_a_provider_says_itself_goes_before_any_list(name: str, provider: str, nanos: int) -> None:
    asked = Asked(provider, "api.example", "openai-chat", "any")

    for call in (whole(name, asked), streamed(name, asked)):
        price = priced(call)
        assert price is not None
        assert (price.nanos, price.source, dict(price.parts)) == (nanos, "reported", {"reported": nanos})


def test_models_on_this_machine_cost_nothing() -> None:
    for call in (whole("ollama", OLLAMA), streamed("ollama", OLLAMA)):
        assert priced(call) == Price(0, "free", {"input": 0, "output": 0}, 0)


OLLAMA = Asked("ollama", "localhost", "ollama", "llama3.2")


def test_the_prompt_cache_saves_what_it_leaves_off_the_input() -> None:
    price = priced(whole("anthropic", ANTHROPIC))

    assert price is not None
    assert price.saved == 50_000 * (4_000 - 200) - 1_500 * (5_000 - 4_000) - 500 * (8_000 - 4_000)


def test_a_cache_that_is_only_written_to_costs_more_than_it_saves() -> None:
    price = ask("anthropic", "claude-opus-5-5", Usage(cache_write=1_000))

    assert price is not None
    assert price.saved == -1_000 * 1_000


def ask(
    provider: str,
    model: str,
    usage: Usage,
    *,
    book: PriceBook = BOOK,
    host: str = "",
    operation: str = "chat",
    time: float = NOON,
) -> Price | None:
    return book.price(provider, model, usage, host=host, operation=operation, time=time)


THOUSAND = Usage(input=1_000)


@pytest.mark.parametrize("operation", ["count_tokens", "models", "files"])
def test_some_operations_are_free(operation: str) -> None:
    assert ask("openai", "gpt-5.4", THOUSAND, operation=operation) == NOTHING


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-of-tomorrow"),
        ("corp-vllm", "gpt-5.4"),
        ("nvidia", "gpt-5.4"),
        ("openai", ""),
        ("openai", "g" * 300),
    ],
)
def test_what_nobody_knows_is_unknown_and_never_a_default(provider: str, model: str) -> None:
    assert ask(provider, model, THOUSAND) is None


def test_tokens_without_a_price_make_the_whole_unknown() -> None:
    assert ask("openai", "text-embedding-3-small", Usage(input=10, output=10)) is None
    assert ask("openai", "gpt-5.4", Usage(seconds=4.0)) is None


def test_an_answer_that_says_nothing_of_what_it_used_is_unknown() -> None:
    """Pictures of DALL·E, speech: nobody counts them for us."""
    assert ask("openai", "gpt-image-1", Usage()) is None
    assert ask("ollama", "llama3.2", Usage()) == NOTHING
    assert ask("openai", "omni-moderation-latest", Usage()) is not None


def test_a_tool_without_a_price_is_named() -> None:
    price = ask("openai", "gpt-5.4", Usage(input=1_000, requests={"code_interpreter": 1}))

    assert price is not None
    assert (price.nanos, price.unpriced) == (2_500_000, ("requests.code_interpreter",))


@pytest.mark.parametrize(
    ("provider", "usage", "unsure"),
    [
        ("openai", Usage(input=1, tier="ultrafast"), "tier ultrafast"),
        ("azure", Usage(input=1, tier="priority"), "tier priority"),
        ("openai", Usage(input=1, speed="fast"), "speed fast"),
    ],
)
def test_a_tier_that_no_list_has_is_named(provider: str, usage: Usage, unsure: str) -> None:
    price = ask(provider, "gpt-5.4", usage)

    assert price is not None
    assert price.unpriced == (unsure,)


@pytest.mark.parametrize("tier", ["", "default", "standard", "auto", "on_demand", "Default"])
def test_usual_tiers_cost_the_usual(tier: str) -> None:
    price = ask("openai", "gpt-5.4", Usage(input=1_000, tier=tier))

    assert price is not None
    assert (price.nanos, price.unpriced) == (2_500_000, ())


@pytest.mark.parametrize("tier", ["flex", "FLEX", "ON_DEMAND_FLEX", "batch"])
def test_tiers_are_known_however_they_are_written(tier: str) -> None:
    price = ask("openai", "gpt-5.4", Usage(input=1_000, tier=tier))

    assert price is not None
    assert (price.nanos, price.unpriced) == (1_250_000, ())


def test_a_price_holds_for_its_time() -> None:
    """DeepSeek's peak hours, and Google's new price from 1 December 2026."""
    peak = NOON - 5 * 3600
    december = NOON + 9 * 86_400
    nanos = [
        price.nanos if (price := ask(*model, THOUSAND, time=time)) else None
        for model in (("deepseek", "deepseek-v4-pro"), ("gemini", "gemini-4-argon"))
        for time in (NOON, peak, december)
    ]

    assert nanos == [660_000, 1_320_000, 660_000, 2_000_000, 2_000_000, 4_000_000]


@pytest.mark.parametrize(
    ("provider", "model", "host", "nanos"),
    [
        ("openai", "gpt-5.4", "eu.api.openai.com", 2_750_000),
        ("openai", "gpt-4o", "eu.api.openai.com", 2_500_000),
        ("openai", "gpt-5.4", "api.openai.com", 2_500_000),
        ("vertex", "claude-opus-5-5", "us-east5-aiplatform.googleapis.com", 4_400_000),
        ("vertex", "claude-opus-5-5", "aiplatform.googleapis.com", 4_000_000),
        ("vertex", "gemini-2.5-pro", "us-east5-aiplatform.googleapis.com", 1_250_000),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "", 3_300_000),
        ("bedrock", CLAUDE_AWS, "", 3_000_000),
    ],
)
def test_a_region_has_its_price_where_one_is_known(provider: str, model: str, host: str, nanos: int) -> None:
    price = ask(provider, model, THOUSAND, host=host)

    assert price is not None
    assert price.nanos == nanos


@pytest.mark.parametrize(
    ("model", "nanos"), [("gemini-2.5-flash", 35_000_000), ("gemini-3.8-flash", 3 * 14_000_000)]
)
def test_older_geminis_bill_a_grounded_prompt_and_newer_ones_each_search(model: str, nanos: int) -> None:
    price = ask("gemini", model, Usage(requests={"web_search": 3}))

    assert price is not None
    assert dict(price.parts) == {"requests.web_search": nanos}


def test_a_search_has_no_uplift() -> None:
    price = ask("anthropic", "claude-opus-5-5", Usage(input=10, region="us", requests={"web_search": 1}))

    assert price is not None
    assert dict(price.parts) == {"input": 44_000, "requests.web_search": 10_000_000}


def test_a_call_has_its_fee() -> None:
    price = ask("perplexity", "sonar", THOUSAND)

    assert price is not None
    assert dict(price.parts) == {"input": 1_000_000, "call": 12_000_000}


# -- calls ---------------------------------------------------------------------------------------------------


def test_refused_and_failed_calls_cost_nothing() -> None:
    assert BOOK.of(ANTHROPIC.call(), None) == NOTHING


def test_what_is_only_asked_for_again_was_billed_before() -> None:
    """GET /v1/responses/{id}, GET /v1/batches/{id}: they repeat the usage at each call."""
    call = whole("openai-responses", Asked("openai", "api.openai.com", "openai-responses", "gpt-5.4"))
    call.request.method = "GET"

    assert BOOK.of(call, call.usage) == NOTHING


def test_a_call_of_an_unknown_model_has_no_price() -> None:
    assert BOOK.of(Asked("openai", "api.openai.com", "openai-chat").call(), THOUSAND) is None


def test_the_model_that_answered_is_priced_not_the_one_that_was_asked_for() -> None:
    call = OPENAI.call()
    call.answered_model = "gpt-4o"

    price = BOOK.of(call, Usage(output=1))
    assert price is not None
    assert price.nanos == 10_000


def test_without_its_name_in_the_answer_the_model_that_was_asked_for_is_priced() -> None:
    price = BOOK.of(OPENAI.call(), Usage(output=1))

    assert price is not None
    assert price.nanos == 15_000


# -- a company's own prices --------------------------------------------------------------------------------

OVERLAY = """
prices:
  - {provider: azure, model: prod-chat, like: openai/gpt-5.4, multiply: 0.9}
  - {provider: openai, model: gpt-5.4, since: 2027-01-01, multiply: 0.5}
  - {provider: openai, model: "gpt-*", multiply: 0.8}
  - provider: corp-vllm
    prices: {input: 0.2, output: 0.6, tools: {web_search: 0.001}, call: 0.0001, hour: 0.36}
"""


@pytest.fixture
def own(tmp_path: Path) -> PriceBook:
    file = tmp_path / "prices.yaml"
    file.write_text(OVERLAY)
    return PriceBook(PriceSettings(overlays=[file]))


def test_a_deployment_costs_like_the_model_behind_it(own: PriceBook) -> None:
    call = whole("azure-chat", Asked("azure", "corp.openai.azure.com", "openai-chat", "prod-chat"))

    price = own.of(call, call.usage)
    assert price is not None
    assert (price.source, dict(price.parts)) == ("overlay", {"input": 1_000 * 2_250, "output": 10 * 13_500})


def test_a_discount_is_on_the_public_price_with_its_tiers(own: PriceBook) -> None:
    call = whole("openai-long", OPENAI)

    price = own.of(call, call.usage)
    assert price is not None
    assert dict(price.parts) == {"input": 272_001 * 4_000, "output": 1_000 * 18_000}


def test_a_row_holds_from_its_day(own: PriceBook) -> None:
    before, after = (
        ask("openai", "gpt-5.4", THOUSAND, book=own, time=time) for time in (NOON, NOON + 40 * 86_400)
    )

    assert before is not None
    assert after is not None
    assert (before.nanos, after.nanos) == (2_000_000, 1_250_000)


def test_a_server_of_ones_own_has_its_own_prices(own: PriceBook) -> None:
    usage = Usage(input=100, cache_read=50, output=10, reasoning=5, seconds=10.0, requests={"web_search": 2})

    price = ask("corp-vllm", "any", usage, book=own)
    assert price is not None
    assert dict(price.parts) == {
        "input": 100 * 200,
        "cache_read": 50 * 200,
        "output": 10 * 600,
        "reasoning": 5 * 600,
        "seconds": 10 * 100_000,
        "requests.web_search": 2 * 1_000_000,
        "call": 100_000,
    }


def test_a_contract_goes_before_what_a_provider_reports(own: PriceBook) -> None:
    price = ask("openai", "gpt-5.4", Usage(input=1_000, reported_cost=9.0), book=own)

    assert price is not None
    assert (price.nanos, price.source) == (2_000_000, "overlay")


def test_a_model_that_nothing_is_like_is_an_error_that_says_where(tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(
        "prices:\n  - model: a\n    like: gpt-5.4\n    provider: azure\n  - {model: b, like: openai/gtp-5}\n"
    )

    with pytest.raises(ValueError, match=r'prices\.yaml:5: `like` names "openai/gtp-5"'):
        PriceBook(PriceSettings(overlays=[file]))


@pytest.mark.parametrize(
    ("provider", "like", "nanos"),
    [
        ("openai", "gpt-5.4", 2_500_000),
        ("corp-vllm", "openai/gpt-5.4", 2_500_000),
        ("groq", "openai/gpt-oss-120b", 150_000),
        ("corp-vllm", "openrouter/openai/gpt-5.4", 2_500_000),
    ],
)
def test_like_may_name_a_provider_and_a_name_may_have_a_slash(
    tmp_path: Path, provider: str, like: str, nanos: int
) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(f"prices:\n  - {{model: a, like: {like}}}\n")

    price = ask(provider, "a", THOUSAND, book=PriceBook(PriceSettings(overlays=[file])))
    assert price is not None
    assert price.nanos == nanos


def test_a_budget_is_charged_the_ceiling_for_what_is_unknown() -> None:
    book = PriceBook(PriceSettings(ceiling=40.0))

    assert book.ceiling("corp-vllm", "any", Usage(input=100, output=10)) == 110 * 40_000


def test_what_the_image_tool_costs_is_said_to_be_left_out() -> None:
    """Its tokens are another model's, which the answer does not name."""
    price = ask("openai", "gpt-5.4", Usage(input=10, output_image=400, requests={"image_generation": 1}))

    assert price is not None
    assert price.unpriced == ("requests.image_generation",)


def test_what_was_agreed_for_a_target_goes_before_all_else() -> None:
    book = PriceBook(PriceSettings(), agreed={"eu": Tariff(input=Decimal(2), output=Decimal(4))})
    call, usage = make_call(model="gpt-5.4"), Usage(input=1000, output=500)

    there = book.of(call, usage, attempt=Attempt("eu", 0.0, provider="openai", host="h", model="gpt-5.4"))
    elsewhere = book.of(call, usage, attempt=Attempt("us", 0.0, provider="openai", host="h", model="gpt-5.4"))

    assert there is not None
    assert (there.nanos, there.source) == (4_000_000, "target eu")
    assert elsewhere == book.of(call, usage)
    assert book.as_agreed("target eu, without requests.web_search", usage) == there
    assert book.as_agreed("target us", usage) is None
