from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tollgate.cli.policy import app, excerpt
from tollgate.policy import Mark, Policy, Problem, json_schema

SHIPPED = Path(__file__).parents[2] / "policies"

RULES = """\
mode: enforce
identification:
  groups: {interns: "*@interns.example"}
hosts:
  - {host: llm.corp.example, provider: corp, dialect: openai-chat}
rules:
  - name: interns look only
    when: {group: interns, provider: anthropic}
    set:
      mode: observe
  - name: research
    when:
      headers: {x-team: research}
    set: {timeouts: {first_byte: 30 m}}
"""


def run(*words: str | Path) -> tuple[int, str]:
    """The exit code and what was printed, on a wide terminal."""
    result = CliRunner(env={"COLUMNS": "240"}).invoke(app, [str(word) for word in words])
    return result.exit_code, result.output


def row(output: str, setting: str) -> list[str]:
    """The cells of a setting's row in the table of `explain`."""
    line = next(line for line in output.splitlines() if f" {setting} " in line)
    return [cell.strip() for cell in line.strip("│ ").split("│")]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


@pytest.mark.parametrize("name", ["default.yaml", "observe.yaml", "strict.yaml"])
def test_the_shipped_policies_are_valid(name: str) -> None:
    code, output = run("check", SHIPPED / name)
    assert code == 0
    assert output.startswith("valid: 0 rules, 0 hosts, digest ")


def test_a_valid_policy_is_summed_up_in_one_line(rules: Path) -> None:
    code, output = run("check", SHIPPED / "default.yaml", rules)
    assert code == 0
    assert output.startswith("valid: 2 rules, 1 host, digest ")
    assert output.count("\n") == 1


def test_the_digest_of_the_defaults_is_that_of_no_policy() -> None:
    assert run("check", SHIPPED / "default.yaml")[1].endswith(f"digest {Policy().digest}\n")


def test_each_problem_has_its_line_and_a_mark_under_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("mdoe: observe\nbodies:\n  oversize: maybe\n")
    code, output = run("check", path)
    assert code == 1
    assert output == (
        f'{path}:1: mdoe: unknown key; did you mean "mode"?\n'
        "    mdoe\n"
        "    ^^^^\n\n"
        f'{path}:3: bodies.oversize: "maybe" is not allowed here; it has to be refuse or pass\n'
        "      oversize: maybe\n"
        "                ^^^^^\n\n"
        "not valid: 2 problems\n"
    )


@pytest.mark.parametrize(
    ("prices", "problem"),
    [
        (None, "prices.yaml: cannot be read"),
        ("prices:\n  - {modle: x}\n", "prices.yaml:2: prices[0].modle: unknown key"),
        ("prices:\n  - {like: gpt-5.44}\n", 'prices.yaml:2: `like` names "gpt-5.44"'),
    ],
)
def test_price_files_are_read_too(prices: str | None, problem: str, tmp_path: Path) -> None:
    if prices is not None:
        (tmp_path / "prices.yaml").write_text(prices)
    path = tmp_path / "policy.yaml"
    path.write_text(json.dumps({"cost": {"prices": {"overlays": [str(tmp_path / "prices.yaml")]}}}))
    code, output = run("check", path)

    assert code == 1
    assert problem in output
    assert "not valid: 1 problem" in output


def test_a_file_that_is_not_there_has_no_line(tmp_path: Path) -> None:
    code, output = run("check", tmp_path / "no.yaml")
    assert code == 1
    assert (
        output == f"{tmp_path}/no.yaml: cannot be read: No such file or directory\n\nnot valid: 1 problem\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "upstream:\n  proxy_password: hunter2\n",
        "upstream: {proxy_password: hunter2}\n",
        'upstream: {"proxy_password":"hunter2"}\n',
        "upstream: {proxy_password: hunter2, zzz: 1}\n",
        "upstream:\n  proxy: http://ann:hunter2@proxy:3128\n",
        "upstream:\n  proxy: http://ann:hunter2\n",
        "upstream:\n  resolve: {h: {password: hunter2}}\n",
    ],
)
def test_what_may_be_a_password_is_not_shown(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    code, output = run("check", path)
    assert code == 1
    assert "hunter2" not in output


def test_a_tab_before_the_mark_does_not_move_it(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("a:\tb\n")
    assert excerpt(Problem(Mark(str(path), 1, 4), "a", "wrong")) == "    a: b\n       ^\n"


def test_a_line_that_is_gone_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("a: 1\n")
    assert excerpt(Problem(Mark(str(path), 2), "a", "wrong")) == ""


def test_the_schema_is_printed_or_written(tmp_path: Path) -> None:
    code, output = run("schema")
    assert code == 0
    assert json.loads(output) == json_schema()
    assert run("schema", "--output", tmp_path / "s.json") == (0, "")
    assert (tmp_path / "s.json").read_text("utf-8") == output


def test_an_explanation_shows_who_set_what(rules: Path) -> None:
    words = ("--host", "api.anthropic.com", "--user", "ann@interns.example", "--header", "X-Team=research")
    code, output = run("explain", rules, *words)
    assert code == 0
    assert row(output, "mode") == ["mode", "observe", f'rule "interns look only" ({rules}:10)']
    assert row(output, "timeouts.first_byte") == [
        "timeouts.first_byte",
        "30 m",
        f'rule "research" ({rules}:14)',
    ]
    assert row(output, "websocket") == ["websocket", "refuse", "default"]


def test_an_explanation_shows_the_call_it_is_about(rules: Path) -> None:
    _, output = run("explain", rules, "--host", "llm.corp.example", "--user", "ann@interns.example")
    line = "A call with user ann@interns.example; host llm.corp.example; provider corp; groups interns"
    assert output.splitlines()[0] == line
    assert row(output, "interns look only") == ["interns look only", "no: provider does not match"]
    assert row(output, "mode") == ["mode", "enforce", f"{rules}:1"]


def test_the_port_tells_the_provider_where_it_matters(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("hosts: [{host: llm.corp.example, provider: corp, dialect: openai-chat, port: 8443}]\n")
    words = ("explain", path, "--host", "llm.corp.example")
    assert "provider corp" in run(*words, "--port", "8443")[1]
    assert "provider" not in run(*words)[1]


def test_what_is_given_goes_before_what_is_known(rules: Path) -> None:
    words = ("--host", "api.openai.com", "--provider", "anthropic", "--user", "bob", "--group", "interns")
    assert row(run("explain", rules, *words)[1], "interns look only") == ["interns look only", "yes"]


@pytest.mark.parametrize(
    ("option", "key", "value"),
    [
        ("--client", "client", "10.0.0.1"),
        ("--user-agent", "user_agent", "curl/8"),
        ("--tool", "tool", "codex"),
        ("--dialect", "dialect", "openai-chat"),
        ("--operation", "operation", "chat"),
        ("--model", "model", "gpt-5"),
    ],
)
def test_every_fact_of_a_rule_has_its_option(option: str, key: str, value: str, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(f"rules:\n  - name: this\n    when: {{{key}: {value}}}\n")
    assert row(run("explain", path, option, value)[1], "this") == ["this", "yes"]
    assert row(run("explain", path)[1], "this") == ["this", f"no: {key} does not match"]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--operation", "chats", 'no operation is called "chats"; did you mean "chat"?'),
        ("--dialect", "openai", 'no dialect is called "openai"; did you mean "openai-chat"?'),
        ("--provider", "opnai", 'no provider is called "opnai"; did you mean "openai"?'),
        ("--group", "intern", 'no group is called "intern"; did you mean "interns"?'),
    ],
)
def test_a_call_that_cannot_be_is_not_explained(rules: Path, option: str, value: str, said: str) -> None:
    code, output = run("explain", rules, option, value)

    assert code == 2
    assert f"Invalid value for {option}: {said}" in output


def test_a_host_that_is_no_llm_host_is_said_to_be_none() -> None:
    code, output = run("explain", "--host", "https://api.openai.com")

    assert code == 0
    assert (
        "https://api.openai.com is no LLM host, so this is no call: connections.other_hosts is tunnel"
        in output
    )


def test_no_files_explain_the_defaults() -> None:
    code, output = run("explain")
    assert code == 0
    assert output.startswith("A call of which nothing is known\n")
    assert row(output, "mode") == ["mode", "enforce", "default"]
    assert "Rules" not in output


def test_an_explanation_of_an_invalid_policy_is_its_problems(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("mode: maybe\n")
    code, output = run("explain", path)
    assert code == 1
    assert f"{path}:1: mode:" in output


def test_a_header_without_a_value_is_an_error() -> None:
    code, output = run("explain", "--header", "x-team")
    assert code == 2
    assert "NAME=VALUE" in output


def test_a_name_that_stands_for_nothing_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("dlp:\n  actions:\n    EMAIL_ADRESS: block\n")

    result = CliRunner().invoke(app, ["check", str(file)])

    assert result.exit_code == 1
    assert f"{file}:3: dlp.actions.EMAIL_ADRESS: there is no entity" in result.output
    assert "    EMAIL_ADRESS\n        ^^^^^^^^^^^^" in result.output
