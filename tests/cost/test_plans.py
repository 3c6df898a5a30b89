from __future__ import annotations

from typing import Any

import pytest

from support.routes import target
from support.upstream import make_call, make_request
from tollgate.access.identity import identify
from tollgate.calls import CLIENT, Attempt, Call, Target
from tollgate.cost.plans import paid_by, plan_of, ways_paid
from tollgate.providers import Providers
from tollgate.store import Digester

PROVIDERS = Providers.builtin()


def call_to(url: str, *headers: tuple[str, str]) -> Call:
    """A call as the gate would make it."""
    host, _, path = url.partition("/")
    provider = PROVIDERS.provider_of(host, 443)
    assert provider is not None
    call = make_call(make_request(host=host, target=f"/{path}", headers=headers))
    call.provider = provider.id
    call.identity = identify(call.client_request.headers, "", "127.0.0.1", "", Digester(b"0" * 32), (), ())
    return call


@pytest.mark.parametrize(
    ("url", "header", "plan"),
    [
        ("api.anthropic.com/v1/messages", ("Authorization", "Bearer sk-ant-oat01-FAKE"), "Claude"),
        ("api.anthropic.com/v1/messages", ("authorization", "bearer  sk-ant-oat01-FAKE"), "Claude"),
        ("api.anthropic.com/v1/messages", ("Authorization", "Bearer sk-ant-api03-FAKE"), None),
        ("api.anthropic.com/v1/messages", ("x-api-key", "sk-ant-api03-FAKE"), None),
        ("api.anthropic.com/v1/messages", ("Authorization", "Bearer eyJfake"), None),
        ("chatgpt.com/backend-api/codex/responses", ("Authorization", "Bearer eyJfake"), "ChatGPT"),
        ("api.openai.com/v1/responses", ("Authorization", "Bearer sk-FAKE"), None),
        ("api.githubcopilot.com/chat/completions", ("Authorization", "Bearer gho_fake"), "GitHub Copilot"),
        ("api.business.githubcopilot.com/responses", ("Authorization", "Bearer tid=fake"), "GitHub Copilot"),
        (
            "cloudcode-pa.googleapis.com/v1internal:generateContent",
            ("Authorization", "Bearer ya29.fake"),
            "Gemini Code Assist",
        ),
        ("generativelanguage.googleapis.com/v1/models/g:generateContent", ("x-goog-api-key", "fake"), None),
        ("api.kimi.com/coding/v1/messages", ("x-api-key", "fake"), "Kimi Code"),
        ("api.z.ai/api/coding/paas/v4/chat/completions", ("Authorization", "Bearer fake"), "GLM Coding Plan"),
        ("api.z.ai/api/paas/v4/chat/completions", ("Authorization", "Bearer fake"), None),
        ("coding.dashscope.aliyuncs.com/v1/chat/completions", ("Authorization", "Bearer fake"), "Alibaba"),
        ("ollama.com/api/chat", ("Authorization", "Bearer fake"), "Ollama Cloud"),
    ],
)
def test_a_plan_is_known_by_host_path_and_credential(
    url: str, header: tuple[str, str], plan: str | None
) -> None:
    call = call_to(url, header)
    found = plan_of(call)

    assert (found.name if found else None) == (plan if plan != "Alibaba" else "Alibaba Cloud Coding Plan")
    assert paid_by(call) == ("subscription" if plan else "metered")


CLAUDE = "api.anthropic.com/v1/messages"
MAX = ("Authorization", "Bearer sk-ant-oat01-FAKE")


@pytest.mark.parametrize(
    ("changes", "paid"),
    [
        ({}, "subscription"),
        ({"own_key": True}, "metered"),
        ({"provider": "openai", "host": "api.openai.com", "own_key": True}, "metered"),
        ({"provider": "vllm", "host": "vllm.test"}, "metered"),
        ({"provider": "github-copilot", "host": "api.githubcopilot.com", "own_key": True}, "subscription"),
        ({"provider": "chatgpt", "host": "chatgpt.com", "own_key": True}, "metered"),
    ],
)
def test_a_try_elsewhere_or_with_the_companys_key_is_not_paid_by_the_clients_plan(
    changes: dict[str, Any], paid: str
) -> None:
    assert paid_by(call_to(CLAUDE, MAX), Attempt("t", 0.0, **changes)) == paid


@pytest.mark.parametrize(
    ("plan", "ways"),
    [
        ((), {"subscription"}),
        ((target(provider="anthropic", credentials=(CLIENT, "company")),), {"subscription", "metered"}),
        ((target(provider="vllm", credentials=()),), {"metered"}),
    ],
)
def test_a_plan_may_lead_to_what_is_paid_otherwise(plan: tuple[Target, ...], ways: set[str]) -> None:
    call = call_to(CLAUDE, MAX)
    call.plan = plan

    assert ways_paid(call) == ways


def test_every_plan_is_of_a_provider_that_there_is() -> None:
    from tollgate.cost.plans import _rows

    assert _rows().keys() <= {row.id for row in PROVIDERS.rows}
    assert all(row.plan.source.startswith("https://") for rows in _rows().values() for row in rows)
