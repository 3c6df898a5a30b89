"""Each client is known by what it really says of itself."""

from __future__ import annotations

import pytest

from tollgate.access.tools import TOOLS, tool_of


@pytest.mark.parametrize(
    ("user_agent", "tool"),
    [
        ("claude-cli/2.1.330 (external, sdk-cli)", "claude-code"),
        ("claude-code/2.1.330", "claude-code"),
        ("codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm-256color", "codex"),
        ("codex_cli_rs/0.153.4 (Ubuntu 24.4.0; x86_64) xterm", "codex"),
        ("codex-tui/0.169.0", "codex"),
        ("codex-mcp-client/0.169.0", "codex"),
        ("GeminiCLI-tui/0.61.0/gemini-2.5-flash (linux; x64; terminal)", "gemini-cli"),
        ("GeminiCLI/0.20.0/gemini-2.5-pro (linux; x64) google-api-nodejs-client/10.9.0", "gemini-cli"),
        ("opencode/1.18.33 (linux; x64) ai-sdk/provider-utils/4.0.40 runtime/bun/1.3.14", "opencode"),
        ("opencode/latest/1.18.33/cli", "opencode"),
        ("copilot/1.0.102 (linux v24.20.0) term/unknown client/github/cli", "copilot"),
        ("GitHubCopilotCLI", "copilot"),
        ("GitHubCopilotChat/0.36.2", "copilot"),
        ("copilot-cli/1.0.102", "copilot"),
        ("RooCode/3.30.0", "roo-code"),
        ("litellm/1.106.2", "litellm"),
        ("Agents/Python 0.2.7", "openai-agents"),
        ("pydantic-ai/1.9.0", "pydantic-ai"),
        ("ai/6.0.1 ai-sdk/provider-utils/4.0.46 runtime/node.js/24", "ai-sdk"),
        ("OpenAI/Python 3.54.0", "openai-python"),
        ("AsyncAzureOpenAI/Python 1.99.7", "openai-python"),
        ("OpenAI/JS 7.57.0", "openai-node"),
        ("Anthropic/Python 2.12.0", "anthropic-python"),
        ("AsyncAnthropicBedrock/Python 2.12.0", "anthropic-python"),
        ("AnthropicBedrockMantle/Python 2.12.0", "anthropic-python"),
        ("Anthropic/JS 1.12.0", "anthropic-node"),
        ("Cerebras/Python 1.91.0", "cerebras-python"),
        ("Fireworks/Python 1.2.28", "fireworks-python"),
        ("AsyncGroq/Python 1.7.0", "groq-python"),
        ("Perplexity/Python 0.46.1", "perplexity-python"),
        ("Together/Python 3.1.1", "together-python"),
        ("Together/v1 PythonBindings/1.2.0", "together-python"),
        ("google-genai-sdk/3.4.0 gl-python/3.13.0", "google-genai"),
        ("google-api-nodejs-client/10.9.0", "google-api-node"),
        ("Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux lang/python#3.13.0", "boto3"),
        ("aws-sdk-js/3.936.0 ua/2.1 os/linux lang/js", "aws-sdk-js"),
        ("cohere/7.3.1", "cohere-python"),
        ("mistral-client-python/3.7.0", "mistral-python"),
        ("ollama-python/0.6.3 (x86_64 linux) Python/3.13.0", "ollama-python"),
        ("ollama-js/0.6.2 (x64 linux Node.js/v24)", "ollama-js"),
        ("speakeasy-sdk/python 1.3.84 2.914.0 1.0.0 openrouter", "openrouter-python"),
        ("unknown/None; hf_hub/2.4.0; python/3.13.0", "huggingface-hub"),
        ("XaiSdk/1.21.0 grpc-python/1.85.1 grpc-c/58.0.0 (linux; chttp2)", "xai-sdk"),
        ("curl/8.14.1", "curl"),
        ("python-requests/2.34.2", "python-requests"),
        ("python-httpx/0.28.1", "httpx"),
        ("python-httpx2/2.16.2", "httpx"),
        ("Python/3.13 aiohttp/3.14.5", "aiohttp"),
        ("Python/3.13 websockets/17.4", "websockets"),
        ("Bun/1.4.4", "bun"),
        ("node", "node"),
        ("Mozilla/5.0 (X11; Linux x86_64)", ""),
        ("my-node-app/1.0", ""),
        ("", ""),
    ],
)
def test_a_user_agent_tells_the_tool(user_agent: str, tool: str) -> None:
    assert tool_of(user_agent) == tool


def test_every_row_can_be_reached() -> None:
    """A row below a wider one would never match."""
    for glob, tool in TOOLS:
        example = glob.replace("[-_]", "_").replace("*", "x")
        assert tool_of(example) == tool, glob


def test_only_the_beginning_of_a_huge_user_agent_counts() -> None:
    assert tool_of("curl/8 " + "x" * 1_000_000) == "curl"
