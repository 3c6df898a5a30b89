"""One conversation, as each dialect's own client asks it."""

from __future__ import annotations

from typing import Any

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
CLOSED = {**SCHEMA, "required": ["city", "days"], "additionalProperties": False}
ASK = "Use get_weather and get_time."

CHAT_TOOLS = [
    {"type": "function", "function": {"name": name, "description": "About " + name, "parameters": SCHEMA}}
    for name in ("get_weather", "get_time")
]
RESPONSE_TOOLS: list[Any] = [{"type": "function", **tool["function"], "strict": False} for tool in CHAT_TOOLS]  # type: ignore[dict-item]
CLAUDE_TOOLS = [
    {"name": name, "description": "About " + name, "input_schema": SCHEMA}
    for name in ("get_weather", "get_time")
]
GEMINI_TOOLS = [
    {
        "functionDeclarations": [
            {"name": name, "description": "About " + name, "parametersJsonSchema": SCHEMA}
            for name in ("get_weather", "get_time")
        ]
    }
]
BEDROCK_TOOLS = {
    "tools": [
        {"toolSpec": {"name": name, "description": "About " + name, "inputSchema": {"json": SCHEMA}}}
        for name in ("get_weather", "get_time")
    ]
}

type Samples = dict[str, dict[str, Any]]

TEXT: Samples = {
    "openai-chat": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Good day"},
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": [{"type": "text", "text": "three words please"}]},
        ],
        "temperature": 0.5,
        "max_completion_tokens": 300,
    },
    "openai-responses": {
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": "Good day"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]},
            {"role": "user", "content": [{"type": "input_text", "text": "three words please"}]},
        ],
        "temperature": 0.5,
        "max_output_tokens": 300,
    },
    "anthropic-messages": {
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "Good day"},
            {"role": "assistant", "content": [{"type": "text", "text": "Hello."}]},
            {"role": "user", "content": [{"type": "text", "text": "three words please"}]},
        ],
        "temperature": 0.5,
        "max_tokens": 300,
    },
    "gemini": {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Good day"}]},
            {"role": "model", "parts": [{"text": "Hello."}]},
            {"role": "user", "parts": [{"text": "three words please"}]},
        ],
        "generationConfig": {"temperature": 0.5, "maxOutputTokens": 300},
    },
    "bedrock-converse": {
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"text": "Good day"}]},
            {"role": "assistant", "content": [{"text": "Hello."}]},
            {"role": "user", "content": [{"text": "three words please"}]},
        ],
        "inferenceConfig": {"temperature": 0.5, "maxTokens": 300},
    },
}

TOOLS: Samples = {
    "openai-chat": {
        "messages": [{"role": "user", "content": ASK}],
        "tools": CHAT_TOOLS,
        "tool_choice": "required",
    },
    "openai-responses": {"input": ASK, "tools": RESPONSE_TOOLS, "tool_choice": "required"},
    "anthropic-messages": {
        "max_tokens": 300,
        "messages": [{"role": "user", "content": ASK}],
        "tools": CLAUDE_TOOLS,
        "tool_choice": {"type": "any"},
    },
    "gemini": {
        "contents": [{"role": "user", "parts": [{"text": ASK}]}],
        "tools": GEMINI_TOOLS,
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
    },
    "bedrock-converse": {
        "messages": [{"role": "user", "content": [{"text": ASK}]}],
        "toolConfig": {**BEDROCK_TOOLS, "toolChoice": {"any": {}}},
    },
}

RESULTS: Samples = {
    "openai-chat": {
        "messages": [
            {"role": "user", "content": ASK},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {
                            "name": "get_weather",
                            "arguments": '{"city": "Rome", "days": 12345678901234567890123}',
                        },
                    },
                    {"id": "call_2", "type": "function", "function": {"name": "get_time", "arguments": ""}},
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
            {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "noon"}]},
            {"role": "user", "content": "And now?"},
        ],
        "tools": CHAT_TOOLS,
    },
    "openai-responses": {
        "input": [
            {"role": "user", "content": ASK},
            {
                "type": "function_call",
                "call_id": "call_1",
                "name": "get_weather",
                "arguments": '{"city":"Rome"}',
            },
            {"type": "function_call", "call_id": "call_2", "name": "get_time", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
            {
                "type": "function_call_output",
                "call_id": "call_2",
                "output": [
                    {"type": "input_text", "text": "noon"},
                    {"type": "input_image", "image_url": "data:image/png;base64," + PIXEL, "detail": "low"},
                ],
            },
            {"role": "user", "content": "And now?"},
        ],
        "tools": RESPONSE_TOOLS,
    },
    "anthropic-messages": {
        "max_tokens": 300,
        "messages": [
            {"role": "user", "content": ASK},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Rome"}},
                    {"type": "tool_use", "id": "toolu_2", "name": "get_time", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": "sunny"},
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_2",
                        "is_error": True,
                        "content": [
                            {"type": "text", "text": "noon"},
                            {
                                "type": "image",
                                "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
                            },
                        ],
                    },
                    {"type": "text", "text": "And now?"},
                ],
            },
        ],
        "tools": CLAUDE_TOOLS,
    },
    "gemini": {
        "contents": [
            {"role": "user", "parts": [{"text": ASK}]},
            {
                "role": "model",
                "parts": [
                    {"functionCall": {"name": "get_weather", "args": {"city": "Rome"}}},
                    {"functionCall": {"name": "get_time", "args": {}}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"name": "get_weather", "response": {"output": "sunny"}}},
                    {"functionResponse": {"name": "get_time", "response": {"error": "noon"}}},
                    {"text": "And now?"},
                ],
            },
        ],
        "tools": GEMINI_TOOLS,
    },
    "bedrock-converse": {
        "messages": [
            {"role": "user", "content": [{"text": ASK}]},
            {
                "role": "assistant",
                "content": [
                    {"toolUse": {"toolUseId": "tooluse_1", "name": "get_weather", "input": {"city": "Rome"}}},
                    {"toolUse": {"toolUseId": "tooluse_2", "name": "get_time", "input": {}}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"toolResult": {"toolUseId": "tooluse_1", "content": [{"text": "sunny"}]}},
                    {
                        "toolResult": {
                            "toolUseId": "tooluse_2",
                            "status": "error",
                            "content": [
                                {"text": "noon"},
                                {"image": {"format": "png", "source": {"bytes": PIXEL}}},
                            ],
                        }
                    },
                    {"text": "And now?"},
                ],
            },
        ],
        "toolConfig": BEDROCK_TOOLS,
    },
}

IMAGES: Samples = {
    "openai-chat": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "type": "image_url",
                        "image_url": {"url": "data:image/png;base64," + PIXEL, "detail": "low"},
                    },
                    {
                        "type": "file",
                        "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="},
                    },
                    {"type": "text", "text": "What is this?"},
                ],
            }
        ],
    },
    "openai-responses": {
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_image", "image_url": "data:image/png;base64," + PIXEL, "detail": "low"},
                    {
                        "type": "input_file",
                        "filename": "a.pdf",
                        "file_data": "data:application/pdf;base64,JVBERg==",
                    },
                    {"type": "input_text", "text": "What is this?"},
                ],
            }
        ],
    },
    "anthropic-messages": {
        "max_tokens": 300,
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
                    {
                        "type": "document",
                        "title": "a.pdf",
                        "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
                    },
                    {"type": "text", "text": "What is this?"},
                ],
            }
        ],
    },
    "gemini": {
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"inlineData": {"mimeType": "image/png", "data": PIXEL}},
                    {
                        "inlineData": {
                            "mimeType": "application/pdf",
                            "data": "JVBERg==",
                            "displayName": "a.pdf",
                        }
                    },
                    {"text": "What is this?"},
                ],
            }
        ],
    },
    "bedrock-converse": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"image": {"format": "png", "source": {"bytes": PIXEL}}},
                    {"document": {"format": "pdf", "name": "a", "source": {"bytes": "JVBERg=="}}},
                    {"text": "What is this?"},
                ],
            }
        ],
    },
}

THINKING: Samples = {
    "openai-chat": {"messages": [{"role": "user", "content": "Why?"}], "reasoning_effort": "high"},
    "openai-responses": {"input": "Why?", "reasoning": {"effort": "high", "summary": "auto"}},
    "anthropic-messages": {
        "max_tokens": 9000,
        "messages": [{"role": "user", "content": "Why?"}],
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": "high"},
    },
    "gemini": {
        "contents": [{"role": "user", "parts": [{"text": "Why?"}]}],
        "generationConfig": {"thinkingConfig": {"includeThoughts": True, "thinkingLevel": "HIGH"}},
    },
    "bedrock-converse": {
        "messages": [{"role": "user", "content": [{"text": "Why?"}]}],
        "inferenceConfig": {"maxTokens": 9000},
        "additionalModelRequestFields": {"thinking": {"type": "adaptive"}},
    },
}

STRUCTURED: Samples = {
    "openai-chat": {
        "messages": [{"role": "user", "content": "Where?"}],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "place", "schema": CLOSED, "strict": True},
        },
    },
    "openai-responses": {
        "input": "Where?",
        "text": {"format": {"type": "json_schema", "name": "place", "schema": CLOSED, "strict": True}},
    },
    "anthropic-messages": {
        "max_tokens": 300,
        "messages": [{"role": "user", "content": "Where?"}],
        "output_config": {"format": {"type": "json_schema", "schema": CLOSED}},
    },
    "gemini": {
        "contents": [{"role": "user", "parts": [{"text": "Where?"}]}],
        "generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": CLOSED},
    },
    "bedrock-converse": {
        "messages": [{"role": "user", "content": [{"text": "Where?"}]}],
        "outputConfig": {
            "textFormat": {
                "type": "json_schema",
                "structure": {
                    "jsonSchema": {
                        "name": "place",
                        "schema": '{"type":"object","properties":{"city":{"type":"string"}}}',
                    }
                },
            }
        },
    },
}

ALL: dict[str, Samples] = {
    "text": TEXT,
    "tools": TOOLS,
    "results": RESULTS,
    "images": IMAGES,
    "thinking": THINKING,
    "structured": STRUCTURED,
}
SOURCES = tuple(TEXT)
TARGETS = (*SOURCES, "ollama", "cohere-chat")
