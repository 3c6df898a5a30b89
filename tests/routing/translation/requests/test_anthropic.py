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
    Signature,
    Text,
    Thinking,
    Tool,
    ToolResult,
    ToolUse,
)

MESSAGES = "anthropic-messages"


def read(**body: Any) -> tuple[Request, list[tuple[str, str, bool]]]:
    request, losses = read_request(MESSAGES, {"messages": [], "max_tokens": 9, **body})
    return request, [(loss.what, loss.where, loss.hint) for loss in losses]


def parts_of(*blocks: Any) -> tuple[list[Any], list[tuple[str, str, bool]]]:
    request, losses = read(messages=[{"role": "user", "content": list(blocks)}])
    return request.messages[0].parts, losses


def write(*messages: Message, model: str = "claude-sonnet-5-5", **fields: Any) -> Any:
    request = Request(model, stream=False, messages=list(messages))
    for name, value in fields.items():
        setattr(request, name, value)
    return write_request(MESSAGES, request)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", ALL)
def test_what_any_client_asks_is_written_as_the_api_takes_it(kind: str, source: str) -> None:
    request, _ = read_request(source, ALL[kind][source], "claude-sonnet-5-5")

    assert accepted(MESSAGES, request).status == 200


def test_documents_of_every_kind_are_read() -> None:
    parts, losses = parts_of(
        {
            "type": "document",
            "title": "t",
            "context": "c",
            "source": {"type": "text", "media_type": "text/plain", "data": "hi"},
        },
        {
            "type": "document",
            "citations": {"enabled": True},
            "source": {"type": "url", "url": "https://example.com/a.pdf"},
        },
        {
            "type": "document",
            "source": {
                "type": "content",
                "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            },
        },
        {
            "type": "image",
            "source": {"type": "file", "file_id": "f"},
            "cache_control": {"type": "ephemeral", "ttl": "1h"},
        },
    )

    assert parts == [
        Media("document", "text/plain", text="hi", name="t"),
        Media("document", url="https://example.com/a.pdf"),
        Text("a\nb"),
        Media("image", file="f", cache="1h"),
    ]
    assert [what for what, _, _ in losses] == ["the context of a document", "citations"]


def test_thoughts_and_those_that_cannot_be_read() -> None:
    parts, _ = parts_of(
        {"type": "thinking", "thinking": "why", "signature": "s"},
        {"type": "thinking", "thinking": "why", "signature": ""},
        {"type": "redacted_thinking", "data": "r"},
    )

    assert parts == [
        Thinking("why", Signature("anthropic", "s")),
        Thinking("why"),
        Thinking("", Signature("anthropic", "r"), redacted=True),
    ]


def test_calls_and_results() -> None:
    parts, _ = parts_of(
        {"type": "tool_use", "id": "t1", "name": "t", "input": {"a": 1}},
        {"type": "tool_result", "tool_use_id": "t1", "content": "x", "is_error": True},
        {"type": "tool_result", "tool_use_id": "t2"},
    )

    assert parts == [
        ToolUse("t1", "t", '{"a":1}'),
        ToolResult("t1", [Text("x")], error=True),
        ToolResult("t2", []),
    ]


def test_what_only_anthropic_has_is_noted() -> None:
    parts, losses = parts_of(
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "text", "text": "a", "citations": []},
    )
    request, more = read(
        tools=[
            {"type": "web_search_20250305", "name": "web_search"},
            {"type": "custom", "name": "t", "input_schema": {}, "eager_input_streaming": True},
        ],
        mcp_servers=[],
        diagnostics={},
    )

    assert parts == [Text("a")]
    assert losses == [
        ("a block that only this provider knows", "messages[0].content[0]", False),
        ("citations", "messages[0].content[1].citations", True),
    ]
    assert [tool.name for tool in request.tools] == ["t"]
    assert more == [
        ("a tool that only this provider has", "tools[0]", False),
        ("eager_input_streaming", "tools[1].eager_input_streaming", True),
        ("mcp_servers", "mcp_servers", False),
        ("diagnostics", "diagnostics", True),
    ]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"type": "any"}, Choice("required")),
        ({"type": "tool", "name": "t"}, Choice("required", ["t"])),
        ({"type": "none"}, Choice("none")),
        ({"type": "auto", "disable_parallel_tool_use": True}, Choice("auto")),
        (None, None),
    ],
)
def test_choices(choice: Any, expected: Choice | None) -> None:
    request, _ = read(tool_choice=choice)
    single = bool(choice and choice.get("disable_parallel_tool_use"))

    assert request.choice == expected
    assert ("parallel_tools" in request.settings) is single


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, Reasoning(True, "", 2000)),
        ({"thinking": {"type": "disabled"}}, Reasoning(False, "none")),
        (
            {"thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "max"}},
            Reasoning(True, "max", show=False),
        ),
        ({"output_config": {"effort": "low"}}, Reasoning(None, "low")),
    ],
)
def test_how_much_to_think(body: dict[str, Any], expected: Reasoning) -> None:
    assert read(**body)[0].reasoning == expected


def test_both_places_of_a_format() -> None:
    format = {"type": "json_schema", "schema": {"type": "object"}}

    assert (
        read(output_format=format)[0].format
        == read(output_config={"format": format})[0].format
        == Format({"type": "object"})
    )


def test_a_limit_is_needed_and_never_more_than_the_model_has() -> None:
    assert write()[0]["max_tokens"] == 32_000
    body, losses = write(
        model="claude-3-haiku-20240307", settings={"max_tokens": Setting(10_000, "max_tokens")}
    )
    assert body["max_tokens"] == 4096
    assert [loss.what for loss in losses] == ["max_tokens above 4096"]


def test_settings_choices_and_stream() -> None:
    tools = [Tool("a", strict=True, cache="5m"), Tool("b")]
    settings = {"parallel_tools": Setting(False), "seed": Setting(1, "seed"), "user": Setting("u")}
    body, losses = write(tools=tools, settings=settings, stream=True)

    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert body["tools"][0]["strict"] is True
    assert body["tools"][0]["cache_control"] == {"type": "ephemeral"}
    assert (body["metadata"], body["stream"]) == ({"user_id": "u"}, True)
    assert [loss.what for loss in losses] == ["seed"]
    choices = [Choice("required", ["a"]), Choice("none"), Choice("auto"), Choice("required")]
    written = [write(tools=tools, choice=choice)[0]["tool_choice"] for choice in choices]
    assert written == [{"type": "tool", "name": "a"}, {"type": "none"}, {"type": "auto"}, {"type": "any"}]


def test_a_schema_is_closed_and_json_without_one_cannot_be_asked() -> None:
    body, _ = write(format=Format({"type": "object"}), reasoning=Reasoning(effort="high"))
    none, losses = write(format=Format(where="f"))

    assert body["output_config"] == {
        "format": {"type": "json_schema", "schema": {"type": "object", "additionalProperties": False}},
        "effort": "high",
    }
    assert body["thinking"] == {"type": "adaptive"}
    assert "output_config" not in none
    assert [loss.what for loss in losses] == ["JSON without a schema"]


def test_media_in_the_forms_that_the_api_takes() -> None:
    media = [
        Media("image", "image/png", data=PIXEL, cache="1h"),
        Media("image", url="https://example.com/a.png"),
        Media("document", "application/pdf", data="AA", name="a.pdf"),
        Media("document", text="plain"),
        Media("image", "image/tiff", data="AA"),
        Media("audio", "audio/wav", data="AA"),
        Media("document", file="f"),
    ]
    body, losses = write(Message("user", [*media]))
    content = body["messages"][0]["content"]

    assert content[0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert content[1]["source"] == {"type": "url", "url": "https://example.com/a.png"}
    assert (content[2]["type"], content[2]["title"]) == ("document", "a.pdf")
    assert content[3]["source"] == {"type": "text", "media_type": "text/plain", "data": "plain"}
    assert [block["type"] for block in content[4:]] == ["text", "text", "text"]
    assert [loss.what.partition(" ")[0] for loss in losses] == ["image", "audio", "document"]


def test_the_turns_of_a_conversation() -> None:
    body, _ = write(
        Message("system", [Text("be brief", "5m")]),
        Message("user", [Text("a"), Text("")]),
        Message(
            "assistant",
            [
                Thinking("why", Signature("anthropic", "s")),
                Thinking("", Signature("anthropic", "r"), redacted=True),
                ToolUse("c1", "t", '{"n":1.0}'),
            ],
        ),
        Message("user", [ToolResult("c1", [Text("x")], error=True)]),
        Message("assistant", []),
    )

    assert body["system"] == [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}]
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "a"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "why", "signature": "s"},
                {"type": "redacted_thinking", "data": "r"},
                {"type": "tool_use", "id": "c1", "name": "t", "input": {"n": 1.0}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "c1",
                    "content": [{"type": "text", "text": "x"}],
                    "is_error": True,
                }
            ],
        },
    ]


def test_a_text_in_which_nothing_stands_is_left_out() -> None:
    said = [Message("user", [Text("a")]), Message("assistant", [Text("\n"), ToolUse("1", "t")])]
    body, _ = write(*said, Message("user", [ToolResult("1", [Text(" ")])]), tools=[Tool("t")])

    assert [block["type"] for message in body["messages"] for block in message["content"]] == [
        *("text", "tool_use", "tool_result")
    ]
    assert body["messages"][2]["content"][0]["content"] == []


def test_what_the_model_shall_go_on_with_ends_visibly() -> None:
    body, _ = write(Message("user", [Text("a ")]), Message("assistant", [Text("So: ")]))

    assert [message["content"][0]["text"] for message in body["messages"]] == ["a ", "So:"]


def test_tools_of_the_past_are_declared_where_none_are_offered() -> None:
    said = [Message("user", [Text("a")]), Message("assistant", [ToolUse("1", "t")])]
    body, _ = write(*said, Message("user", [ToolResult("1", [])]))

    assert [tool["name"] for tool in body["tools"]] == ["t"]
    assert body["tool_choice"] == {"type": "none"}


def test_a_text_file_is_given_as_text() -> None:
    body, losses = write(Message("user", [Media("document", "text/csv", data="YSxi", name="a.csv")]))

    assert body["messages"][0]["content"][0] == {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "a,b"},
        "title": "a.csv",
    }
    assert losses == []


def test_what_was_searched_is_given_in_words_and_what_is_no_words_is_noted() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    found = {
        "type": "search_result",
        "title": "A page",
        "source": "https://example.com",
        "content": [{"type": "text", "text": "says so"}],
        "citations": {"enabled": True},
    }
    held = {
        "type": "document",
        "title": "T",
        "source": {"type": "content", "content": [{"type": "text", "text": "a"}, image]},
    }
    parts, losses = parts_of(found, held)

    assert parts == [Text("A page\nhttps://example.com\nsays so"), Text("T\na")]
    assert [what for what, _, _ in losses] == ["citations", "image in a block of this kind"]
