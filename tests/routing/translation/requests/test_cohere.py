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
    request = Request("command-a", stream=False, messages=list(messages))
    for name, value in fields.items():
        setattr(request, name, value)
    return write_request("cohere-chat", request)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", ALL)
def test_what_any_client_asks_is_written_as_the_api_takes_it(kind: str, source: str) -> None:
    request, _ = read_request(source, ALL[kind][source], "command-a")

    assert accepted("cohere-chat", request).status == 200


def test_a_conversation() -> None:
    body, losses = write(
        Message("developer", [Text("brief")]),
        Message(
            "user",
            [
                Text("a"),
                Text(""),
                Media("image", "image/png", data=PIXEL),
                Media("document", text="plain"),
                Media("audio", where="x"),
            ],
        ),
        Message("assistant", [Thinking("why"), ToolUse("c", "t")]),
        Message("user", [ToolResult("c", [Text("one")])]),
        Message("assistant", []),
    )

    assert body["messages"][0] == {"role": "system", "content": [{"type": "text", "text": "brief"}]}
    assert [part["type"] for part in body["messages"][1]["content"]] == ["text", "image_url", "text", "text"]
    assert body["messages"][2]["tool_calls"][0]["function"] == {"name": "t", "arguments": "{}"}
    assert body["messages"][3:] == [{"role": "tool", "tool_call_id": "c", "content": "one"}]
    assert [loss.where for loss in losses] == ["x"]


def test_tools_and_choices() -> None:
    tools = [Tool("a", "A.", {"type": "object"}), Tool("b")]

    assert write(tools=tools, choice=Choice("required"))[0]["tool_choice"] == "REQUIRED"
    assert "tool_choice" not in write(tools=tools, choice=Choice("auto"))[0]
    one, _ = write(tools=tools, choice=Choice("required", ["b"]))
    assert [tool["function"]["name"] for tool in one["tools"]] == ["b"]


def test_settings_formats_and_thinking() -> None:
    settings = {"top_p": Setting(1, "top_p"), "top_k": Setting(5), "parallel_tools": Setting(False)}
    body, losses = write(
        settings=settings, format=Format({"type": "object"}), reasoning=Reasoning(budget=2000)
    )

    assert (body["p"], body["k"]) == (0.99, 5)
    assert body["response_format"] == {"type": "json_object", "json_schema": {"type": "object"}}
    assert body["thinking"] == {"type": "enabled", "token_budget": 2000}
    assert [loss.what for loss in losses] == ["top_p above 0.99"]
    assert write(format=Format())[0]["response_format"] == {"type": "json_object"}
    assert write(reasoning=Reasoning(on=False))[0]["thinking"] == {"type": "disabled"}
