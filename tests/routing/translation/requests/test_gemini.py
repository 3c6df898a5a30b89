from typing import Any

import pytest

from support.codecs import accepted, read_request, write_request
from support.conversations import ALL, PIXEL, SOURCES
from tollgate.routing.translation import Untranslatable
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

GEMINI = "gemini"


def read(**body: Any) -> tuple[Request, list[tuple[str, str, bool]]]:
    request, losses = read_request(GEMINI, {"contents": [], **body})
    return request, [(loss.what, loss.where, loss.hint) for loss in losses]


def parts_of(*parts: Any, role: str = "model") -> tuple[list[Any], list[tuple[str, str, bool]]]:
    request, losses = read(contents=[{"role": role, "parts": list(parts)}])
    return request.messages[0].parts, losses


def write(*messages: Message, model: str = "gemini-3-flash", **fields: Any) -> Any:
    request = Request(model, stream=False, messages=list(messages))
    for name, value in fields.items():
        setattr(request, name, value)
    return write_request(GEMINI, request)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", ALL)
def test_what_any_client_asks_is_written_as_the_api_takes_it(kind: str, source: str) -> None:
    request, _ = read_request(source, ALL[kind][source], "gemini-3-flash")

    assert accepted(GEMINI, request).status == 200


def test_both_spellings_of_fields_are_read_and_names_of_arguments_are_left_alone() -> None:
    request, _ = read(
        system_instruction={"parts": [{"text": "brief"}]},
        contents=[{"role": "model", "parts": [{"function_call": {"name": "t", "args": {"a_b": 1}}}]}],
        generation_config={"max_output_tokens": 5, "stop_sequences": ["x"]},
    )

    assert request.messages[0] == Message("system", [Text("brief")])
    assert request.messages[1].parts == [ToolUse("call_1_t", "t", '{"a_b":1}')]
    assert request.settings == {"max_tokens": Setting(5), "stop": Setting(["x"])}


def test_what_was_cached_stands_at_the_provider() -> None:
    with pytest.raises(Untranslatable, match="only the provider itself has"):
        read(cachedContent="cachedContents/1")


def test_parts_of_every_kind_are_read() -> None:
    parts, losses = parts_of(
        {"text": "why", "thought": True, "thoughtSignature": "s"},
        {"text": "why", "thought": True},
        {"text": "", "thoughtSignature": "s"},
        {"text": "a", "thoughtSignature": "s"},
        {"thoughtSignature": "s"},
        {"inlineData": {"mimeType": "image/png", "data": "A-_A"}},
        {"fileData": {"fileUri": "gs://bucket/a.pdf"}},
        {"fileData": {"fileUri": "https://example.com/a.mp4", "mimeType": "video/mp4"}},
        {"executableCode": {"code": "1"}},
    )

    assert parts == [
        Thinking("why", Signature("gemini", "s")),
        Thinking("why"),
        Thinking("", Signature("gemini", "s"), redacted=True),
        Text("a"),
        Thinking("", Signature("gemini", "s"), redacted=True),
        Media("image", "image/png", data="A+/A"),
        Media("document", "application/pdf", file="gs://bucket/a.pdf"),
        Media("video", "video/mp4", url="https://example.com/a.mp4"),
    ]
    assert losses == [
        ("the signature of a text", "contents[0].parts[3]", True),
        ("a part that only this provider knows", "contents[0].parts[8]", False),
    ]


def test_calls_without_ids_belong_to_their_results_by_name_and_order() -> None:
    call = {"functionCall": {"name": "t", "args": {}}}
    request, _ = read(
        contents=[
            {
                "role": "model",
                "parts": [
                    call,
                    call,
                    {"functionCall": {"name": "u", "id": "own"}, "thoughtSignature": "s"},
                    {"functionCall": 5},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"name": "t", "response": {"output": "1"}}},
                    {"functionResponse": {"name": "t", "response": {"error": "2"}}},
                    {
                        "functionResponse": {
                            "name": "u",
                            "id": "own",
                            "response": {"n": 1},
                            "parts": [{"inlineData": {"mimeType": "image/png", "data": PIXEL}}],
                        }
                    },
                    {"functionResponse": {"name": "never", "response": None}},
                    {"functionResponse": 5},
                ],
            },
        ]
    )
    calls, results = (message.parts for message in request.messages)

    assert [call.id for call in calls[:3] if isinstance(call, ToolUse)] == ["call_1_t", "call_2_t", "own"]
    assert calls[2] == ToolUse("own", "u", "{}", signature=Signature("gemini", "s"))
    assert results[:4] == [
        ToolResult("call_1_t", [Text("1")], name="t"),
        ToolResult("call_2_t", [Text("2")], error=True, name="t"),
        ToolResult("own", [Text('{"n":1}'), Media("image", "image/png", data=PIXEL)], name="u"),
        ToolResult("call_4_never", [Text("{}")], name="never"),
    ]


def test_tools_in_both_kinds_of_schema() -> None:
    declared = [
        {"name": "a", "description": "A.", "parametersJsonSchema": {"type": "object"}},
        {"name": "b", "parameters": {"type": "OBJECT"}},
    ]
    request, losses = read(tools=[{"functionDeclarations": declared}, {"googleSearch": {}}])

    assert request.tools == [Tool("a", "A.", {"type": "object"}), Tool("b", "", {"type": "object"})]
    assert losses == [("googleSearch", "tools[1].googleSearch", False)]


@pytest.mark.parametrize(
    ("config", "expected", "written"),
    [
        ({"mode": "ANY"}, Choice("required"), {"mode": "ANY"}),
        ({"mode": "NONE"}, Choice("none"), {"mode": "NONE"}),
        (
            {"mode": "ANY", "allowedFunctionNames": ["a"]},
            Choice("required", ["a"]),
            {"mode": "ANY", "allowedFunctionNames": ["a"]},
        ),
        (
            {"mode": "VALIDATED", "allowedFunctionNames": ["a"]},
            Choice("auto", ["a"]),
            {"mode": "VALIDATED", "allowedFunctionNames": ["a"]},
        ),
    ],
)
def test_choices(config: Any, expected: Choice, written: Any) -> None:
    assert read(toolConfig={"functionCallingConfig": config})[0].choice == expected
    assert write(choice=expected)[0]["toolConfig"]["functionCallingConfig"] == written
    assert read()[0].choice is None


def test_formats() -> None:
    old = {"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}}

    assert read(generationConfig=old)[0].format == Format({"type": "object"})
    assert read(generationConfig={"responseMimeType": "text/plain"})[0].format is None
    assert write(format=Format())[0]["generationConfig"] == {"responseMimeType": "application/json"}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"thinkingLevel": "HIGH", "includeThoughts": True}, Reasoning(True, "high", show=True)),
        ({"thinkingBudget": 0}, Reasoning(False, "", 0)),
        ({"thinkingBudget": 500}, Reasoning(True, "", 500)),
        ({}, Reasoning()),
    ],
)
def test_how_much_to_think(config: Any, expected: Reasoning) -> None:
    assert read(generationConfig={"thinkingConfig": config})[0].reasoning == expected


@pytest.mark.parametrize(
    ("model", "reasoning", "written"),
    [
        ("gemini-3-flash", Reasoning(effort="low"), {"thinkingLevel": "LOW"}),
        (
            "gemini-3-flash",
            Reasoning(effort="xhigh", show=True),
            {"thinkingLevel": "HIGH", "includeThoughts": True},
        ),
        ("gemini-3-flash", Reasoning(on=False), {"thinkingLevel": "MINIMAL"}),
        ("gemini-2.5-pro", Reasoning(effort="high"), {"thinkingBudget": 24576}),
        ("gemini-2.5-pro", Reasoning(budget=700), {"thinkingBudget": 700}),
        ("gemini-2.5-pro", Reasoning(effort="none"), {"thinkingBudget": 0}),
        ("gemini-2.5-pro", Reasoning(show=True), {"includeThoughts": True}),
    ],
)
def test_newer_models_take_a_level_and_older_ones_a_budget(
    model: str, reasoning: Reasoning, written: Any
) -> None:
    assert write(model=model, reasoning=reasoning)[0]["generationConfig"]["thinkingConfig"] == written


def conversation(*parts: Any) -> list[Message]:
    return [
        Message("user", [Text("q")]),
        Message("assistant", [ToolUse("c1", "t", "{}", where="call")]),
        Message("user", [ToolResult("c1", list(parts))]),
    ]


def test_the_first_call_of_a_step_is_signed_for_newer_models() -> None:
    body, losses = write(*conversation(Text("x")))
    older, none = write(*conversation(Text("x")), model="gemini-2.5-pro")
    own, _ = write(Message("assistant", [ToolUse("c1", "t", signature=Signature("gemini", "s"))]))

    assert body["contents"][1]["parts"][0]["thoughtSignature"] == "skip_thought_signature_validator"
    assert [loss.what for loss in losses] == ["the signature of a tool call"]
    assert "thoughtSignature" not in older["contents"][1]["parts"][0]
    assert none == []
    assert own["contents"][1]["parts"][0]["thoughtSignature"] == "s"


def test_results_name_their_tool_and_hold_images_where_the_model_takes_them() -> None:
    image = Media("image", "image/png", data=PIXEL, name="p")
    newer, losses = write(*conversation(Text('{"n": 1.0}'), image))
    older, _ = write(*conversation(Text("x"), image), model="gemini-2.5-pro")
    node = newer["contents"][2]["parts"][0]["functionResponse"]

    assert (node["name"], node["response"]) == ("t", {"n": 1.0})
    assert node["parts"][0]["inlineData"] == {"mimeType": "image/png", "data": PIXEL}
    assert "the name of a file" in [loss.what for loss in losses]
    assert [next(iter(part)) for part in older["contents"][2]["parts"]] == ["functionResponse", "inlineData"]


def test_failed_results_and_thoughts_and_media() -> None:
    body, losses = write(
        Message("system", [Text("brief")]),
        Message(
            "user",
            [
                ToolResult("gone", [Text("no")], error=True),
                Text(""),
                Text("a"),
                Media("image", url="https://example.com/a"),
            ],
        ),
        Message(
            "assistant",
            [
                Thinking("why", Signature("gemini", "s")),
                Thinking("", Signature("gemini", "r"), redacted=True),
            ],
        ),
        Message("user", [Media("document", text="plain"), Media("video", where="v")]),
        Message("assistant", []),
        tools=[Tool("t")],
        settings={"parallel_tools": Setting(False, "p")},
    )
    first, second, third = body["contents"]

    assert first["parts"][0]["functionResponse"] == {
        "id": "gone",
        "name": "gone",
        "response": {"error": "no"},
    }
    assert first["parts"][2] == {"fileData": {"fileUri": "https://example.com/a"}}
    assert second == {
        "role": "model",
        "parts": [
            {"text": "why", "thought": True, "thoughtSignature": "s"},
            {"text": "", "thoughtSignature": "r"},
        ],
    }
    assert third["parts"][0] == {"text": "plain"}
    assert [loss.what for loss in losses] == ["video in this form", "parallel_tools"]


@pytest.mark.parametrize(
    ("config", "lost"),
    [
        ({"responseMimeType": "text/x.enum"}, ["answers of the type text/x.enum"]),
        ({"responseMimeType": "text/plain", "responseModalities": ["TEXT"]}, []),
        ({"response_modalities": ["TEXT", "IMAGE"]}, ["answers other than text"]),
    ],
)
def test_answers_that_only_this_provider_gives_are_noted(config: Any, lost: list[str]) -> None:
    assert [what for what, _, _ in read(generationConfig=config)[1]] == lost
