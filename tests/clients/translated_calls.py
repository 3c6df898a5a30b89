"""Official SDKs in front of targets of other dialects: python tests/clients/translated_calls.py URL

Every call says the same five things of its answer, whatever the SDK. What an SDK takes without a word is
checked here against its own types: an answer, and each event.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from typing import Any

import anthropic
import boto3
import openai
from anthropic.types import Message, RawMessageStreamEvent
from botocore.config import Config
from google import genai
from google.genai import types
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter
from report import PROMPT, SCHEMA, TIMEOUT, TOOL_PROMPT, TOOLS

URL = sys.argv[1]
TARGETS = (
    *("openai-chat", "openai-responses", "anthropic-messages", "gemini", "bedrock-converse"),
    *("ollama", "cohere-chat"),
)
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
FAIL = {"x-simulate": json.dumps({"status": 429})}
BREAK = {"x-simulate": json.dumps({"error_after": 3})}

CHAT_TOOLS: list[Any] = [
    {"type": "function", "function": {"name": name, "description": text, "parameters": SCHEMA}}
    for name, text in TOOLS.items()
]
RESPONSE_TOOLS: list[Any] = [{"type": "function", **tool["function"], "strict": False} for tool in CHAT_TOOLS]
CLAUDE_TOOLS: list[Any] = [
    {"name": name, "description": text, "input_schema": SCHEMA} for name, text in TOOLS.items()
]
BEDROCK_TOOLS: Any = {
    "tools": [
        {"toolSpec": {"name": name, "description": text, "inputSchema": {"json": SCHEMA}}}
        for name, text in TOOLS.items()
    ]
}
THINKING: Any = {"thinking": {"type": "adaptive"}}

type Said = dict[str, Any]


def said(text: str, calls: list[Any], stop: str, used: tuple[int, int], thoughts: str = "") -> Said:
    return {"text": text, "calls": calls, "stop": stop, "used": used, "thought": bool(thoughts)}


# -- OpenAI ------------------------------------------------------------------------------------------------


class Chat:
    tools = CHAT_TOOLS

    def __init__(self, target: str) -> None:
        self.client = openai.OpenAI(
            api_key="sk-fake", base_url=f"{URL}/{target}/v1", timeout=TIMEOUT, max_retries=0
        )

    def create(self, prompt: str, **more: Any) -> Any:
        messages: list[Any] = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": prompt},
        ]
        return self.client.chat.completions.create(model="m", messages=messages, **more)

    def tell(self, answer: ChatCompletion) -> Said:
        ChatCompletion.model_validate(answer.model_dump(exclude_unset=True))
        choice = answer.choices[0]
        calls = [[c.function.name, json.loads(c.function.arguments)] for c in choice.message.tool_calls or []]
        used = (answer.usage.prompt_tokens, answer.usage.completion_tokens)
        thought = (choice.message.model_extra or {}).get("reasoning_content", "")
        return said(choice.message.content, calls, choice.finish_reason, used, thought)

    def whole(self) -> Said:
        return self.tell(self.create(PROMPT, temperature=0.5))

    def image(self) -> Said:
        content: Any = [
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
            {"type": "text", "text": PROMPT},
        ]
        messages: list[Any] = [{"role": "user", "content": content}]
        return self.tell(self.client.chat.completions.create(model="m", messages=messages))

    def streamed_tools(self) -> Said:
        messages: list[Any] = [{"role": "user", "content": TOOL_PROMPT}]
        return self.tell(self._stream(messages, reasoning_effort="high"))

    def _stream(self, messages: list[Any], **more: Any) -> ChatCompletion:
        """Through the SDK's own accumulator, which raises where pieces are missing."""
        options: Any = {"include_usage": True}
        with self.client.chat.completions.stream(
            model="m", messages=messages, tools=self.tools, stream_options=options, **more
        ) as stream:
            for event in stream:
                if event.type == "chunk":
                    ChatCompletionChunk.model_validate(event.chunk.model_dump(exclude_unset=True))
            return stream.get_final_completion()

    def second_turn(self) -> Said:
        messages: list[Any] = [{"role": "user", "content": TOOL_PROMPT}]
        message = self._stream(messages, reasoning_effort="high").choices[0].message
        messages.append(message.model_dump(exclude_none=True, exclude={"parsed"}))
        for call in message.tool_calls or []:
            call_id = call.id
            messages.append({"role": "tool", "tool_call_id": call_id, "content": "sunny"})
        for call in messages[1]["tool_calls"]:
            call["function"].pop("parsed_arguments", None)
        return self.tell(self._stream([*messages, {"role": "user", "content": PROMPT}]))

    def refused(self) -> Said:
        try:
            self.create(PROMPT, extra_headers=FAIL)
        except openai.RateLimitError as e:
            return {"status": e.status_code, "message": "error while processing" in e.message}
        return {}

    def broken(self) -> Said:
        try:
            list(self.create(PROMPT, stream=True, extra_headers=BREAK))
        except openai.APIError as e:
            return {"message": "error while processing" in e.message}
        return {}


class Responses(Chat):
    tools = RESPONSE_TOOLS
    event = TypeAdapter(ResponseStreamEvent)

    def create(self, prompt: str, **more: Any) -> Any:
        return self.client.responses.create(model="m", instructions="Be brief.", input=prompt, **more)

    def tell(self, answer: Response) -> Said:  # type: ignore[override]
        Response.model_validate(answer.model_dump(exclude_unset=True))
        calls = [[i.name, json.loads(i.arguments)] for i in answer.output if i.type == "function_call"]
        thought = "".join(s.text for i in answer.output if i.type == "reasoning" for s in i.summary)
        used = (answer.usage.input_tokens, answer.usage.output_tokens)
        return said(answer.output_text, calls, answer.status, used, thought)

    def image(self) -> Said:
        content: Any = [
            {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}", "detail": "auto"},
            {"type": "input_text", "text": PROMPT},
        ]
        items: Any = [{"role": "user", "content": content}]
        return self.tell(self.client.responses.create(model="m", input=items))

    def streamed_tools(self) -> Said:
        return self.tell(self._streamed(TOOL_PROMPT))

    def _streamed(self, given: Any) -> Response:
        reasoning: Any = {"effort": "high", "summary": "auto"}
        with self.client.responses.stream(
            model="m", input=given, tools=self.tools, reasoning=reasoning, store=False
        ) as stream:
            for event in stream:
                self.event.validate_python(
                    json.loads(event.model_dump_json(exclude_unset=True, exclude={"snapshot", "parsed"}))
                )
            return stream.get_final_response()

    def second_turn(self) -> Said:
        first = self._streamed(TOOL_PROMPT)
        kept = [item.model_dump(exclude_unset=True, exclude={"parsed_arguments"}) for item in first.output]
        for item in kept:
            for part in item.get("content") or []:
                part.pop("parsed", None)
        results = [
            {"type": "function_call_output", "call_id": item["call_id"], "output": "sunny"}
            for item in kept
            if item["type"] == "function_call"
        ]
        return self.tell(
            self._streamed(
                [
                    {"role": "user", "content": TOOL_PROMPT},
                    *kept,
                    *results,
                    {"role": "user", "content": PROMPT},
                ]
            )
        )


# -- Anthropic ---------------------------------------------------------------------------------------------


class Messages:
    tools = CLAUDE_TOOLS
    event = TypeAdapter(RawMessageStreamEvent)

    def __init__(self, target: str) -> None:
        self.client = anthropic.Anthropic(
            api_key="sk-ant-fake", base_url=f"{URL}/{target}", timeout=TIMEOUT, max_retries=0
        )

    def create(self, content: Any, **more: Any) -> Any:
        messages: list[Any] = [{"role": "user", "content": content}]
        return self.client.messages.create(
            model="m", max_tokens=64, system="Be brief.", messages=messages, **more
        )

    def tell(self, answer: Message) -> Said:
        Message.model_validate(answer.model_dump(exclude_unset=True))
        text = "".join(block.text for block in answer.content if block.type == "text")
        calls = [[block.name, block.input] for block in answer.content if block.type == "tool_use"]
        thought = "".join(block.thinking for block in answer.content if block.type == "thinking")
        use = answer.usage
        all_input = (
            use.input_tokens + (use.cache_read_input_tokens or 0) + (use.cache_creation_input_tokens or 0)
        )
        return said(text, calls, answer.stop_reason or "", (all_input, use.output_tokens), thought)

    def whole(self) -> Said:
        return self.tell(self.create(PROMPT))

    def image(self) -> Said:
        source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
        return self.tell(self.create([{"type": "image", "source": source}, {"type": "text", "text": PROMPT}]))

    def streamed_tools(self) -> Said:
        return self.tell(self._stream([{"role": "user", "content": TOOL_PROMPT}]))

    def _stream(self, messages: list[Any]) -> Message:
        thinking: Any = {"type": "adaptive"}
        with self.client.messages.stream(
            model="m", max_tokens=4096, messages=messages, tools=self.tools, thinking=thinking
        ) as stream:
            for event in stream:
                if event.type.startswith(("message_", "content_block_")):
                    raw = event.model_dump(exclude_unset=True)
                    raw.pop("snapshot", None)
                    if event.type.endswith("_stop"):
                        raw = {key: raw[key] for key in ("type", "index") if key in raw}
                    self.event.validate_python(raw)
            return stream.get_final_message()

    def second_turn(self) -> Said:
        messages: list[Any] = [{"role": "user", "content": TOOL_PROMPT}]
        first = self._stream(messages)
        messages.append(
            {
                "role": "assistant",
                "content": [
                    b.model_dump(exclude_unset=True, exclude={"parsed_output", "citations"})
                    for b in first.content
                ],
            }
        )
        results: list[Any] = [
            {"type": "tool_result", "tool_use_id": block.id, "content": "sunny"}
            for block in first.content
            if block.type == "tool_use"
        ]
        messages.append({"role": "user", "content": [*results, {"type": "text", "text": PROMPT}]})
        return self.tell(self._stream(messages))

    def refused(self) -> Said:
        try:
            self.create(PROMPT, extra_headers=FAIL)
        except anthropic.RateLimitError as e:
            return {"status": e.status_code, "message": "error while processing" in e.message}
        return {}

    def broken(self) -> Said:
        try:
            list(self.create(PROMPT, stream=True, extra_headers=BREAK))
        except anthropic.APIError as e:
            return {"message": "error while processing" in e.message}
        return {}


# -- Google ------------------------------------------------------------------------------------------------


class Gemini:
    def __init__(self, target: str) -> None:
        self._url = f"{URL}/{target}"
        self.client = self._client()

    def _client(self, headers: dict[str, str] | None = None) -> genai.Client:
        options = types.HttpOptions(base_url=self._url, timeout=int(TIMEOUT * 1000), headers=headers)
        return genai.Client(api_key="AIza-fake", http_options=options)

    @property
    def config(self) -> types.GenerateContentConfig:
        declared = [
            types.FunctionDeclaration(name=name, description=text, parameters_json_schema=SCHEMA)
            for name, text in TOOLS.items()
        ]
        return types.GenerateContentConfig(
            tools=[types.Tool(function_declarations=declared)],
            thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_level="HIGH"),
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        )

    def tell(self, answers: list[types.GenerateContentResponse]) -> Said:
        """Answers are validated by the SDK itself, which takes no unknown field."""
        parts = [
            p
            for a in answers
            for c in a.candidates or []
            for p in (c.content.parts if c.content else None) or []
        ]
        calls = [[p.function_call.name, p.function_call.args] for p in parts if p.function_call]
        text = "".join(p.text for p in parts if p.text and not p.thought)
        thought = "".join(p.text for p in parts if p.text and p.thought)
        use = answers[-1].usage_metadata
        used = (use.prompt_token_count, (use.candidates_token_count or 0) + (use.thoughts_token_count or 0))
        return said(text, calls, answers[-1].candidates[0].finish_reason.value, used, thought)

    def whole(self) -> Said:
        config = types.GenerateContentConfig(system_instruction="Be brief.", temperature=0.5)
        return self.tell([self.client.models.generate_content(model="m", contents=PROMPT, config=config)])

    def image(self) -> Said:
        image = types.Part.from_bytes(data=base64.b64decode(PIXEL), mime_type="image/png")
        return self.tell([self.client.models.generate_content(model="m", contents=[image, PROMPT])])

    def streamed_tools(self) -> Said:
        return self.tell(self._stream(TOOL_PROMPT))

    def _stream(self, contents: Any) -> list[types.GenerateContentResponse]:
        return list(
            self.client.models.generate_content_stream(model="m", contents=contents, config=self.config)
        )

    def second_turn(self) -> Said:
        first = self._stream(TOOL_PROMPT)
        asked = types.Content(role="user", parts=[types.Part(text=TOOL_PROMPT)])
        answered = [c.content for a in first for c in a.candidates or [] if c.content]
        calls = [p.function_call for content in answered for p in content.parts or [] if p.function_call]
        results = [
            types.Part(
                function_response=types.FunctionResponse(id=c.id, name=c.name, response={"output": "sunny"})
            )
            for c in calls
        ]
        told = types.Content(role="user", parts=[*results, types.Part(text=PROMPT)])
        return self.tell(self._stream([asked, *answered, told]))

    def refused(self) -> Said:
        client = self._client(FAIL)  # held: one that is collected closes its connections
        try:
            client.models.generate_content(model="m", contents=PROMPT)
        except genai.errors.APIError as e:
            return {"status": e.code, "message": "error while processing" in (e.message or "")}
        return {}

    def broken(self) -> Said:
        client = self._client(BREAK)
        try:
            list(client.models.generate_content_stream(model="m", contents=PROMPT))
        except genai.errors.APIError as e:
            return {"message": "error while processing" in (e.message or "")}
        return {}


# -- Amazon ------------------------------------------------------------------------------------------------


class Bedrock:
    def __init__(self, target: str) -> None:
        self.client = self._client(target)
        self._failing = self._client(target, FAIL)
        self._breaking = self._client(target, BREAK)

    def _client(self, target: str, headers: dict[str, str] | None = None) -> Any:
        client = boto3.client(
            "bedrock-runtime",
            region_name="us-east-1",
            endpoint_url=f"{URL}/{target}",
            aws_access_key_id="AKIATESTTESTTESTTEST",
            aws_secret_access_key="fake",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=TIMEOUT),
        )
        client.meta.events.register(
            "before-send.*.*", lambda request, **_: request.headers.update(headers or {}) or None
        )
        return client

    def tell(self, content: list[Any], stop: str, used: Any) -> Said:
        text = "".join(block["text"] for block in content if "text" in block)
        calls = [[b["toolUse"]["name"], b["toolUse"]["input"]] for b in content if "toolUse" in b]
        thought = "".join(
            block["reasoningContent"].get("reasoningText", {}).get("text", "")
            for block in content
            if "reasoningContent" in block
        )
        all_input = used["inputTokens"] + used["cacheReadInputTokens"] + used["cacheWriteInputTokens"]
        return said(text, calls, stop, (all_input, used["outputTokens"]), thought)

    def _ask(self, content: list[Any], client: Any = None) -> Said:
        messages = [{"role": "user", "content": content}]
        answer = (client or self.client).converse(
            modelId="m", messages=messages, system=[{"text": "Be brief."}]
        )
        return self.tell(answer["output"]["message"]["content"], answer["stopReason"], answer["usage"])

    def whole(self) -> Said:
        return self._ask([{"text": PROMPT}])

    def image(self) -> Said:
        source = {"bytes": base64.b64decode(PIXEL)}
        return self._ask([{"image": {"format": "png", "source": source}}, {"text": PROMPT}])

    def streamed_tools(self) -> Said:
        return self.tell(*self._stream([{"role": "user", "content": [{"text": TOOL_PROMPT}]}]))

    def _stream(self, messages: list[Any]) -> tuple[list[Any], str, Any]:
        answer = self.client.converse_stream(
            modelId="m", messages=messages, toolConfig=BEDROCK_TOOLS, additionalModelRequestFields=THINKING
        )
        blocks: dict[int, Any] = {}
        stop, used = "", {}
        for event in answer["stream"]:
            stop = event.get("messageStop", {}).get("stopReason", stop)
            used = event.get("metadata", {}).get("usage", used)
            for name in ("contentBlockStart", "contentBlockDelta"):
                if name in event:
                    self._gather(blocks, event[name])
        for block in blocks.values():
            if "toolUse" in block:
                block["toolUse"]["input"] = json.loads(block["toolUse"]["input"] or "{}")
        return list(blocks.values()), stop, used

    def _gather(self, blocks: dict[int, Any], event: Any) -> None:
        block = blocks.setdefault(event["contentBlockIndex"], {})
        if start := event.get("start", {}).get("toolUse"):
            block["toolUse"] = {**start, "input": ""}
        delta = event.get("delta", {})
        if "text" in delta:
            block["text"] = block.get("text", "") + delta["text"]
        if "toolUse" in delta:
            block["toolUse"]["input"] += delta["toolUse"]["input"]
        if thought := delta.get("reasoningContent"):
            if "redactedContent" in thought:
                block["reasoningContent"] = thought
                return
            inner = block.setdefault("reasoningContent", {"reasoningText": {"text": ""}})["reasoningText"]
            for key, value in thought.items():
                inner[key] = inner.get(key, "") + value

    def second_turn(self) -> Said:
        messages: list[Any] = [{"role": "user", "content": [{"text": TOOL_PROMPT}]}]
        content, _, _ = self._stream(messages)
        results = [
            {"toolResult": {"toolUseId": block["toolUse"]["toolUseId"], "content": [{"text": "sunny"}]}}
            for block in content
            if "toolUse" in block
        ]
        messages += [
            {"role": "assistant", "content": content},
            {"role": "user", "content": [*results, {"text": PROMPT}]},
        ]
        return self.tell(*self._stream(messages))

    def refused(self) -> Said:
        try:
            self._ask([{"text": PROMPT}], self._failing)
        except self.client.exceptions.ThrottlingException as e:
            error = e.response["Error"]
            status = e.response["ResponseMetadata"]["HTTPStatusCode"]
            return {"status": status, "message": "error while processing" in error["Message"]}
        return {}

    def broken(self) -> Said:
        messages = [{"role": "user", "content": [{"text": PROMPT}]}]
        try:
            list(self._breaking.converse_stream(modelId="m", messages=messages)["stream"])
        except self.client.exceptions.ClientError as e:
            return {"message": "error while processing" in e.response["Error"]["Message"]}
        except Exception as e:  # botocore's EventStreamError is not among the client's own
            return {"message": "error while processing" in str(e)}
        return {}


CLIENTS = {
    "openai-chat": Chat,
    "openai-responses": Responses,
    "anthropic-messages": Messages,
    "gemini": Gemini,
    "bedrock-converse": Bedrock,
}
CALLS = ("whole", "image", "streamed_tools", "second_turn", "refused", "broken")


def made() -> Iterator[dict[str, Any]]:
    for source, make in CLIENTS.items():
        for target in (target for target in TARGETS if target != source):
            client = make(target)
            for call in CALLS:
                try:
                    said_ = getattr(client, call)()
                except Exception as e:  # it is for the test to say what went wrong
                    said_ = {"raised": f"{type(e).__name__}: {e}"}
                yield {"source": source, "target": target, "call": call, "said": said_}


for line in made():
    print(json.dumps(line), flush=True)
