from tollgate.routing.translation.neutral import (
    Choice,
    Close,
    Delta,
    Message,
    More,
    Open,
    Request,
    Text,
    Tool,
    ToolUse,
)
from tollgate.routing.translation.toolnames import ToolNames, ToolRestorer, free_text

GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: /a/"}


def codex() -> Request:
    """Tools as Codex has them: grouped, and one that takes free text."""
    request = Request("m", stream=False)
    request.tools = [
        Tool("exec", "Runs.", kind="custom", format=GRAMMAR, namespace="functions"),
        Tool("sleep", schema={}, namespace="clock"),
        Tool("a.b:c", schema={}),
        Tool("a_b_c", schema={}),
        Tool("plain", kind="custom"),
    ]
    request.messages = [
        Message("assistant", [ToolUse("1", "exec", "ls", "custom", "functions"), Text("x")]),
    ]
    request.choice = Choice("required", ["sleep", "unheard"])
    return request


def test_names_become_plain_ones_and_calls_come_back_as_what_they_were() -> None:
    request, names = codex(), ToolNames(custom=False)
    names.rename(request)

    assert [tool.name for tool in request.tools[:2]] == ["functions__exec", "clock__sleep"]
    assert request.tools[2].name.startswith("a_b_c_")
    assert request.tools[3].name == "a_b_c"
    assert request.choice == Choice("required", ["clock__sleep", "unheard"])
    assert names.restore(ToolUse("2", "clock__sleep", "{}")) == ToolUse("2", "sleep", "{}", namespace="clock")
    assert names.restore(ToolUse("3", "never_declared", "{}")) == ToolUse("3", "never_declared", "{}")


def test_a_tool_that_takes_free_text_is_one_with_a_single_field() -> None:
    request, names = codex(), ToolNames(custom=False)
    names.rename(request)
    tool, plain = request.tools[0], request.tools[4]

    assert tool.kind == "function"
    assert tool.schema["required"] == ["input"]
    assert tool.description == "Runs.\n\nThe input must follow this lark grammar:\nstart: /a/"
    assert plain.description == ""
    assert request.messages[0].parts == [ToolUse("1", "functions__exec", '{"input":"ls"}'), Text("x")]
    restored = names.restore(ToolUse("4", "functions__exec", '{"input":"pwd"}'))
    assert restored == ToolUse("4", "exec", "pwd", "custom", "functions")


def test_a_target_that_knows_all_that_gets_it_as_it_is() -> None:
    request, names = codex(), ToolNames(custom=True, namespaces=True)
    names.rename(request)

    assert request == codex()


def test_two_names_that_would_be_one_stay_two() -> None:
    request, names = (
        Request("m", stream=False, tools=[Tool("b", namespace="a"), Tool("a__b")]),
        ToolNames(custom=True),
    )
    names.rename(request)
    first, second = (tool.name for tool in request.tools)

    assert first != second
    assert names.restore(ToolUse("1", second)).name == "a__b"


def test_long_names_are_cut_and_stay_apart() -> None:
    request, names = (
        Request("m", stream=False, tools=[Tool("x" * 70), Tool("x" * 71)]),
        ToolNames(custom=True),
    )
    names.rename(request)

    assert len({tool.name for tool in request.tools}) == 2
    assert all(len(tool.name) <= 64 for tool in request.tools)


def test_arguments_that_are_no_such_object_are_given_as_they_are() -> None:
    assert [free_text(text) for text in ('{"input": "a"}', '{"input": 1}', "[]", "broken")] == [
        "a",
        '{"input": 1}',
        "[]",
        "broken",
    ]


def test_a_streamed_call_of_a_free_text_tool_comes_in_one_piece() -> None:
    names = ToolNames(custom=False)
    names.rename(codex())
    restorer = ToolRestorer(names)
    pieces: list[Delta] = [Open(ToolUse("1", "functions__exec")), More('{"inp'), More('ut":"ls"}'), Close()]
    told = [delta for piece in pieces for delta in restorer.feed(piece)]

    assert told == [Open(ToolUse("1", "exec", "", "custom", "functions")), More("ls"), Close()]


def test_all_other_pieces_go_through_at_once() -> None:
    names = ToolNames(custom=False)
    names.rename(codex())
    restorer = ToolRestorer(names)

    assert list(restorer.feed(Open(ToolUse("1", "clock__sleep")))) == [
        Open(ToolUse("1", "sleep", namespace="clock"))
    ]
    assert list(restorer.feed(More("{"))) == [More("{")]
    assert list(restorer.feed(Close())) == [Close()]
    assert list(restorer.feed(Open(Text("")))) == [Open(Text(""))]


def restored(*pieces: Delta, custom: bool = True) -> list[Delta]:
    restorer = ToolRestorer(ToolNames(custom=custom))
    return [delta for piece in pieces for delta in restorer.feed(piece)]


def test_a_call_without_arguments_has_an_empty_object_of_them() -> None:
    """Claude streams nothing then, or an empty piece; OpenAI's clients parse what came as JSON."""
    call = ToolUse("1", "t")

    assert restored(Open(call), Close()) == [Open(call), More("{}"), Close()]
    assert restored(Open(call), More(""), Close()) == [Open(call), More(""), More("{}"), Close()]


def test_only_such_a_call_is_filled() -> None:
    given: list[Delta] = [Open(ToolUse("1", "t", '{"a":1}')), Close()]
    said: list[Delta] = [Open(ToolUse("1", "t")), More("{}"), Close(), Open(Text("")), Close()]
    free: list[Delta] = [Open(ToolUse("1", "t", kind="custom")), Close()]

    assert restored(*given) == given
    assert restored(*said) == said
    assert restored(*free) == free
