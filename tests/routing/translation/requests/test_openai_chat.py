from typing import Any

import pytest

from support.codecs import accepted, read_request, write_request
from support.conversations import ALL, PIXEL, SOURCES
from tollgate.routing.translation.neutral import (
    Choice,
    Format,
    Media,
    Message,
    Part,
    Reasoning,
    Request,
    Setting,
    Signature,
    Text,
    Thinking,
    Tool,
    ToolResult,
    ToolUse,
)
from tollgate.routing.translation.requests.openai_chat import results_first

CHAT = "openai-chat"


def read(**body: Any) -> tuple[Request, list[tuple[str, str, bool]]]:
    request, losses = read_request(CHAT, {"messages": [], **body})
    return request, [(loss.what, loss.where, loss.hint) for loss in losses]


def write(*messages: Message, model: str = "gpt-6", **fields: Any) -> Any:
    request = Request(model, stream=False, messages=list(messages))
    for name, value in fields.items():
        setattr(request, name, value)
    return write_request(CHAT, request)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", ALL)
def test_what_any_client_asks_is_written_as_the_api_takes_it(kind: str, source: str) -> None:
    request, _ = read_request(source, ALL[kind][source], "gpt-6")

    assert accepted(CHAT, request).status == 200


def test_parts_of_every_kind_are_read() -> None:
    content = [
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
        {"type": "image_url", "image_url": "https://example.com/a.png"},
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
        {"type": "file", "file": {"file_id": "file-1", "filename": "a.pdf"}},
        {"type": "refusal", "refusal": "no"},
        {"type": "hologram"},
    ]
    request, losses = read(messages=[{"role": "user", "content": content, "name": "Ann"}])

    assert request.messages[0].parts == [
        Text("a", "5m"),
        Media("image", "image/png", url="https://example.com/a.png"),
        Media("audio", "audio/wav", data="AA"),
        Media("document", file="file-1", name="a.pdf"),
        Text("no", refusal=True),
    ]
    assert losses == [
        ("a part of an unknown type", "messages[0].content[5]", False),
        ("name", "messages[0].name", True),
    ]


def test_an_assistants_message_and_the_results_of_its_calls() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "t", "arguments": "{}"}}
    signed = {**call, "id": "c2", "extra_content": {"google": {"thought_signature": "s"}}}
    custom = {"id": "c3", "type": "custom", "custom": {"name": "sh", "input": "ls"}}
    request, _ = read(
        messages=[
            {
                "role": "assistant",
                "content": "x",
                "reasoning_content": "why",
                "refusal": "no",
                "tool_calls": [call, signed, custom],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "one"},
            {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "two"}]},
        ]
    )

    assert request.messages == [
        Message(
            "assistant",
            [
                Thinking("why"),
                Text("x"),
                Text("no", refusal=True),
                ToolUse("c1", "t", "{}"),
                ToolUse("c2", "t", "{}", signature=Signature("gemini", "s")),
                ToolUse("c3", "sh", "ls", "custom"),
            ],
        ),
        Message("user", [ToolResult("c1", [Text("one")]), ToolResult("c2", [Text("two")])]),
    ]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("none", Choice("none")),
        ("any", Choice("required")),
        ({"type": "function", "function": {"name": "t"}}, Choice("required", ["t"])),
        ({"type": "custom", "custom": {"name": "t"}}, Choice("required", ["t"])),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "a"}}]},
            },
            Choice("auto", ["a"]),
        ),
        (None, None),
    ],
)
def test_choices(choice: Any, expected: Choice | None) -> None:
    request, _ = read(tool_choice=choice)

    assert request.choice == expected


def test_choices_are_written_back() -> None:
    tools = [Tool("a"), Tool("b")]
    written = [
        write(tools=tools, choice=choice)[0]["tool_choice"]
        for choice in (Choice("none"), Choice("required", ["a"]), Choice("auto", ["a", "b"]))
    ]

    assert written[0] == "none"
    assert written[1] == {"type": "function", "function": {"name": "a"}}
    assert written[2]["allowed_tools"]["mode"] == "auto"
    assert [tool["function"]["name"] for tool in written[2]["allowed_tools"]["tools"]] == ["a", "b"]


def test_tools_of_both_kinds_there_and_back() -> None:
    grammar = {"type": "grammar", "syntax": "lark", "definition": "x"}
    tools = [
        Tool("a", "About a.", {"type": "object", "properties": {}}, strict=True),
        Tool("b", kind="custom", format=grammar),
        Tool("c", kind="custom"),
    ]
    body, _ = write(tools=tools)

    assert body["tools"][1]["custom"]["format"] == {
        "type": "grammar",
        "grammar": {"syntax": "lark", "definition": "x"},
    }
    assert read(tools=body["tools"])[0].tools == tools


def test_formats() -> None:
    assert read(response_format={"type": "text"})[0].format is None
    assert read(response_format={"type": "json_object"})[0].format == Format()
    assert write(format=Format())[0]["response_format"] == {"type": "json_object"}
    schema = {"name": "answer", "description": "d", "schema": {}, "strict": False}
    assert (
        write(format=Format({}, description="d", strict=False))[0]["response_format"]["json_schema"] == schema
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"reasoning_effort": "none"}, Reasoning(False, "none")),
        ({"reasoning_effort": "low"}, Reasoning(True, "low")),
        ({"reasoning": {"effort": "high"}}, Reasoning(True, "high")),
        ({"reasoning": {"max_tokens": 2000}}, Reasoning(True, "", 2000)),
        ({"reasoning": {"enabled": True}}, Reasoning(True)),
        ({}, Reasoning()),
    ],
)
def test_how_much_to_think_in_openais_words_and_openrouters(
    body: dict[str, Any], expected: Reasoning
) -> None:
    assert read(**body)[0].reasoning == expected


def test_the_name_of_the_limit_depends_on_the_model() -> None:
    settings = {"max_tokens": Setting(5), "parallel_tools": Setting(False)}

    assert write(model="openai/gpt-6-mini", settings=settings)[0]["max_completion_tokens"] == 5
    assert write(model="mistral-large", settings=settings)[0]["max_tokens"] == 5
    assert read(max_tokens=5)[0].settings == read(max_completion_tokens=5)[0].settings


def test_a_stream_always_tells_its_usage_whatever_the_client_wants() -> None:
    assert write(stream=True)[0]["stream_options"] == {"include_usage": True}
    assert read(stream_options={"include_usage": True})[0].counted is True
    assert read()[0].counted is False


def test_what_a_tool_result_shows_follows_as_the_users() -> None:
    result = ToolResult("c1", [Text("a"), Media("image", "image/png", data=PIXEL)])
    body, losses = write(Message("user", [result, Text("go on")]))

    assert body["messages"][0] == {"role": "tool", "tool_call_id": "c1", "content": "a"}
    assert [part["type"] for part in body["messages"][1]["content"]] == ["text", "image_url", "text"]
    assert losses == []


def test_media_that_cannot_be_said_are_told_as_text() -> None:
    media = [
        Media("audio", "audio/wav", data="AA"),
        Media("document", "application/pdf", data="AA"),
        Media("document", file="file-1"),
        Media("document", text="plain", name="a.txt"),
        Media("video", "video/mp4", url="https://example.com/a.mp4", where="m[0]"),
        Media("image", url="https://example.com/a.png", detail="low"),
    ]
    body, losses = write(Message("user", [*media]))
    content = body["messages"][0]["content"]

    assert content[0]["input_audio"] == {"data": "AA", "format": "wav"}
    assert content[1]["file"]["filename"] == "document.pdf"
    assert content[2]["file"] == {"file_id": "file-1"}
    assert content[3]["text"] == "a.txt\nplain"
    assert content[4]["text"].startswith("[video left out")
    assert content[5]["image_url"]["detail"] == "low"
    assert [loss.what for loss in losses] == ["video in this form"]


def test_an_assistant_says_text_refusals_and_calls() -> None:
    parts: list[Part] = [
        Thinking("why"),
        Text("a"),
        Text("b"),
        Text("no", refusal=True),
        ToolUse("c1", "t"),
        ToolUse("c2", "sh", "ls", "custom"),
        ToolUse("c3", "t", "{}", signature=Signature("gemini", "s")),
        Media("image", data="AA", where="i"),
    ]
    body, losses = write(Message("assistant", parts), Message("assistant", []))
    message = body["messages"][0]

    assert (message["content"], message["refusal"]) == ("ab", "no")
    assert message["tool_calls"][0]["function"]["arguments"] == "{}"
    assert message["tool_calls"][1]["custom"] == {"name": "sh", "input": "ls"}
    assert message["tool_calls"][2]["extra_content"] == {"google": {"thought_signature": "s"}}
    assert body["messages"][1] == {"role": "assistant", "content": ""}
    assert [loss.where for loss in losses] == ["i"]


def test_what_nobody_else_knows_is_noted() -> None:
    assert read(prediction={}, modalities=["text"])[1] == [
        ("prediction", "prediction", False),
        ("modalities", "modalities", False),
    ]


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "openrouter:web_search", "parameters": {"max_uses": 1}},
        {"type": "function"},
        {"type": "function", "function": 5},
    ],
)
def test_a_tool_of_one_provider_is_lost_and_no_function_without_a_name(tool: dict[str, Any]) -> None:
    named = {"type": "function", "function": {"name": "t"}}
    request, losses = read(tools=[tool, named])

    assert [each.name for each in request.tools] == ["t"]
    assert losses == [("a tool that only this provider has", "tools[0]", False)]


@pytest.mark.parametrize(
    ("said", "reasoning"),
    [
        ({"thinking": {"type": "enabled"}}, Reasoning(on=True)),
        ({"thinking": {"type": "disabled"}}, Reasoning(on=False)),
        ({"thinking": {"type": "enabled"}, "reasoning_effort": "max"}, Reasoning(on=True, effort="max")),
        ({"thinking": {}}, Reasoning()),
    ],
)
def test_the_switch_of_deepseek_and_zai(said: dict[str, Any], reasoning: Reasoning) -> None:
    request, losses = read(**said)

    assert request.reasoning == reasoning
    assert losses == []


def test_what_else_is_said_with_the_switch_is_lost() -> None:
    _, further = read(thinking={"type": "enabled", "clear_thinking": False})
    request, unknown = read(thinking={"type": "auto"})

    assert further == [("clear_thinking", "thinking.clear_thinking", False)]
    assert unknown == [("type", "thinking.type", False)]
    assert request.reasoning.on is None


def test_results_stand_behind_their_calls_whoever_spoke_between() -> None:
    body, _ = write(
        Message("assistant", [ToolUse("1", "t"), ToolUse("2", "t")]),
        Message("developer", [Text("a note")]),
        Message("user", [ToolResult("1", [Text("r")])]),
        Message("user", [Text("go on"), ToolResult("2", [Text("s")])]),
    )

    assert [row["role"] for row in body["messages"]] == [*("assistant", "tool", "tool", "developer", "user")]
    assert results_first([{"role": "tool"}]) == [{"role": "tool"}]
