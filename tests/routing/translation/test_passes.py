import orjson
import pytest

from tollgate.routing.translation import passes
from tollgate.routing.translation.loss import Loss, Losses
from tollgate.routing.translation.neutral import (
    Choice,
    Media,
    Message,
    Part,
    Reasoning,
    Request,
    Signature,
    Text,
    Thinking,
    Tool,
    ToolResult,
    ToolUse,
)

SEAL = Signature("gemini", "s")


def of(*parts: Part) -> Request:
    return Request("m", stream=False, messages=[Message("assistant", list(parts), "messages[0]")])


def test_ids_are_made_legal_on_calls_and_results_alike() -> None:
    request = of(ToolUse("fn:1", "t"), ToolResult("fn:1", []), Text("x"))
    passes.settle_ids(request)
    call, result, _ = request.messages[0].parts

    assert isinstance(call, ToolUse)
    assert isinstance(result, ToolResult)
    assert call.id == result.id != "fn:1"


def test_a_tools_seal_travels_before_it_and_comes_back_on_it() -> None:
    call = ToolUse("1", "t", signature=SEAL)
    loose = list(passes.loose_seals([Text("a"), call]))

    assert loose == [
        Text("a"),
        Thinking(signature=Signature("gemini", "s", of_tool=True), redacted=True),
        ToolUse("1", "t"),
    ]
    request = of(*loose)
    passes.join_seals(request)
    assert request.messages[0].parts == [Text("a"), call]


def test_what_the_target_did_not_make_is_dropped_and_noted() -> None:
    own = Thinking("b", Signature("anthropic", "x"))
    request = of(
        Thinking("a", SEAL, where="p0"),
        own,
        Thinking("c", where="p2"),
        ToolUse("1", "t", signature=SEAL, where="p3"),
    )
    losses = Losses()
    passes.drop_foreign(request, "anthropic", losses)

    assert request.messages[0].parts == [own, ToolUse("1", "t")]
    assert losses == [
        Loss("a thought of another provider", "p0", hint=True),
        Loss("a thought of another provider", "p2", hint=True),
        Loss("the signature of a tool call", "p3", hint=True),
    ]


def test_names_of_files_are_forgotten_in_results_too() -> None:
    request = of(Media("image", file="f"), ToolResult("1", [Media("image", file="g"), Text("x")]))
    passes.drop_files(request)

    assert request == of(Media("image"), ToolResult("1", [Media("image"), Text("x")]))


def test_the_system_prompt_is_what_stands_before_the_conversation() -> None:
    system = Message("system", [Text("a"), Text("")])
    developer = Message("developer", [Text("b")])
    rest = [Message("user", [Text("c")]), Message("system", [Text("d")])]

    assert passes.split_system(Request("m", False, [system, developer, *rest])) == (
        [Text("a"), Text("b")],
        rest,
    )
    assert passes.split_system(Request("m", False, [])) == ([], [])


def test_where_only_the_system_speaks_it_is_all_there_is_of_a_conversation() -> None:
    first, second = Message("system", [Text("a"), Text(" ")]), Message("developer", [Text("b")])

    assert passes.split_system(Request("m", False, [first, second])) == ([Text("a")], [second])


def test_turns_alternate_with_results_first_and_instructions_as_reminders() -> None:
    losses = Losses()
    turns = passes.by_turns(
        [
            Message("user", [Text("a")]),
            Message("user", [Text("b"), ToolResult("1", [])]),
            Message("assistant", [Text("c")]),
            Message("developer", [Text("d"), Text("")], "messages[3]"),
        ],
        losses,
    )

    assert [(turn.role, turn.parts) for turn in turns] == [
        ("user", [ToolResult("1", []), Text("a"), Text("b")]),
        ("assistant", [Text("c")]),
        ("user", [Text("<system-reminder>\nd\n</system-reminder>")]),
    ]
    assert losses == [Loss("the system role in the midst of a conversation", "messages[3]", hint=True)]


def test_a_result_as_text_and_what_else_there_was() -> None:
    losses, image = Losses(), Media("image", data="AA")

    assert passes.text_result(ToolResult("1", [Text("a"), image, Text("b")], True, where="r"), losses) == (
        "a\nb",
        [image],
    )
    assert losses == [Loss("the mark that a tool failed", "r", hint=True)]


@pytest.mark.parametrize(
    ("choice", "offered", "left"),
    [
        (None, ["a", "b"], None),
        (Choice("required"), ["a", "b"], Choice("required")),
        (Choice("required", ["a"]), ["a", "b"], Choice("required", ["a"])),
        (Choice("auto", ["b"]), ["b"], Choice("auto")),
        (Choice("required", ["a", "b"]), ["a", "b"], Choice("required")),
    ],
)
def test_tools_that_may_not_be_called_are_not_offered(
    choice: Choice | None, offered: list[str], left: Choice | None
) -> None:
    request = Request("m", stream=False, tools=[Tool("a"), Tool("b")], choice=choice)
    tools, restricted = passes.restrict(request)

    assert ([tool.name for tool in tools], restricted) == (offered, left)


def test_marks_for_the_cache_are_noted() -> None:
    request, losses = of(Text("a", "5m", where="p"), Text("b")), Losses()
    request.tools = [Tool("t", cache="1h", where="t")]
    passes.note_caching(request, losses)

    assert [loss.where for loss in losses] == ["p", "t"]


def test_how_closely_to_look_is_noted_in_results_too() -> None:
    close = Media("image", detail="high", where="i")
    request, losses = of(Media("image", detail="auto"), Text("x"), ToolResult("1", [close])), Losses()
    passes.note_detail(request, losses)

    assert losses == [Loss("how closely to look", "i", hint=True)]


def test_arguments_keep_their_numbers_as_they_were_written() -> None:
    losses = Losses()
    text = '{"big":12345678901234567890123,"one":1.0}'

    assert orjson.dumps(passes.arguments(ToolUse("1", "t", text), losses)).decode() == text
    assert orjson.dumps(passes.arguments(ToolUse("1", "t", " "), losses)) == b"{}"
    assert losses == []


@pytest.mark.parametrize("text", ["[1]", "{broken", '"x"'])
def test_broken_arguments_are_given_as_text_and_noted(text: str) -> None:
    losses = Losses()

    assert passes.arguments(ToolUse("1", "t", text, where="c"), losses) == {"arguments": text}
    assert [loss.where for loss in losses] == ["c"]


@pytest.mark.parametrize(
    ("reasoning", "effort"),
    [
        (Reasoning(effort="max"), "max"),
        (Reasoning(on=False), "none"),
        (Reasoning(budget=0), "none"),
        (Reasoning(on=True), ""),
        (Reasoning(budget=-1), ""),
        (Reasoning(budget=4096), "low"),
        (Reasoning(budget=10**6), "max"),
    ],
)
def test_an_effort_by_its_name_or_by_its_budget(reasoning: Reasoning, effort: str) -> None:
    assert passes.effort_of(reasoning) == effort


def test_a_budget_is_asked_for_or_is_a_share() -> None:
    assert passes.budget_of(Reasoning(budget=2000), 10_000) == 2000
    assert passes.budget_of(Reasoning(effort="low"), 10_000) == 2000
    assert passes.budget_of(Reasoning(budget=20_000), 10_000) == 9_999
    assert passes.budget_of(Reasoning(effort="minimal"), 2000) == passes.LEAST_BUDGET


def test_each_makes_something_of_the_parts_that_it_knows() -> None:
    assert passes.each([Text("a"), Thinking("b")], {Text: lambda text: text.text}) == ["a"]
    assert passes.json_text({"a": 1}) == '{"a":1}'


def test_every_call_has_an_id_of_its_own_and_results_follow_in_order() -> None:
    request = of(
        *(ToolUse("call_0", "a"), ToolUse("call_0", "b"), ToolResult("call_0", []), ToolResult("call_0", [])),
        *(ToolUse("call_0", "c"), ToolResult("call_0", []), ToolResult("call_0", []), ToolResult("x", [])),
    )
    passes.settle_ids(request)
    first, second, *results, third, last, again, lone = (
        part.id for part in request.messages[0].parts if isinstance(part, ToolUse | ToolResult)
    )

    assert first == "call_0"
    assert len({first, second, third}) == 3
    assert (results, last, again, lone) == ([first, second], third, third, "x")


def test_who_says_nothing_has_no_turn() -> None:
    blank = Message("assistant", [Text(" \n")])
    turns = passes.by_turns([Message("user", [Text("a")]), blank, Message("user", [Text("b")])], Losses())

    assert [(turn.role, turn.parts) for turn in turns] == [("user", [Text("a"), Text("b")])]


@pytest.mark.parametrize(
    ("choice", "tools", "settled", "lost"),
    [
        (None, "a", None, False),
        (Choice("auto"), "", None, False),
        (Choice("none"), "", None, False),
        (Choice("required"), "", None, True),
        (Choice("required"), "a", Choice("required"), False),
        (Choice("required", ["web_search"]), "", None, True),
        (Choice("required", ["web_search"]), "a", None, True),
        (Choice("required", ["web_search", "a"]), "a", Choice("required", ["a"]), True),
        (Choice("auto", ["web_search"]), "a", Choice("none"), True),
        (Choice("auto", ["a"]), "ab", Choice("auto", ["a"]), False),
    ],
)
def test_a_choice_is_one_of_the_tools_that_are_there(
    choice: Choice | None, tools: str, settled: Choice | None, lost: bool
) -> None:
    request, losses = (
        Request("m", stream=False, tools=[Tool(name) for name in tools], choice=choice),
        Losses(),
    )
    passes.settle_choice(request, losses)

    assert (request.choice, bool(losses)) == (settled, lost)


def test_tools_that_were_called_are_known_once_each() -> None:
    assert [tool.name for tool in passes.called(of(ToolUse("1", "a"), Text("x"), ToolUse("2", "a")))] == ["a"]


def test_the_user_speaks_first() -> None:
    losses = Losses()
    turns = passes.by_turns([Message("assistant", [Text("Hello!")], "messages[0]")], losses)

    assert [turn.role for turn in turns] == ["user", "assistant"]
    assert losses == [Loss("that the assistant speaks first", "messages[0]", hint=True)]
