"""Every call of every Python client, one after the other: python tests/clients"""

from __future__ import annotations

import anthropic_calls
import bedrock_calls
import cohere_calls
import curl_calls
import gemini_calls
import http_calls
import ollama_calls
import openai_calls
from report import report

for module in (
    openai_calls,
    anthropic_calls,
    gemini_calls,
    bedrock_calls,
    cohere_calls,
    ollama_calls,
    http_calls,
    curl_calls,
):
    report(module.CALLS)
