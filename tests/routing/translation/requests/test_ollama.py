from typing import Any

import pytest

from support.codecs import accepted, read_request, write_request
from support.conversations import ALL, PIXEL, SOURCES
from tollgate.routing.translation.neutral import (
    Choice,
    Format,
    Media,
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


def write(*messages: Message, **fields: Any) -> Any:
    request = Request("llama3.3", stream=False, messages=list(messages))
    for name, value in fields.items():
        setattr(request, name, value)
    return write_request("ollama", request)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", ALL)
def test_what_any_client_asks_is_written_as_the_api_takes_it(kind: str, source: str) -> None:
    request, _ = read_request(source, ALL[kind][source], "llama3.3")

    assert accepted("ollama", request).status == 200


def test_a_conversation() -> None:
    body, losses = write(
        Message("developer", [Text("brief")]),
        Message(
            "user",
            [
                Text("a"),
                Media("image", "image/png", data=PIXEL),
                Media("document", text="plain"),
                Media("audio", where="x"),
            ],
        ),
        Message("assistant", [Thinking("why"), ToolUse("c", "t", '{"n":1}')]),
        Message("user", [ToolResult("c", [Text("one")]), ToolResult("d", [Text("two")], name="u")]),
        Message("assistant", []),
    )

    assert body["stream"] is False
    assert body["messages"] == [
        {"role": "system", "content": "brief"},
        {
            "role": "user",
            "content": "a\nplain\n[audio left out: it cannot be given to this model]",
            "images": [PIXEL],
        },
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"function": {"name": "t", "arguments": {"n": 1}}}],
        },
        {"role": "tool", "tool_name": "t", "content": "one"},
        {"role": "tool", "tool_name": "u", "content": "two"},
    ]
    assert [loss.where for loss in losses] == ["x"]


def test_tools_and_choices() -> None:
    tools = [Tool("a", "A.", {"type": "object"}), Tool("b")]
    body, losses = write(
        tools=tools, choice=Choice("required", where="c"), settings={"parallel_tools": Setting(False, "p")}
    )

    assert [tool["function"]["name"] for tool in body["tools"]] == ["a", "b"]
    assert [loss.what for loss in losses] == ["parallel_tools", "that a tool has to be called"]
    assert "tools" not in write(tools=tools, choice=Choice("none"))[0]


def test_settings_formats_and_thinking() -> None:
    body, _ = write(
        settings={"max_tokens": Setting(5), "stop": Setting(["x"])},
        format=Format({"type": "object"}),
        reasoning=Reasoning(effort="low"),
    )

    assert body["options"] == {"num_predict": 5, "stop": ["x"]}
    assert (body["format"], body["think"]) == ({"type": "object"}, True)
    assert write(format=Format(), reasoning=Reasoning(on=False))[0]["format"] == "json"
    assert write(reasoning=Reasoning(on=False))[0]["think"] is False
