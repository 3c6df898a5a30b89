"""Tools under names, and of kinds, that the target takes, and back again.

Codex groups tools in namespaces and has tools that take free text; Gemini allows dots in names. Where a
target knows none of that, a tool goes out under a plain name and with a plain schema, and its calls come
back as what they were.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import orjson

from tollgate.routing.translation.neutral import (
    Close,
    Delta,
    More,
    Open,
    Part,
    Request,
    Tool,
    ToolKind,
    ToolUse,
)

_LEGAL = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What OpenAI, Anthropic and Bedrock all take."""
_NO_ARGUMENTS = "{}"
_LONGEST = 64

_FREE_TEXT = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class _Known:
    name: str
    namespace: str
    kind: ToolKind


@dataclass(slots=True)
class ToolNames:
    """The names of one request's tools as the target knows them."""

    custom: bool
    """Whether the target has tools that take free text."""
    namespaces: bool = False
    """Whether it takes names as they are, grouped."""
    _back: dict[str, _Known] = field(default_factory=dict)
    _there: dict[tuple[str, str], str] = field(default_factory=dict)

    def rename(self, request: Request) -> None:
        """All tools, calls and results of a request, as the target takes them; in place."""
        request.tools = [self._tool(tool) for tool in request.tools]
        if request.choice:
            request.choice.only = [self._wire(name, "", "function") for name in request.choice.only]
        for message in request.messages:
            message.parts = [self._part(part) for part in message.parts]

    def restore(self, call: ToolUse) -> ToolUse:
        """A whole call of the target as the client knows it."""
        known = self._back.get(call.name)
        if known is None:
            return call
        arguments = call.arguments
        if known.kind == "custom" and call.kind == "function":
            arguments = free_text(arguments)
        return replace(call, name=known.name, namespace=known.namespace, kind=known.kind, arguments=arguments)

    def _tool(self, tool: Tool) -> Tool:
        name = self._wire(tool.name, tool.namespace, tool.kind)
        plain = replace(tool, name=name, namespace=tool.namespace if self.namespaces else "")
        if tool.kind != "custom" or self.custom:
            return plain
        return replace(
            plain,
            kind="function",
            schema=_FREE_TEXT,
            format=None,
            description=_described(tool),
        )

    def _part(self, part: Part) -> Part:
        if isinstance(part, ToolUse):
            emulated = part.kind == "custom" and not self.custom
            return replace(
                part,
                name=self._wire(part.name, part.namespace, part.kind),
                namespace=part.namespace if self.namespaces else "",
                kind="function" if emulated else part.kind,
                arguments=_as_json(part.arguments) if emulated else part.arguments,
            )
        return part

    def _wire(self, name: str, namespace: str, kind: ToolKind) -> str:
        """The name on the wire. A choice names tools without a namespace: the first of that name is meant."""
        if not namespace and (name, "") not in self._there:
            same = next((wire for (plain, _), wire in self._there.items() if plain == name), None)
            if same is not None:
                return same
        if (name, namespace) not in self._there:
            wire = name if self.namespaces else self._plain(name, namespace)
            self._there[name, namespace] = wire
            self._back[wire] = _Known(name, namespace, kind)
        return self._there[name, namespace]

    def _plain(self, name: str, namespace: str) -> str:
        full = f"{namespace}__{name}" if namespace else name
        wire = full if _LEGAL.fullmatch(full) else _shortened(full)
        return wire if wire not in self._back else _shortened(full)


def _shortened(name: str) -> str:
    """A legal name that only this one becomes: what is legal of it, and a digest."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_-]', '_', name)[: _LONGEST - 9]}_{digest}"


def _described(tool: Tool) -> str:
    """A custom tool's description, with its grammar: the only way left to tell the model of it."""
    grammar = tool.format if isinstance(tool.format, Mapping) else {}
    if not isinstance(definition := grammar.get("definition"), str):
        return tool.description
    syntax = grammar.get("syntax", "")
    return f"{tool.description}\n\nThe input must follow this {syntax} grammar:\n{definition}".strip()


def _as_json(text: str) -> str:
    return orjson.dumps({"input": text}).decode()


def free_text(arguments: str) -> str:
    """What a custom tool is to get of a plain call's arguments."""
    try:
        tree = orjson.loads(arguments)
    except ValueError:
        return arguments
    text = tree.get("input") if isinstance(tree, dict) else None
    return text if isinstance(text, str) else arguments


class ToolRestorer:
    """A stream's calls as the client knows them.

    The input of a custom tool stands within JSON until its end, so it comes in one piece; all other
    arguments go through as they come. Some providers stream nothing for a call without any (Anthropic), which
    whoever parses it as JSON would fail on.
    """

    def __init__(self, names: ToolNames) -> None:
        self._names = names
        self._held: ToolUse | None = None
        self._bare = False
        """True while a call is open that has no arguments yet."""

    def feed(self, delta: Delta) -> Iterator[Delta]:
        if isinstance(delta, Open) and isinstance(delta.part, ToolUse):
            yield from self._open(delta.part)
        elif self._held is not None and isinstance(delta, More):
            self._held.arguments += delta.text
        elif self._held is not None and isinstance(delta, Close):
            yield Open(replace(held := self._names.restore(self._held), arguments=""))
            yield More(held.arguments)
            yield delta
            self._held = None
        else:
            yield from self._filled(delta)

    def _filled(self, delta: Delta) -> Iterator[Delta]:
        if isinstance(delta, More) and delta.text:
            self._bare = False
        elif isinstance(delta, Close) and self._bare:
            self._bare = False
            yield More(_NO_ARGUMENTS)
        yield delta

    def _open(self, call: ToolUse) -> Iterator[Delta]:
        known = self._names.restore(call)
        if known.kind == "custom" and call.kind == "function":
            self._held = replace(call)
        else:
            self._bare = known.kind == "function" and not known.arguments
            yield Open(known)
