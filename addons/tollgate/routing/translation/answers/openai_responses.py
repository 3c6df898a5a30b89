"""Whole answers of OpenAI Responses. https://platform.openai.com/docs/api-reference/responses/object"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tollgate.calls import Usage
from tollgate.dialects.paths import objects_at, text_at
from tollgate.routing.translation import compaction
from tollgate.routing.translation.codec import Asked, Json, totals
from tollgate.routing.translation.ids import renamed
from tollgate.routing.translation.loss import Losses
from tollgate.routing.translation.neutral import Answer, Part, Stop, Text, Thinking, ToolUse
from tollgate.routing.translation.passes import loose_seals
from tollgate.routing.translation.requests.openai_responses import read_call, read_thinking
from tollgate.routing.translation.signatures import wrap_any

_FAMILY = "openai"

_INCOMPLETE: dict[str, Stop] = {"max_output_tokens": "length", "content_filter": "refusal"}
REASONS = {stop: reason for reason, stop in _INCOMPLETE.items()}
CALLS = ("function_call", "custom_tool_call")


def read(document: Any, answer: Answer, losses: Losses) -> None:
    for n, item in enumerate(objects_at(document, "output")):
        kind, where = text_at(item, ("type",)), f"output[{n}]"
        if kind == "message":
            answer.parts += _words(item, where, losses)
        elif kind == "reasoning":
            answer.parts.append(read_thinking(item, where))
        elif kind in CALLS:
            answer.parts.append(read_call(item, where))
        else:
            losses.note("an item that only this provider knows", where)
    answer.stop = stop_of(document, any(isinstance(part, ToolUse) for part in answer.parts))


def stop_of(response: Any, called: bool) -> Stop:
    reason = text_at(response, ("incomplete_details.reason",))
    return _INCOMPLETE.get(reason, "tool_use" if called else "end")


def _words(item: Json, where: str, losses: Losses) -> Iterator[Text]:
    for part in objects_at(item, "content"):
        yield Text(text_at(part, ("text", "refusal")), refusal=part.get("type") == "refusal", where=where)
        if part.get("annotations"):
            losses.note("citations", where, hint=True)


def write(answer: Answer, asked: Asked) -> Json:
    if compaction.is_wanted(asked.body):
        summary = "".join(part.text for part in answer.parts if isinstance(part, Text))
        return response(answer, asked, [compaction.item(summary, answer.id)] if summary else [])
    parts = loose_seals(answer.parts)
    output = [item(part, answer.id, n) for n, part in enumerate(parts)]
    return response(answer, asked, output)


def response(answer: Answer, asked: Asked, output: list[Json], *, begun: bool = False) -> Json:
    """The object that whole answers are, and with which streams begin and end."""
    reason = REASONS.get(answer.stop)
    done = "incomplete" if reason else "completed"
    return {
        **_echo(asked.body),
        "id": renamed(answer.id, "resp_"),
        "object": "response",
        "created_at": asked.created,
        "completed_at": None if begun or reason else asked.created,
        "status": "in_progress" if begun else done,
        "incomplete_details": {"reason": reason} if reason and not begun else None,
        "model": answer.model,
        "output": output,
        "usage": None if begun else usage(answer.usage),
    }


_ECHOED: Json = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "user": None,
}
"""What an answer repeats of its request, and what OpenAI says in place of what was not asked."""
_FIXED: Json = {
    "background": False,
    "error": None,
    "frequency_penalty": 0.0,
    "presence_penalty": 0.0,
    "previous_response_id": None,
    "service_tier": "default",
    "store": False,
    "truncation": "disabled",
}
_TOOL: Json = {"description": None, "parameters": None, "strict": None}
"""A function always has these in an answer."""


def _echo(body: Mapping[str, Any]) -> Json:
    given = {key: body[key] for key in _ECHOED if body.get(key) is not None}
    tools = [_TOOL | tool if tool.get("type") == "function" else tool for tool in objects_at(body, "tools")]
    return {**_ECHOED, **given, **_FIXED, "tools": tools}


def item(part: Part, id: str, index: int, status: str = "completed") -> Json:
    """An item of the output, as it is in the end or, with another status, as it begins."""
    if isinstance(part, ToolUse):
        return _call(part, status)
    own = f"{id}_{index}"
    if isinstance(part, Thinking):
        summary = [{"type": "summary_text", "text": part.text}] if part.text else []
        # One that nobody signed says so: whoever gets it back would look for it by its id, in vain.
        seal = {"encrypted_content": wrap_any(part.signature, _FAMILY)} if status == "completed" else {}
        return {"id": renamed(own, "rs_"), "type": "reasoning", "summary": summary, **seal}
    content = [words(part)] if isinstance(part, Text) and status == "completed" else []
    head = {"id": renamed(own, "msg_"), "type": "message", "status": status}
    return {**head, "role": "assistant", "content": content}


def words(part: Text) -> Json:
    if part.refusal:
        return {"type": "refusal", "refusal": part.text}
    return {"type": "output_text", "text": part.text, "annotations": [], "logprobs": []}


def _call(call: ToolUse, status: str) -> Json:
    custom = call.kind == "custom"
    grouped = {"namespace": call.namespace} if call.namespace else {}
    given = {"input": call.arguments} if custom else {"arguments": call.arguments}
    return {
        "id": renamed(call.id, "ctc_" if custom else "fc_"),
        "type": "custom_tool_call" if custom else "function_call",
        "status": status,
        "call_id": renamed(call.id, "call_"),
        "name": call.name,
        **grouped,
        **given,
    }


def usage(used: Usage | None) -> Json:
    """Cached tokens are part of the input's, reasoning is part of the output's."""
    said = used or Usage()
    all_input, output = totals(said)
    written = said.cache_write + said.cache_write_long
    return {
        "input_tokens": all_input,
        "input_tokens_details": {"cached_tokens": said.cache_read, "cache_write_tokens": written},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": said.reasoning},
        "total_tokens": all_input + output,
    }
