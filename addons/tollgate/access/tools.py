"""Which client program a user agent stands for."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache

TOOLS: tuple[tuple[str, str], ...] = (
    # Agents and editors. Where no source stands, the string was seen on the wire in November 2026.
    ("claude-cli/*", "claude-code"),  # calls
    ("claude-code/*", "claude-code"),  # settings, telemetry
    (
        "codex[-_]*",
        "codex",
    ),  # codex_exec, codex-mcp-client; others are the originators in openai/codex, codex-rs
    ("geminicli*", "gemini-cli"),  # GeminiCLI-tui/0.61.0/gemini-2.5-flash (linux; x64; terminal)
    ("opencode/*", "opencode"),
    ("copilot/*", "copilot"),
    ("copilot-cli/*", "copilot"),
    ("githubcopilot*", "copilot"),  # GitHubCopilotCLI; GitHubCopilotChat/… is the one of VS Code
    ("roocode/*", "roo-code"),  # https://github.com/RooCodeInc/Roo-Code, constants.ts
    # Frameworks, which call through the SDKs below.
    ("litellm/*", "litellm"),  # aider too
    ("agents/python *", "openai-agents"),  # https://github.com/openai/openai-agents-python
    ("pydantic-ai/*", "pydantic-ai"),  # https://github.com/pydantic/pydantic-ai, models/__init__.py
    ("* ai-sdk/*", "ai-sdk"),  # opencode/1.18.33 ai-sdk/provider-utils/4.0.46 runtime/bun/1.3.14
    # SDKs. Those that Stainless generates say "<class of the client>/<language> <version>".
    ("*openai/python *", "openai-python"),
    ("*openai/js *", "openai-node"),
    ("*anthropic*/python *", "anthropic-python"),  # AnthropicBedrock, AsyncAnthropicVertex, …
    ("*anthropic*/js *", "anthropic-node"),
    ("*cerebras/python *", "cerebras-python"),
    ("*fireworks/python *", "fireworks-python"),
    ("*groq/python *", "groq-python"),
    ("*perplexity/python *", "perplexity-python"),
    ("*together/python *", "together-python"),
    ("together/v1 *", "together-python"),
    ("google-genai-sdk/*", "google-genai"),
    ("google-api-nodejs-client/*", "google-api-node"),
    ("boto3/*", "boto3"),
    ("aws-sdk-js/*", "aws-sdk-js"),
    ("cohere/*", "cohere-python"),
    ("mistral-client-python/*", "mistral-python"),
    ("ollama-python/*", "ollama-python"),
    ("ollama-js/*", "ollama-js"),  # https://github.com/ollama/ollama-js, src/utils.ts
    ("speakeasy-sdk/* openrouter", "openrouter-python"),
    ("* hf_hub/*", "huggingface-hub"),
    ("xaisdk/*", "xai-sdk"),
    # Plain HTTP clients.
    ("curl/*", "curl"),
    ("python-requests/*", "python-requests"),
    ("python-httpx*", "httpx"),  # python-httpx2 too
    ("python/* aiohttp/*", "aiohttp"),
    ("python/* websockets/*", "websockets"),
    ("bun/*", "bun"),
    ("node", "node"),  # what fetch of Node says
)
"""Globs on the user agent in lower case; the first that matches tells the tool."""

_LONGEST = 200


def tool_of(user_agent: str) -> str:
    """The client program's name; empty for one that the table does not have."""
    return _lookup(user_agent[:_LONGEST].lower())


@lru_cache(maxsize=1024)
def _lookup(user_agent: str) -> str:
    return next((tool for pattern, tool in TOOLS if fnmatchcase(user_agent, pattern)), "")
