"""What the model behind the simulated provider says: an echo, the same for the same request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from simulator.behaviour import INVALID, Behaviour

OVERHEAD = 3
"""Tokens that every request costs besides its texts."""
SAID = "You said: "
"""What every echo begins with."""
BIG = 64 * 1024
"""Characters in a piece of a text that is made to be big."""
_WORD = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True)
class Tool:
    name: str
    schema: Any


@dataclass(frozen=True)
class Prompt:
    """What every dialect asks in the end."""

    model: str
    texts: list[str]
    """Everything that was said, in order; the last text is echoed."""
    tools: list[Tool] = field(default_factory=list)
    must_call: bool = False
    think: bool = False
    cache: bool = False
    """The client asks to have the last text written to the provider's prompt cache."""

    @property
    def last(self) -> str:
        return self.texts[-1] if self.texts else ""


@dataclass(frozen=True)
class ToolCall:
    id: str
    name: str
    arguments: dict[str, Any]

    @property
    def json(self) -> str:
        return json.dumps(self.arguments, ensure_ascii=False)

    def fragments(self) -> Iterator[str]:
        """The arguments as they are streamed: first nothing, then a few characters at a time."""
        yield ""
        yield from (self.json[n : n + 7] for n in range(0, len(self.json), 7))


@dataclass(frozen=True)
class Usage:
    """Tokens. None contains another; each dialect adds up what its provider adds up."""

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def all_input(self) -> int:
        return self.input + self.cache_read + self.cache_write

    @property
    def all_output(self) -> int:
        return self.output + self.reasoning

    @property
    def total(self) -> int:
        return self.all_input + self.all_output

    def unparted(self) -> Usage:
        """As a provider counts that tells nothing of caches and reasoning."""
        return Usage(input=self.all_input, output=self.all_output)

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True)
class Reply:
    id: str
    """Hexadecimal, the same for the same request."""
    model: str
    pieces: list[str]
    thoughts: list[str]
    calls: list[ToolCall]
    usage: Usage

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def thought(self) -> str:
        return "".join(self.thoughts)


def tokens(texts: Iterable[str]) -> int:
    """Four characters make one."""
    return -(-sum(map(len, texts)) // 4)


def count(prompt: Prompt) -> Usage:
    """What a prompt costs: all but its last text was read from the provider's cache."""
    last = tokens([prompt.last])
    return Usage(
        input=OVERHEAD + (0 if prompt.cache else last),
        cache_read=tokens(prompt.texts[:-1]),
        cache_write=last if prompt.cache else 0,
    )


def compose(prompt: Prompt, behaviour: Behaviour, digest: str) -> Reply:
    pieces = _pieces(_text(prompt, behaviour), behaviour)
    if behaviour.invalid_utf8:
        pieces = [INVALID + piece for piece in pieces]
    thoughts = _cut(f"I was asked: {prompt.last}", 9) if prompt.think else []
    id = digest[:16]
    if behaviour.call:
        script = json.loads(behaviour.call)
        calls = list(_scripted(prompt, script if isinstance(script, list) else [script], id))
    else:
        calls = [_call(tool, prompt, f"{id}{n}") for n, tool in enumerate(_called(prompt))]
    asked = count(prompt)
    usage = Usage(
        input=asked.input,
        cache_read=asked.cache_read,
        cache_write=asked.cache_write,
        output=tokens(pieces) + tokens(call.json for call in calls),
        reasoning=tokens(thoughts),
    )
    return Reply(digest[:24], prompt.model, pieces, thoughts, calls, usage)


def _text(prompt: Prompt, behaviour: Behaviour) -> str:
    text = behaviour.text or f"{SAID}{prompt.last}"
    return text * max(1, -(-behaviour.size // len(text)))


def _pieces(text: str, behaviour: Behaviour) -> list[str]:
    """In as many pieces as are asked for; else one a word, or big ones of a big text."""
    if behaviour.events:
        return _cut(text, -(-len(text) // behaviour.events))
    return _cut(text, BIG) if behaviour.size else _WORD.findall(text)


def _cut(text: str, length: int) -> list[str]:
    return [text[n : n + length] for n in range(0, len(text), length)]


def _called(prompt: Prompt) -> list[Tool]:
    """The tools that the last text names; the first one where there must be a call and none is named."""
    named = [tool for tool in prompt.tools if tool.name in prompt.last]
    return named or (prompt.tools[:1] if prompt.must_call else [])


def _call(tool: Tool, prompt: Prompt, id: str) -> ToolCall:
    properties = tool.schema.get("properties", {}) if isinstance(tool.schema, dict) else {}
    return ToolCall(id, tool.name, {name: _value(schema, prompt.last) for name, schema in properties.items()})


def _scripted(prompt: Prompt, steps: list[dict[str, Any]], id: str) -> Iterator[ToolCall]:
    """The first step that what was said since the last answer asks for."""
    answers = [n for n, text in enumerate(prompt.texts) if text.startswith(SAID)]
    asked = prompt.texts[answers[-1] + 1 :] if answers else prompt.texts
    for step in steps:
        found = re.search(step["when"], "\n".join(asked))
        if found and any(tool.name == step["tool"] for tool in prompt.tools):
            yield ToolCall(f"{id}0", step["tool"], _filled(step["arguments"], found[1]))
            return


def _filled(template: Any, value: str) -> Any:
    if isinstance(template, dict):
        return {name: _filled(item, value) for name, item in template.items()}
    return template.replace("$1", value) if isinstance(template, str) else template


def _value(schema: Any, text: str) -> Any:
    values = {"string": text, "integer": 7, "number": 1.5, "boolean": True, "array": [], "object": {}}
    return values.get(str(schema.get("type", "string")).lower())
