import pytest

from tollgate.routing.translation.claude import claude, effort, max_tokens, sampling, thinking, thinks
from tollgate.routing.translation.loss import Loss, Losses
from tollgate.routing.translation.neutral import (
    Choice,
    Message,
    Reasoning,
    Request,
    Setting,
    Text,
    Thinking,
    Tool,
    ToolResult,
    ToolUse,
)


def asked(model: str = "claude-sonnet-5-5", *, most: int = 10_000, **reasoning: object) -> Request:
    request = Request(model, stream=False, tools=[Tool("t")])
    request.settings["max_tokens"] = Setting(most, "max_tokens")
    request.reasoning = Reasoning(**reasoning, where="thinking")  # type: ignore[arg-type]
    return request


@pytest.mark.parametrize(
    ("model", "most", "adaptive"),
    [
        ("claude-3-haiku-20240307", 4_096, False),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", 64_000, False),
        ("claude-opus-4-1-20250805", 32_000, False),
        ("claude-sonnet-4@20250514", 64_000, False),
        ("claude-opus-4-6", 128_000, True),
        ("claude-sonnet-5-5", 128_000, True),
    ],
)
def test_models_are_known_by_name(model: str, most: int, adaptive: bool) -> None:
    assert claude(model)[1:] == (most, adaptive)
    assert max_tokens(model) == min(most, 32_000)


def test_newer_models_think_as_much_as_they_see_fit() -> None:
    assert thinking(asked(effort="high"), None, Losses()) == {"type": "adaptive"}
    assert thinking(asked(on=True, show=False), None, Losses()) == {"type": "adaptive", "display": "omitted"}
    assert thinking(asked(on=True, show=True), None, Losses())["display"] == "summarized"
    assert effort(asked(effort="minimal")) == "low"
    assert effort(asked()) == ""


def test_older_models_get_a_budget() -> None:
    older = asked("claude-sonnet-4-5", effort="high")

    assert thinking(older, None, Losses()) == {"type": "enabled", "budget_tokens": 8000}
    assert effort(older) == ""
    assert thinking(asked("claude-sonnet-4-5", budget=2000), None, Losses())["budget_tokens"] == 2000


@pytest.mark.parametrize("reasoning", [{"on": False}, {"effort": "none"}, {"budget": 0}])
def test_no_thinking_is_said_as_well(reasoning: dict[str, object]) -> None:
    said = thinking(asked(**reasoning), Choice("required"), Losses())  # type: ignore[arg-type]

    assert said == {"type": "disabled"}
    assert not thinks(said)


def test_nothing_said_leaves_it_to_the_model() -> None:
    assert thinking(asked(), None, Losses()) == {}


def test_a_tool_that_has_to_be_called_wins_over_thinking() -> None:
    losses = Losses()

    assert thinking(asked(effort="high"), Choice("required"), losses) == {}
    assert losses == [Loss("thinking before a tool that has to be called", "thinking")]


def test_a_budget_needs_room() -> None:
    losses = Losses()

    assert thinking(asked("claude-sonnet-4-5", most=512, effort="high"), None, losses) == {}
    assert losses == [Loss("thinking within the limit", "thinking")]


def test_sampling_that_claude_refuses_is_lost() -> None:
    request, losses = asked(), Losses()
    request.settings |= {
        "temperature": Setting(0.5, "t"),
        "top_k": Setting(1, "k"),
        "top_p": Setting(0.9, "p"),
    }

    assert set(sampling(request, True, losses)) == {"max_tokens", "top_p"}
    assert set(sampling(request, False, losses)) == {"max_tokens", "temperature", "top_k"}
    assert losses == [Loss("temperature beside thinking", "t"), Loss("top_p beside temperature", "p")]
    assert thinks({"type": "adaptive"})


def test_a_stop_sequence_that_nobody_sees_is_refused_by_claude() -> None:
    request, losses = asked(), Losses()
    request.settings["stop"] = Setting(["\n", "END", ""], "stop")
    assert sampling(request, False, losses)["stop"].value == ["END"]

    request.settings["stop"] = Setting(["\n"], "stop")
    assert "stop" not in sampling(request, False, losses)
    assert losses == [Loss("a stop sequence of white space only", "stop")]


OTHERS_STEP = [Message("assistant", [ToolUse("1", "t")]), Message("user", [ToolResult("1", [])])]
OWN_STEP = [
    Message("assistant", [Thinking("why"), ToolUse("1", "t")]),
    Message("user", [ToolResult("1", [])]),
]


@pytest.mark.parametrize(
    ("model", "messages", "thinks_on"),
    [
        ("claude-sonnet-4-5", OTHERS_STEP, False),
        ("claude-sonnet-4-5", OWN_STEP, True),
        ("claude-sonnet-4-5", [*OTHERS_STEP, Message("assistant", []), Message("user", [Text("a")])], True),
        ("claude-sonnet-4-5", OTHERS_STEP[1:], True),
        ("claude-sonnet-4-5", [*OTHERS_STEP, *OTHERS_STEP], False),
        ("claude-sonnet-5-5", OTHERS_STEP, True),
    ],
)
def test_older_models_do_not_begin_to_think_between_calls(
    model: str, messages: list[Message], thinks_on: bool
) -> None:
    request, losses = asked(model, effort="high"), Losses()
    request.messages = messages

    assert thinks(thinking(request, None, losses)) is thinks_on
    assert bool(losses) is not thinks_on
