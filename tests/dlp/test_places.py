"""The tables: complete, and right where providers differ. Streams through them are tested in test_stream."""

import pytest

from tollgate.dialects.registry import DIALECTS
from tollgate.dlp.place import Path
from tollgate.dlp.places import GENERIC, PLACES


def test_every_dialect_has_a_table() -> None:
    assert PLACES.keys() == {name for name, _ in DIALECTS}


@pytest.mark.parametrize(
    ("dialect", "kind", "path", "manner", "piece"),
    [
        ("openai-chat", "", ("choices", 0, "delta", "reasoning_content"), "text", True),
        ("openai-chat", "", ("choices", 0, "delta", "content", 0, "thinking", 0, "text"), "text", True),
        ("openai-chat", "", ("choices", 0, "delta", "function_call", "arguments"), "json", True),
        ("openai-chat", "", ("choices", 0, "delta", "tool_calls", 0, "custom", "input"), "input", True),
        ("openai-chat", "", ("choices", 0, "delta", "reasoning_details", 0, "text"), "signed", False),
        ("openai-chat", "", ("choices", 0, "message", "content"), "text", False),
        ("openai-responses", "response.audio.delta", ("delta",), "text", False),
        ("openai-responses", "response.function_call_arguments.delta", ("delta",), "json", True),
        ("openai-responses", "", ("response", "output", 1, "input"), "input", False),
        ("openai-responses", "", ("item", "operation", "diff"), "input", False),
        ("anthropic-messages", "", ("content", 0, "input", "file", "text"), "input", False),
        ("anthropic-messages", "content_block_delta", ("delta", "citation", "cited_text"), "text", False),
        ("gemini", "", ("candidates", 0, "content", "parts", 0, "functionCall", "args", "a"), "input", False),
        ("bedrock-converse", "", ("delta", "reasoningContent", "text"), "signed", False),
        ("bedrock-converse", "", ("output", "message", "content", 0, "reasoningContent"), "signed", False),
        ("cohere-chat", "tool-plan-delta", ("delta", "message", "tool_plan"), "text", True),
        ("ollama", "", ("thinking",), "text", True),
    ],
)  # fmt: skip
def test_what_stands_where(dialect: str, kind: str, path: Path, manner: str, piece: bool) -> None:
    for table in (PLACES[dialect], GENERIC):
        assert table.place(path, kind)[:2] == (manner, piece)


def test_all_paths_are_written_without_positions() -> None:
    paths = [path for table in PLACES.values() for path in table.at]

    assert all(path and not any(part.isdecimal() for part in path.split(".")) for path in paths)
