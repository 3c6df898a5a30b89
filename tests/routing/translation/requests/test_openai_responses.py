from typing import Any

import pytest

from support.codecs import accepted, read_request, write_request
from support.conversations import ALL, PIXEL, SOURCES
from tollgate.routing.translation import Untranslatable, compaction
from tollgate.routing.translation.neutral import (
    Choice,
    Format,
    Media,
    Message,
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

RESPONSES = "openai-responses"


def read(**body: Any) -> tuple[Request, list[tuple[str, str, bool]]]:
    request, losses = read_request(RESPONSES, {"input": "hi", **body})
    return request, [(loss.what, loss.where, loss.hint) for loss in losses]


def write(*messages: Message, **fields: Any) -> Any:
    request = Request("gpt-6", stream=False, messages=list(messages))
    for name, value in fields.items():
        setattr(request, name, value)
    return write_request(RESPONSES, request)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", ALL)
def test_what_any_client_asks_is_written_as_the_api_takes_it(kind: str, source: str) -> None:
    request, _ = read_request(source, ALL[kind][source], "gpt-6")

    assert accepted(RESPONSES, request).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {"previous_response_id": "resp_1"},
        {"conversation": "c"},
        {"background": True},
        {"prompt": {"id": "p"}},
        {"input": [{"type": "item_reference", "id": "x"}]},
    ],
)
def test_what_stands_at_the_provider_cannot_be_had_elsewhere(body: dict[str, Any]) -> None:
    with pytest.raises(Untranslatable, match="only the provider itself has"):
        read(**body)


def test_the_items_of_one_answer_are_one_message() -> None:
    request, _ = read(
        input=[
            {"role": "user", "content": "hi"},
            {
                "type": "reasoning",
                "id": "rs",
                "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}],
                "encrypted_content": "e",
            },
            {"type": "reasoning", "id": "rs", "summary": []},
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "x"}, {"type": "refusal", "refusal": "no"}],
            },
            {"type": "function_call", "call_id": "c1", "name": "t", "arguments": "{}", "namespace": "n"},
            {"type": "custom_tool_call", "call_id": "c2", "name": "sh", "input": "ls"},
            {"type": "function_call_output", "call_id": "c1", "output": "one"},
            {
                "type": "custom_tool_call_output",
                "call_id": "c2",
                "output": [{"type": "input_text", "text": "two"}],
            },
        ]
    )

    assert request.messages == [
        Message("user", [Text("hi")]),
        Message(
            "assistant",
            [
                Thinking("a\n\nb", Signature("openai", "e")),
                Thinking("", redacted=True),
                Text("x"),
                Text("no", refusal=True),
                ToolUse("c1", "t", "{}", namespace="n"),
                ToolUse("c2", "sh", "ls", "custom"),
            ],
        ),
        Message("user", [ToolResult("c1", [Text("one")]), ToolResult("c2", [Text("two")], kind="custom")]),
    ]


def test_parts_of_every_kind_are_read() -> None:
    content = [
        {"type": "input_image", "file_id": "f", "detail": "low"},
        {"type": "input_file", "file_url": "https://example.com/a.pdf"},
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}},
        {"type": "input_text", "text": "a", "prompt_cache_breakpoint": {}},
        {"type": "input_text", "text": "b", "prompt_cache_breakpoint": {"mode": "explicit"}},
        {"type": "hologram"},
    ]
    request, losses = read(input=[{"role": "user", "content": content}])

    assert request.messages[0].parts == [
        Media("image", file="f", detail="low"),
        Media("document", "application/pdf", url="https://example.com/a.pdf"),
        Media("audio", "audio/mp3", data="AA"),
        Text("a"),
        Text("b", "5m"),
    ]
    assert losses == [("a part of an unknown type", "input[0].content[5]", False)]


def test_tools_of_codex_in_their_namespaces() -> None:
    tools = [
        {
            "type": "namespace",
            "name": "clock",
            "tools": [{"type": "function", "name": "sleep", "parameters": {}}],
        },
        {"type": "custom", "name": "sh", "format": {"type": "text"}},
        {"type": "web_search"},
    ]
    request, losses = read(
        input=[
            {"type": "additional_tools", "role": "developer", "tools": tools},
            {"type": "configuration_update"},
            {"type": "mcp_call"},
        ]
    )

    assert request.tools == [
        Tool("sleep", schema={}, namespace="clock"),
        Tool("sh", kind="custom", format={"type": "text"}),
    ]
    assert losses == [
        ("a tool that only this provider has", "input[0].tools[2]", False),
        ("an item that only this provider knows", "input[1]", True),
        ("an item that only this provider knows", "input[2]", False),
    ]
    body, _ = write(tools=[*request.tools, Tool("wait", namespace="clock"), Tool("f", strict=True)])
    assert [tool.get("name") for tool in body["tools"]] == ["clock", "sh", "f"]
    assert [tool["name"] for tool in body["tools"][0]["tools"]] == ["sleep", "wait"]
    assert [tool["strict"] for tool in (body["tools"][0]["tools"][0], body["tools"][2])] == [False, True]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("required", Choice("required")),
        ({"type": "function", "name": "t"}, Choice("required", ["t"])),
        (
            {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [{"type": "function", "name": "a"}, {"type": "function", "name": "b"}],
            },
            Choice("auto", ["a", "b"]),
        ),
        ({"type": "mcp"}, Choice("required", ["mcp"])),
        (None, None),
    ],
)
def test_choices(choice: Any, expected: Choice | None) -> None:
    request, _ = read(tool_choice=choice)

    assert request.choice == expected
    if expected and choice != {"type": "mcp"}:
        assert write(choice=expected)[0]["tool_choice"] == choice


def test_formats_and_reasoning() -> None:
    assert read(text={"format": {"type": "json_object"}})[0].format == Format()
    assert write(format=Format())[0]["text"] == {"format": {"type": "json_object"}}
    assert read(text={"format": {"type": "text"}})[0].format is None
    assert write(format=Format({}, description="d"))[0]["text"]["format"]["description"] == "d"
    assert read(reasoning={"effort": "none"})[0].reasoning == Reasoning(False, "none")
    assert read(reasoning={"summary": "auto"})[0].reasoning == Reasoning(show=True)
    assert write(reasoning=Reasoning(effort="low", show=True))[0]["reasoning"] == {
        "effort": "low",
        "summary": "auto",
    }


def test_nothing_is_stored_and_seals_are_asked_for() -> None:
    body, losses = write(
        stream=True, settings={"parallel_tools": Setting(False), "stop": Setting(["x"], "stop")}
    )

    assert (body["store"], body["include"], body["stream"]) == (False, ["reasoning.encrypted_content"], True)
    assert [loss.what for loss in losses] == ["stop"]
    assert read(include=["reasoning.encrypted_content"])[1] == []
    assert read(include=["file_search_call.results"], client_metadata={})[1] == [
        ("include", "include", True),
        ("client_metadata", "client_metadata", True),
    ]


def test_the_items_of_a_conversation() -> None:
    shown = Media("image", "image/png", data=PIXEL)
    body, losses = write(
        Message("system", [Text("be brief")]),
        Message("user", [Text("a"), shown]),
        Message(
            "assistant",
            [
                Thinking("why", Signature("openai", "e")),
                Text("x"),
                Text("no", refusal=True),
                ToolUse("c1", "t"),
                ToolUse("c2", "sh", "ls", "custom", "n"),
            ],
        ),
        Message(
            "user",
            [
                ToolResult("c1", [Text("one"), shown], error=True, where="r"),
                ToolResult("c2", [Text("two")], kind="custom"),
                Text("b"),
            ],
        ),
        Message("developer", [Text("now")]),
    )
    items = body["input"]

    assert body["instructions"] == "be brief"
    assert [item["type"] for item in items] == [
        "message",
        "reasoning",
        "message",
        "function_call",
        "custom_tool_call",
        "function_call_output",
        "custom_tool_call_output",
        "message",
        "message",
    ]
    assert items[1]["encrypted_content"] == "e"
    assert items[2]["content"] == [{"type": "output_text", "text": "x"}, {"type": "refusal", "refusal": "no"}]
    assert (items[3]["arguments"], items[4]["input"], items[4]["namespace"]) == ("{}", "ls", "n")
    assert [part["type"] for part in items[5]["output"]] == ["input_text", "input_image"]
    assert items[8]["role"] == "developer"
    assert [loss.what for loss in losses] == ["the mark that a tool failed"]


def test_media_in_the_forms_that_the_api_takes() -> None:
    media = [
        Media("image", url="https://example.com/a.png", detail="low"),
        Media("image", file="f"),
        Media("document", url="https://example.com/a.pdf"),
        Media("document", file="f"),
        Media("document", "application/pdf", data="AA"),
        Media("document", text="plain"),
        Media("audio", data="AA"),
    ]
    body, losses = write(Message("user", [*media]))
    content = body["input"][0]["content"]

    assert content[0] == {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "low"}
    assert content[1] == {"type": "input_image", "file_id": "f", "detail": "auto"}
    assert content[2] == {"type": "input_file", "file_url": "https://example.com/a.pdf"}
    assert content[3] == {"type": "input_file", "file_id": "f"}
    assert content[4]["filename"] == "document.pdf"
    assert content[5] == {"type": "input_text", "text": "plain"}
    assert [loss.what for loss in losses] == ["audio in this form"]


def test_a_summary_is_asked_for_and_read_in_words() -> None:
    own = {"type": "compaction", "encrypted_content": "gAAAA"}
    request, losses = read(
        input=[compaction.item("done", "1"), own, {"type": "compaction_trigger"}],
        text={"format": {"type": "json_object"}},
    )
    said = [part.text for part in request.messages[0].parts if isinstance(part, Text)]

    assert (said[0].endswith("done"), said[1:]) == (True, [compaction.ASK])
    assert (request.choice, request.format) == (Choice("none"), None)
    assert [where for _, where, _ in losses] == ["input[1]"]
