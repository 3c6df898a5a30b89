from __future__ import annotations

from pathlib import Path

import pytest

from tollgate.policy import PolicyError, load
from tollgate.policy.routing import Target
from tollgate.policy.targets import may_go_to, place_of
from tollgate.providers import Providers

KEY = "credentials: {k: {env: KEY, hosts: api.openai.com}}\n"


def problems(folder: Path, text: str) -> list[str]:
    file = folder / "p.yaml"
    file.write_text(text)
    with pytest.raises(PolicyError) as caught:
        load([file])
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_targets_and_routes_that_make_sense_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(
        KEY
        + "targets:\n  a: {provider: openai, credential: [k, client]}\n"
        + "  b: {host: vllm.test, dialect: openai-chat}\n"
        + "route: {targets: [same, a, {target: b, weight: 2}]}\n"
    )

    assert [choice.target for choice in load([file]).file.route.targets] == ["same", "a", "b"]


@pytest.mark.parametrize(
    "more",
    ["cost: {enabled: true}", "targets: {a: {provider: openai, prices: {input: 1, output: 2}}}"],
)
def test_the_cheapest_can_be_taken_where_prices_are_known(tmp_path: Path, more: str) -> None:
    (tmp_path / "p.yaml").write_text(
        "targets: {a: {provider: openai}}\nroute: {targets: [a], strategy: cheapest}\n"
    )
    (tmp_path / "q.yaml").write_text(more)

    assert load([tmp_path / "p.yaml", tmp_path / "q.yaml"]).file.route.strategy == "cheapest"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("targets: {same: {}}", 'p.yaml:1: targets.same: "same" always is'),
        (
            "targets: {a: {provider: opnai}}",
            'p.yaml:1: targets.a: no provider is called "opnai"; did you mean "openai"?',
        ),
        ("targets: {a: {provider: bedrock}}", "p.yaml:1: targets.a: bedrock has no host for all"),
        (
            "targets: {a: {provider: openai, prices: {input: 1, output: 2}}}\n"
            "route: {targets: [a, same], strategy: cheapest}",
            'p.yaml:2: route.strategy: nobody knows what "same" costs: set cost.enabled',
        ),
        ("targets: {a: {check: {path: /}}}", "p.yaml:1: targets.a.check: this target is wherever the client"),
        ("targets: {a: {region: eu}}", "p.yaml:1: targets.a: a region is one of a provider"),
        ("targets: {a: {host: vllm.test}}", "p.yaml:1: targets.a: nobody knows how vllm.test speaks"),
        ("targets: {a: {host: x.test, dialect: openai}}", "p.yaml:1: targets.a.dialect: 'openai' is none of"),
        (
            "targets: {a: {provider: openai, credential: x}}",
            "p.yaml:1: targets.a.credential: no credential is",
        ),
        (
            KEY + "targets: {a: {provider: anthropic, credential: k}}",
            'p.yaml:2: targets.a.credential: "k" may not be sent to api.anthropic.com',
        ),
        ("credentials: {client: {env: A, hosts: b}}", 'p.yaml:1: credentials.client: "client" always is'),
        (
            "targets: {fast: {}}\nroute: {targets: [fats]}",
            'p.yaml:2: route.targets[0]: no target is called "fats"',
        ),
        (
            "targets: {fast: {}}\nrules: [{name: r, set: {route: {targets: [fats]}}}]",
            'p.yaml:2: rules[0].set.route.targets[0]: no target is called "fats"; did you mean "fast"?',
        ),
    ],
)
def test_what_makes_no_sense_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    [problem] = problems(tmp_path, text)

    assert problem.startswith(said)


@pytest.mark.parametrize(
    ("strategy", "targets", "said"),
    [
        ("canary", "[{target: a, share: 0.7}, {target: b, share: 0.7}]", "add up to 1.4"),
        ("canary", "[{target: a, share: 0.1}, {target: b, share: 0.2}]", "0.7 of the calls have no target"),
        ("weighted", "[{target: a, share: 0.1}, b]", "a share is for the strategy canary"),
    ],
)
def test_shares_have_to_add_up(tmp_path: Path, strategy: str, targets: str, said: str) -> None:
    two = "targets: {a: {provider: openai}, b: {provider: openai}}\n"
    [problem] = problems(tmp_path, f"{two}route:\n  targets: {targets}\n  strategy: {strategy}\n")

    assert problem.startswith("p.yaml:3: route.targets: ")
    assert said in problem


def test_shares_that_add_up_are_taken_where_another_part_says_the_strategy(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "targets: {a: {provider: openai}, b: {provider: openai}}\nroute: {strategy: canary}\n"
        "rules: [{name: r, when: {}, set: {route: {targets: [{target: a, share: 0.1}, b]}}}]\n"
    )

    assert load([tmp_path / "p.yaml"]).file.rules


def test_a_known_host_needs_no_provider() -> None:
    provider, host = place_of("a", Target(host="api.groq.com"), Providers.builtin())

    assert provider is not None
    assert (provider.id, host) == ("groq", "api.groq.com")


def test_hosts_of_ones_own_do_not_hide_the_providers_usual_one(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(
        'hosts: [{host: "*.gateway.test", provider: anthropic}]\ntargets: {a: {provider: anthropic}}\n'
    )

    assert load([file]).file.targets["a"].provider == "anthropic"


def test_a_target_without_a_place_stays_where_the_client_wanted() -> None:
    assert place_of("a", Target(model="x"), Providers.builtin()) == (None, "")


def test_a_credential_goes_to_its_hosts_only() -> None:
    assert may_go_to(["*.openai.azure.com"], "acme.openai.azure.com")
    assert not may_go_to(["api.openai.com"], "api.openai.com.evil.test")
