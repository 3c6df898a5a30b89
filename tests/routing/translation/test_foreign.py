from base64 import b64encode
from typing import Any

import pytest

from tollgate.routing.translation import compaction
from tollgate.routing.translation.foreign import without_foreign
from tollgate.routing.translation.neutral import Signature
from tollgate.routing.translation.signatures import wrap, wrap_any

SEAL = wrap(Signature("nobody", "s"), "")
TWICE = b64encode(SEAL.encode()).decode()
SUMMARY = compaction.item("it was done", "1")
TEXT = {"type": "text", "text": SEAL}


@pytest.mark.parametrize(
    ("dialect", "body", "left"),
    [
        (
            "anthropic-messages",
            {
                "messages": [
                    {"role": "user", "content": "hello"},
                    {"role": "assistant", "content": [{"type": "thinking", "signature": SEAL}, TEXT]},
                    {"role": "assistant", "content": [{"type": "redacted_thinking", "data": SEAL}]},
                    {"role": "assistant", "content": [{"type": "thinking", "signature": "own"}]},
                    {"role": "user", "content": []},
                    "odd",
                ]
            },
            [
                {"role": "user", "content": "hello"},
                {"role": "assistant", "content": [TEXT]},
                {"role": "assistant", "content": [{"type": "thinking", "signature": "own"}]},
                {"role": "user", "content": []},
                "odd",
            ],
        ),
        (
            "openai-responses",
            {
                "input": [
                    {"role": "user", "content": "hello"},
                    {"type": "reasoning", "id": "rs_1", "encrypted_content": wrap_any(None, "openai")},
                    {"type": "reasoning", "id": "rs_2", "encrypted_content": "own"},
                    SUMMARY,
                ]
            },
            [
                {"role": "user", "content": "hello"},
                {"type": "reasoning", "id": "rs_2", "encrypted_content": "own"},
                {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": compaction.words(SUMMARY)}],
                },
            ],
        ),
        (
            "gemini",
            {
                "contents": [
                    {
                        "parts": [
                            {"text": "why", "thought": True, "thoughtSignature": SEAL},
                            {"function_call": {"name": "f"}, "thought_signature": SEAL},
                            {"text": "a", "thoughtSignature": "own"},
                        ]
                    }
                ]
            },
            [
                {
                    "parts": [
                        {
                            "function_call": {"name": "f"},
                            "thoughtSignature": "skip_thought_signature_validator",
                        },
                        {"text": "a", "thoughtSignature": "own"},
                    ]
                }
            ],
        ),
        (
            "bedrock-converse",
            {
                "messages": [
                    {
                        "content": [
                            {"reasoningContent": {"reasoningText": {"text": "why", "signature": SEAL}}},
                            {"reasoningContent": {"redactedContent": TWICE}},
                            {"text": "a"},
                        ]
                    }
                ]
            },
            [{"content": [{"text": "a"}]}],
        ),
    ],
)
def test_thoughts_of_others_go_and_all_else_stays(dialect: str, body: Any, left: list[Any]) -> None:
    member = next(iter(body))

    assert without_foreign(dialect, body) == (member, left)
    assert without_foreign(dialect, {member: left}) is None


def test_where_there_is_no_conversation_nothing_is_foreign() -> None:
    assert without_foreign("openai-chat", {"messages": [TEXT]}) is None
    assert without_foreign("gemini", {"contents": SEAL}) is None
    assert without_foreign("gemini", [SEAL]) is None
