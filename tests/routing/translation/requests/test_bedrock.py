from base64 import b64encode
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

CONVERSE = "bedrock-converse"
CLAUDE = "us.anthropic.claude-sonnet-5-5-v1:0"


def read(**body: Any) -> tuple[Request, list[tuple[str, str, bool]]]:
    request, losses = read_request(CONVERSE, {"messages": [], **body})
    return request, [(loss.what, loss.where, loss.hint) for loss in losses]


def parts_of(*blocks: Any) -> tuple[list[Any], list[tuple[str, str, bool]]]:
    request, losses = read(messages=[{"role": "user", "content": list(blocks)}])
    return request.messages[0].parts, losses


def write(*messages: Message, model: str = CLAUDE, **fields: Any) -> Any:
    request = Request(model, stream=False, messages=list(messages))
    for name, value in fields.items():
        setattr(request, name, value)
    return write_request(CONVERSE, request)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", ALL)
def test_what_any_client_asks_is_written_as_the_api_takes_it(kind: str, source: str) -> None:
    request, _ = read_request(source, ALL[kind][source], CLAUDE)

    assert accepted(CONVERSE, request).status == 200


def test_blocks_of_every_kind_are_read() -> None:
    parts, losses = parts_of(
        {"text": "a"},
        {"cachePoint": {"type": "default", "ttl": "1h"}},
        {"image": {"format": "png", "source": {"bytes": PIXEL}}},
        {"cachePoint": {"type": "default"}},
        {"document": {"format": "txt", "name": "n", "context": "c", "source": {"text": "plain"}}},
        {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://b/a"}}}},
        {"reasoningContent": {"reasoningText": {"text": "why", "signature": "s"}}},
        {"reasoningContent": {"reasoningText": {"text": "why"}}},
        {"reasoningContent": {"redactedContent": b64encode(b"r").decode()}},
        {"reasoningContent": {"redactedContent": "%"}},
        {"toolUse": {"toolUseId": "t", "name": "n", "input": {"a": 1}}},
        {"toolResult": {"toolUseId": "t", "status": "error", "content": [{"json": {"a": 1}}]}},
        {"guardContent": {}},
    )

    assert parts == [
        Text("a", "1h"),
        Media("image", "image/png", data=PIXEL, cache="5m"),
        Media("document", "text/plain", text="plain", name="n"),
        Media("video", "video/mp4", file="s3://b/a"),
        Thinking("why", Signature("anthropic", "s")),
        Thinking("why"),
        Thinking("", Signature("anthropic", "r"), redacted=True),
        Thinking("", Signature("anthropic", "%"), redacted=True),
        ToolUse("t", "n", '{"a":1}'),
        ToolResult("t", [Text('{"a":1}')], error=True),
    ]
    assert [what for what, _, _ in losses] == [
        "the context of a document",
        "a block that only this provider knows",
    ]


def test_tools_with_their_marks_for_the_cache() -> None:
    tools = [
        {
            "toolSpec": {
                "name": "a",
                "description": "A.",
                "inputSchema": {"json": {"type": "object"}},
                "strict": True,
            }
        },
        {"cachePoint": {"type": "default"}},
        {"toolSpec": {"name": "b", "inputSchema": {"json": {}}}},
        {"systemTool": {"name": "nova_grounding"}},
    ]
    request, losses = read(toolConfig={"tools": tools})

    assert request.tools == [
        Tool("a", "A.", {"type": "object"}, strict=True, cache="5m"),
        Tool("b", schema={}),
    ]
    assert losses == [("a tool that only this provider has", "toolConfig.tools[3]", False)]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"auto": {}}, Choice("auto")),
        ({"any": {}}, Choice("required")),
        ({"tool": {"name": "a"}}, Choice("required", ["a"])),
    ],
)
def test_choices(choice: Any, expected: Choice) -> None:
    assert read(toolConfig={"tools": [], "toolChoice": choice})[0].choice == expected
    assert write(tools=[Tool("a")], choice=expected)[0]["toolConfig"]["toolChoice"] == choice
    assert read()[0].choice is None


def test_that_no_tool_may_be_called_cannot_be_said() -> None:
    body, losses = write(
        tools=[Tool("a", cache="1h")], choice=Choice("none"), settings={"parallel_tools": Setting(False, "p")}
    )

    assert body["toolConfig"]["toolChoice"] == {"auto": {}}
    assert body["toolConfig"]["tools"][1] == {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert [loss.what for loss in losses] == ["parallel_tools", "that no tool may be called"]


def test_formats() -> None:
    closed = '{"type":"object","additionalProperties":false}'
    schema = {"name": "place", "description": "d", "schema": closed}
    body = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}
    request, _ = read(outputConfig=body)

    assert request.format == Format({"type": "object", "additionalProperties": False}, "place", "d")
    assert write(format=request.format)[0]["outputConfig"] == body
    assert [loss.what for loss in write(format=Format())[1]] == ["JSON without a schema"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}}},
            Reasoning(True, "", 2000),
        ),
        ({"additionalModelRequestFields": {"thinking": {"type": "disabled"}}}, Reasoning(False, "none")),
        ({"outputConfig": {"effort": "low"}}, Reasoning(None, "low")),
    ],
)
def test_how_much_to_think(body: Any, expected: Reasoning) -> None:
    assert read(**body)[0].reasoning == expected


def test_claude_thinks_in_its_own_words_and_others_have_none() -> None:
    body, _ = write(
        reasoning=Reasoning(effort="high"), settings={"top_k": Setting(5, "k"), "max_tokens": Setting(9)}
    )
    _, losses = write(
        model="amazon.nova-pro-v1:0", reasoning=Reasoning(effort="high"), settings={"seed": Setting(1, "s")}
    )

    assert body["additionalModelRequestFields"] == {
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high"},
    }
    assert body["inferenceConfig"] == {"maxTokens": 9}
    assert [loss.what for loss in losses] == ["how much to think", "seed"]


def test_what_only_amazon_has_is_noted() -> None:
    more = {"top_k": 5, "inferenceConfig": {}}

    assert read(guardrailConfig={}, performanceConfig={}, additionalModelRequestFields=more)[1] == [
        ("guardrailConfig", "guardrailConfig", False),
        ("performanceConfig", "performanceConfig", True),
        ("inferenceConfig", "additionalModelRequestFields.inferenceConfig", False),
    ]


def test_media_in_the_forms_that_the_api_takes() -> None:
    media = [
        Media("image", "image/png", data=PIXEL),
        Media("document", "application/pdf", data="AA", name="my  file_1.v2.pdf"),
        Media("document", text="plain"),
        Media("image", "image/png", file="s3://b/a"),
        Media("image", url="https://example.com/a.png"),
        Media("image", "image/tiff", data="AA"),
    ]
    body, losses = write(Message("user", [*media]))
    content = body["messages"][0]["content"]

    assert content[1]["document"] == {"format": "pdf", "name": "my file-1-v2", "source": {"bytes": "AA"}}
    assert content[2]["document"] == {"format": "txt", "name": "document", "source": {"bytes": "cGxhaW4="}}
    assert content[3]["image"]["source"] == {"s3Location": {"uri": "s3://b/a"}}
    assert [set(block) for block in content[4:]] == [{"text"}, {"text"}]
    assert [loss.what for loss in losses] == ["image in this form"]


def test_the_turns_of_a_conversation() -> None:
    body, _ = write(
        Message("system", [Text("brief", "5m")]),
        Message("user", [Text("a"), Text("")]),
        Message(
            "assistant",
            [
                Thinking("why", Signature("anthropic", "s")),
                Thinking("", Signature("anthropic", "r"), redacted=True),
                ToolUse("c", "t", "{}"),
            ],
        ),
        Message("user", [ToolResult("c", [], error=True), ToolResult("d", [Text("x")])]),
        Message("assistant", []),
    )

    assert body["system"] == [{"text": "brief"}, {"cachePoint": {"type": "default"}}]
    assert body["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "why", "signature": "s"}}},
        {"reasoningContent": {"redactedContent": b64encode(b"r").decode()}},
        {"toolUse": {"toolUseId": "c", "name": "t", "input": {}}},
    ]
    assert body["messages"][2]["content"] == [
        {"toolResult": {"toolUseId": "c", "content": [{"text": ""}], "status": "error"}},
        {"toolResult": {"toolUseId": "d", "content": [{"text": "x"}]}},
    ]
    assert len(body["messages"]) == 3


def test_tools_of_the_past_are_declared_where_none_are_offered() -> None:
    said = [Message("user", [Text("a")]), Message("assistant", [ToolUse("1", "t")])]
    body, _ = write(*said, Message("user", [ToolResult("1", [Text("r")])]))

    assert [tool["toolSpec"]["name"] for tool in body["toolConfig"]["tools"]] == ["t"]
