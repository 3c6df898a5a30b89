"""boto3's bedrock-runtime. The simulated provider refuses what is not signed with these credentials."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config
from report import PROMPT, SCHEMA, TIMEOUT, TOOL_PROMPT, TOOLS, Call

REGION = "us-east-1"
ACCESS_KEY = "AKIATESTTESTTESTTEST"
SECRET_KEY = "simulated/secret+of/the+simulated/provider"
MODEL = "us.anthropic.claude-sonnet-5-5-v1:0"

MESSAGES: list[Any] = [{"role": "user", "content": [{"text": PROMPT}]}]
SPECS = [
    {"toolSpec": {"name": name, "description": text, "inputSchema": {"json": SCHEMA}}}
    for name, text in TOOLS.items()
]

client = boto3.client(
    "bedrock-runtime",
    region_name=REGION,
    aws_access_key_id=ACCESS_KEY,
    aws_secret_access_key=SECRET_KEY,
    config=Config(retries={"total_max_attempts": 1}, read_timeout=TIMEOUT),
)


def _without_http(answer: dict[str, Any]) -> dict[str, Any]:
    """The Date header is another at every call."""
    meta = answer.pop("ResponseMetadata")
    return {**answer, "request_id": meta["RequestId"], "status": meta["HTTPStatusCode"]}


def converse() -> Iterator[Any]:
    system = [{"text": "Be brief."}]
    inference = {"maxTokens": 64, "temperature": 0.5}
    yield _without_http(
        client.converse(modelId=MODEL, messages=MESSAGES, system=system, inferenceConfig=inference)
    )


def converse_stream() -> Iterator[Any]:
    yield from client.converse_stream(modelId=MODEL, messages=MESSAGES)["stream"]


def converse_stream_tools() -> Iterator[Any]:
    messages = [{"role": "user", "content": [{"text": TOOL_PROMPT}]}]
    answer = client.converse_stream(modelId=MODEL, messages=messages, toolConfig={"tools": SPECS})
    yield from answer["stream"]


def _claude_body() -> str:
    messages = [{"role": "user", "content": PROMPT}]
    return json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 64, "messages": messages})


def invoke() -> Iterator[Any]:
    answer = client.invoke_model(modelId=MODEL, body=_claude_body())
    yield _without_http({**answer, "body": answer["body"].read()})


def invoke_stream() -> Iterator[Any]:
    yield from client.invoke_model_with_response_stream(modelId=MODEL, body=_claude_body())["body"]


def badly_signed() -> Iterator[Any]:
    """Another secret: what arrives is refused by the provider, not by anyone on the way."""
    own = boto3.client(
        "bedrock-runtime",
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key="another",
        config=Config(retries={"total_max_attempts": 1}),
    )
    try:
        own.converse(modelId=MODEL, messages=MESSAGES)
    except own.exceptions.ClientError as e:
        yield {"error": e.response["Error"], "status": e.response["ResponseMetadata"]["HTTPStatusCode"]}


CALLS: dict[str, Call] = {
    "bedrock-converse": converse,
    "bedrock-converse-stream": converse_stream,
    "bedrock-converse-stream-tools": converse_stream_tools,
    "bedrock-invoke": invoke,
    "bedrock-invoke-stream": invoke_stream,
    "bedrock-badly-signed": badly_signed,
}
