"""Where text stands in answers, whole and streamed: a table for each dialect.

Signed are the thoughts of Claude, and what comes with them. Clients have to send these back to the letter,
and requests pass them on unread; so a value that was restored in them would leave. Their tokens stay.
"""

from __future__ import annotations

from collections.abc import Mapping

from tollgate.dlp.place import Place, Places

SIGNED = Place("signed")
JSON = Place("json")
"""A tool's input as JSON in a string."""
INPUT = Place("input")
"""A tool's input that is a plain string or an object."""
TEXTS = Place("text", piece=True)
JSONS = Place("json", piece=True)
INPUTS = Place("input", piece=True)
"""Pieces of a text, and of the other two."""


def _below(paths: tuple[str, ...], places: Mapping[str, Place]) -> dict[str, Place]:
    """The same places below each of these paths."""
    return {f"{path}.{below}": place for path in paths for below, place in places.items()}


_CALL = {
    "tool_calls.function.arguments": JSON,
    "tool_calls.custom.input": INPUT,
    "function_call.arguments": JSON,
}
_CALLS = {
    "tool_calls.function.arguments": JSONS,
    "tool_calls.custom.input": INPUTS,
    "function_call.arguments": JSONS,
}

CHAT = Places(
    at=_below(("choices.message",), _CALL)
    | _below(
        ("choices.delta",),
        {
            **_CALLS,
            "content": TEXTS,
            "content.text": TEXTS,  # Mistral's parts
            "content.thinking.text": TEXTS,
            "reasoning_content": TEXTS,
            "reasoning": TEXTS,
            "refusal": TEXTS,
            "audio.transcript": TEXTS,
        },
    )
    | _below(("choices.delta", "choices.message"), {"reasoning_details": SIGNED}),  # OpenRouter: Claude's
    end_fields=("choices.finish_reason",),
)
"""https://platform.openai.com/docs/api-reference/chat/streaming"""

COMPLETIONS = Places(at={"choices.text": TEXTS}, end_fields=("choices.finish_reason",))

_ITEM = {"arguments": JSON, "input": INPUT, "action": INPUT, "operation": INPUT, "encrypted_content": SIGNED}

RESPONSES = Places(
    at=_below(("item", "output", "response.output"), _ITEM)
    | {
        "response.output_text.delta:delta": TEXTS,
        "response.refusal.delta:delta": TEXTS,
        "response.reasoning_text.delta:delta": TEXTS,
        "response.reasoning_summary_text.delta:delta": TEXTS,
        "response.audio.transcript.delta:delta": TEXTS,
        "response.shell_call_output_content.delta:delta.stdout": TEXTS,
        "response.shell_call_output_content.delta:delta.stderr": TEXTS,
        "response.function_call_arguments.delta:delta": JSONS,
        "response.mcp_call_arguments.delta:delta": JSONS,
        "response.custom_tool_call_input.delta:delta": INPUTS,
        "response.shell_call_command.delta:delta": INPUTS,
        "response.code_interpreter_call_code.delta:delta": INPUTS,
        "response.apply_patch_call_operation_diff.delta:delta": INPUTS,
        "arguments": JSON,
        "input": INPUT,
        "command": INPUT,
        "code": INPUT,
        "diff": INPUT,
    },
    end_types=(".done", "response.completed", "response.incomplete", "response.failed"),
)
"""https://platform.openai.com/docs/api-reference/responses-streaming"""

_CLAUDE = {"input": INPUT, "thinking": SIGNED, "signature": SIGNED, "data": SIGNED}
_TEXT_DELTA = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "$text"}}

MESSAGES = Places(
    at=_below(("content", "content_block"), _CLAUDE)
    | {
        "content_block.text": Place("text", piece=True, channel="text", continued=_TEXT_DELTA),
        "delta.text": Place("text", piece=True, channel="text"),
        "delta.partial_json": JSONS,
        "delta.thinking": SIGNED,
        "delta.signature": SIGNED,
    },
    end_types=("content_block_stop", "message_delta", "message_stop"),
)
"""https://platform.claude.com/docs/en/build-with-claude/streaming"""

GEMINI = Places(
    at=_below(
        ("candidates.content.parts",),
        {
            "text": TEXTS,
            "functionCall.args": INPUT,
            "functionCall.partialArgs.stringValue": Place("input", piece=True, more="willContinue"),
            "toolCall.args": INPUT,
            "thoughtSignature": SIGNED,
        },
    ),
    end_fields=("candidates.finishReason", "candidates.content.parts.functionCall.args"),
    keeps=frozenset({"role"}),
)
"""https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse"""

CLOUDCODE = Places(
    at=_below(("response",), GEMINI.at),
    end_fields=tuple(f"response.{field}" for field in GEMINI.end_fields),
    keeps=GEMINI.keeps,
)

INTERACTIONS = Places(
    at=_below(
        ("step", "steps", "outputs", "interaction.steps", "interaction.outputs"),
        {"arguments": INPUT, "signature": SIGNED},
    )
    | {"delta.text": TEXTS, "delta.content.text": TEXTS, "delta.arguments": JSONS, "delta.signature": SIGNED},
    end_types=("step.stop", "content.stop", "interaction.completed"),
)
"""https://ai.google.dev/gemini-api/docs/interactions/streaming"""

_CONVERSE_DELTA = {"text": TEXTS, "toolUse.input": JSONS, "reasoningContent": SIGNED}

CONVERSE = Places(
    at=_below(("delta",), _CONVERSE_DELTA)
    | _below(("output.message.content",), {"toolUse.input": INPUT, "reasoningContent": SIGNED}),
    end_types=("contentBlockStop", "messageStop"),
)
"""https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html"""

COHERE = Places(
    at=_below(("message",), _CALL)
    | {
        "delta.message.content.text": Place("text", piece=True, channel="content"),
        "delta.message.content.thinking": TEXTS,
        "delta.message.tool_plan": TEXTS,
        "delta.message.tool_calls.function.arguments": JSONS,
        "content-start:delta.message.content.text": Place(
            "text",
            piece=True,
            channel="content",
            continued={"type": "content-delta", "delta": {"message": {"content": {"text": "$text"}}}},
        ),
        "text-generation:text": TEXTS,  # version 1
    },
    end_types=("content-end", "tool-call-end", "message-end", "stream-end"),
)
"""https://docs.cohere.com/v2/docs/streaming"""

OLLAMA = Places(
    at={
        "message.content": TEXTS,
        "message.thinking": TEXTS,
        "message.tool_calls.function.arguments": INPUT,
        "response": TEXTS,
        "thinking": TEXTS,
    },
    end_fields=("done",),
    keeps=frozenset({"role"}),
)
"""https://github.com/ollama/ollama/blob/main/docs/api.md"""

_NOVA = _below(("contentBlockDelta.delta",), _CONVERSE_DELTA)
_LOCAL = {"generation": TEXTS, "outputText": TEXTS, "outputs.text": TEXTS, "token.text": TEXTS}
"""Llama and Titan on Bedrock, Mistral there, and Hugging Face's own servers."""


def _any(*tables: Places, in_base64: bool) -> Places:
    """A table for APIs that may speak as any of these: their places are apart."""
    return Places(
        at={path: place for table in tables for path, place in table.at.items()} | _NOVA | _LOCAL,
        end_types=tuple(dict.fromkeys(name for table in tables for name in table.end_types)),
        end_fields=(
            *dict.fromkeys(name for table in tables for name in table.end_fields),
            *("contentBlockStop", "messageStop", "stop_reason", "outputs.stop_reason", "completionReason"),
        ),
        in_base64=in_base64,
    )


INVOKE = _any(CONVERSE, COHERE, CHAT, MESSAGES, in_base64=True)
"""Each of Bedrock's models has its own form: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html"""

GENERIC = _any(
    *(OLLAMA, GEMINI, INTERACTIONS, CONVERSE, COHERE, COMPLETIONS, CHAT, RESPONSES, MESSAGES), in_base64=False
)

PLACES: Mapping[str, Places] = {
    "openai-chat": CHAT,
    "openai-completions": COMPLETIONS,
    "openai-responses": RESPONSES,
    "openai-embeddings": GENERIC,
    "anthropic-messages": MESSAGES,
    "gemini": GEMINI,
    "gemini-cloudcode": CLOUDCODE,
    "gemini-interactions": INTERACTIONS,
    "bedrock-converse": CONVERSE,
    "bedrock-invoke": INVOKE,
    "cohere-chat": COHERE,
    "ollama": OLLAMA,
    "generic": GENERIC,
}
"""By the name of the dialect."""
