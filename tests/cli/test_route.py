from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tollgate.calls import Checkup
from tollgate.cli import route
from tollgate.cli.main import app

ASKED = {
    "host": "api.openai.com",
    "path": "/v1/chat/completions",
    "headers": {"authorization": "Bearer sk-of-nobody", "user-agent": "OpenAI/Python 2.0"},
    "body": {
        "model": "gpt-6",
        "max_tokens": 500,
        "logit_bias": {"1": 2},
        "messages": [{"role": "user", "content": "hello"}],
    },
}
POLICY = {
    "credentials": {"k": {"env": "NOBODY_SETS_THIS", "hosts": "*"}},
    "targets": {
        "claude": {
            "provider": "anthropic",
            "model": "claude",
            "credential": "k",
            "prices": {"input": 3, "output": 15},
        },
        "small": {"host": "vllm.test", "dialect": "openai-chat", "context": 10},
        "nowhere": {"provider": "cloudflare"},
    },
    "route": {
        "targets": ["small", "claude", "nowhere", "same"],
        "parameters": {"cap": {"max_tokens": 100}, "default": {"temperature": 0.5}, "remove": ["logit_bias"]},
        "headers": {
            "set": {"x-team": "a", "authorization": "Bearer sk-static-of-nobody"},
            "remove": ["user-agent"],
        },
    },
}


def run(folder: Path, asked: Any, policy: Any = None, *options: str) -> tuple[int, str]:
    file = folder / "request.json"
    file.write_text(asked if isinstance(asked, str) else json.dumps(asked))
    if policy is not None:
        (folder / "p.yaml").write_text(json.dumps(policy))
        options = ("--policy", str(folder / "p.yaml"), *options)
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["route", "explain", str(file), *options])
    assert "of-nobody" not in result.output
    return result.exit_code, result.output


def test_it_says_where_a_request_goes_and_what_becomes_of_it(tmp_path: Path) -> None:
    code, out = run(tmp_path, ASKED, POLICY, "--json")
    told = json.loads(out)
    claude, nowhere, same = told["steps"]

    assert code == 0
    assert list(told["passed_over"]) == ["small"]
    assert (claude["target"], claude["where"]) == ("claude", "https://api.anthropic.com/v1/messages")
    assert (claude["model"], claude["key"], claude["price"][:7]) == ("claude", "k", "about $")
    assert "translated from openai-chat to anthropic-messages" in claude["changes"]
    assert "set targets.nowhere.path" in nowhere["problem"]
    assert same["changes"] == [
        "max_tokens: 500 → 100",
        "logit_bias: left out",
        "temperature: 0.5",
        "header user-agent: left out",
        "header authorization: …",
        "header x-team: a",
    ]
    assert (same["key"], same["price"]) == ("client", "unknown")


def test_public_prices_are_told_though_costs_are_off(tmp_path: Path) -> None:
    asked = {**ASKED, "body": {**ASKED["body"], "model": "gpt-4o"}}  # type: ignore[dict-item]
    _, out = run(tmp_path, asked, {}, "--json")

    assert json.loads(out)["steps"][0]["price"].startswith("about $0.0")


def test_losses_are_told(tmp_path: Path) -> None:
    policy = {"targets": {"c": {"provider": "anthropic"}}, "route": {"targets": ["c"]}}
    _, out = run(tmp_path, ASKED, policy)

    assert "c: lost: logit_bias" in out


def test_it_reads_well_in_a_terminal(tmp_path: Path) -> None:
    code, out = run(tmp_path, ASKED, POLICY)

    assert code == 0
    assert "chat in openai-chat, model gpt-6, for api.openai.com" in out
    assert "small: passed over, about" in out
    assert "nowhere: No path for chat" in out


CHECKED = {
    "targets": {"t": {"provider": "openai", "check": {"path": "/v1/models?limit=1", "every": "30 s"}}},
    "route": {"targets": ["t", "same"]},
}


def test_checks_are_told_and_what_a_running_proxy_says_of_them_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [run(tmp_path, ASKED, CHECKED)[1]]
    for problem in ("", "nobody is there"):
        found = {"t": Checkup(problem=problem)}
        monkeypatch.setattr(route, "checkups_at", lambda admin, found=found: found)
        told.append(run(tmp_path, ASKED, CHECKED, "--admin", "127.0.0.1:1")[1])

    asked = "t: checked by GET /v1/models every 30 s"
    assert f"{asked}\n" in told[0]
    assert f"{asked}, which it passes" in told[1]
    assert f"{asked}: left alone, for nobody is there" in told[2]
    assert [text.index(" t ") < text.index(" same ") for text in told] == [True, True, False]


def test_where_no_proxy_runs_it_says_so(tmp_path: Path) -> None:
    code, out = run(tmp_path, ASKED, CHECKED, "--admin", "127.0.0.1:1")

    assert code == 1
    assert "no Tollgate tells how it is at http://127.0.0.1:1/healthz (" in " ".join(out.split())


@pytest.mark.parametrize(
    "asked",
    [
        ASKED,
        {"host": "api.openai.com", "path": "/v1/models", "method": "GET"},
        {**ASKED, "body": '{"model":"a"}'},
    ],
)
def test_without_a_route_it_stays(tmp_path: Path, asked: Any) -> None:
    code, out = run(tmp_path, asked)

    assert code == 0
    assert "where the client wanted, untouched, once" in out


def test_a_change_of_another_kind_is_shown_short(tmp_path: Path) -> None:
    policy = {"route": {"parameters": {"set": {"metadata": {"a": "x" * 100}, "messages": 1}}}}
    _, out = run(tmp_path, {**ASKED, "body": {"model": "m", "metadata": {"a": "b"}, "messages": []}}, policy)

    assert "messages: [] → 1" in out
    assert "metadata.a" in out
    assert "x…" in out


@pytest.mark.parametrize(
    ("asked", "policy", "said"),
    [
        ("nothing", None, "this is no JSON"),
        ([], None, 'a request is JSON: {"host": …'),
        ({"host": "api.openai.com"}, None, "path: Field required"),
        ({**ASKED, "hots": 1}, None, "hots: Extra inputs"),
        ({**ASKED, "host": "example.com"}, None, "is no LLM host"),
        ({**ASKED, "body": '{"a":1,"a":2}'}, None, "same key twice"),
        (ASKED, {"route": {"targets": ["x"]}}, 'no target is called "x"'),
        (
            ASKED,
            {"targets": {"t": {"context": 1}}, "route": {"targets": ["t"]}},
            "No target of the policy's route",
        ),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, asked: Any, policy: Any, said: str) -> None:
    code, out = run(tmp_path, asked, policy)

    assert code == 1
    assert said in " ".join(out.split())
