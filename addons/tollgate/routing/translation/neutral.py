"""The one form between all dialects: requests, answers, and the pieces of a streamed answer.

It holds what at least two dialects can say. Every part knows where it stood in the source (`where`), so
that a writer that cannot express it can say what was lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from tollgate.calls import Usage

type Role = Literal["system", "developer", "user", "assistant"]
type Mode = Literal["auto", "none", "required"]
type ToolKind = Literal["function", "custom"]
type Stop = Literal["end", "length", "stop_sequence", "tool_use", "refusal", "pause", "malformed"]


def _where() -> str:
    """The path in the source; where a thing stood is no part of what it is."""
    return field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Signature:
    """A provider's seal on a thought or a tool call; nobody else can read it, and nobody may make one."""

    family: str
    """Who can read it: "anthropic", "openai", "gemini"."""
    value: str
    of_tool: bool = False
    """True where it belongs to the tool call that follows, in a dialect that has no room for it there."""


@dataclass(slots=True)
class Text:
    text: str
    cache: str = ""
    """Asks the provider to cache all up to here, for "5m" or "1h"; empty for no."""
    refusal: bool = False
    where: str = _where()


@dataclass(slots=True)
class Media:
    """An image, a document, a sound, a film: just one of `data`, `url`, `file`, `text` is set."""

    kind: Literal["image", "document", "audio", "video"]
    type: str = ""
    """The media type: "image/png"."""
    data: str = ""
    """As base64."""
    url: str = ""
    file: str = ""
    """The provider's own name for an uploaded file; no other provider knows it."""
    text: str = ""
    """A document that is plain text."""
    name: str = ""
    detail: str = ""
    cache: str = ""
    where: str = _where()


@dataclass(slots=True)
class Thinking:
    text: str = ""
    signature: Signature | None = None
    redacted: bool = False
    """True where there is nothing to read, only the signature."""
    where: str = _where()


@dataclass(slots=True)
class ToolUse:
    id: str
    name: str
    arguments: str = ""
    """JSON as text; of a custom tool any text."""
    kind: ToolKind = "function"
    namespace: str = ""
    signature: Signature | None = None
    cache: str = ""
    where: str = _where()


@dataclass(slots=True)
class ToolResult:
    id: str
    parts: list[Text | Media]
    error: bool = False
    name: str = ""
    kind: ToolKind = "function"
    cache: str = ""
    where: str = _where()


type Part = Text | Media | Thinking | ToolUse | ToolResult


@dataclass(slots=True)
class Message:
    role: Role
    parts: list[Part]
    where: str = _where()


@dataclass(slots=True)
class Tool:
    name: str
    description: str = ""
    schema: Any = None
    """JSON Schema of the arguments; None where there are none."""
    strict: bool | None = None
    kind: ToolKind = "function"
    format: Any = None
    """The grammar of a custom tool: {"type": "grammar", "syntax": "lark", "definition": …}."""
    namespace: str = ""
    cache: str = ""
    where: str = _where()


@dataclass(slots=True)
class Choice:
    """What the model may, or must, call."""

    mode: Mode = "auto"
    only: list[str] = field(default_factory=list)
    """The tools it may call; empty for all."""
    where: str = _where()


@dataclass(slots=True)
class Format:
    """The answer has to be JSON."""

    schema: Any = None
    """None for any JSON object."""
    name: str = ""
    description: str = ""
    strict: bool | None = None
    where: str = _where()


@dataclass(slots=True)
class Reasoning:
    """How much to think; nothing set leaves it to the model."""

    on: bool | None = None
    effort: str = ""
    """"none", "minimal", "low", "medium", "high", "xhigh" or "max"."""
    budget: int | None = None
    """In tokens."""
    show: bool | None = None
    """Whether the client wants to see thoughts, or a summary of them."""
    where: str = _where()


@dataclass(frozen=True, slots=True)
class Setting:
    """A plain value, and where it stood."""

    value: Any
    where: str = _where()


@dataclass(slots=True)
class Request:
    model: str
    stream: bool
    messages: list[Message] = field(default_factory=list)
    tools: list[Tool] = field(default_factory=list)
    choice: Choice | None = None
    settings: dict[str, Setting] = field(default_factory=dict)
    """By the neutral names that `settings.py` lists."""
    reasoning: Reasoning = field(default_factory=Reasoning)
    format: Format | None = None
    counted: bool = True
    """Whether a stream shall tell its usage; only OpenAI's Chat API lets a client choose."""


@dataclass(slots=True)
class Answer:
    id: str
    model: str
    parts: list[Part] = field(default_factory=list)
    stop: Stop = "end"
    sequence: str = ""
    """The stop sequence that ended it, where the target says which."""
    usage: Usage | None = None


# -- streams: one part is open at a time -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begin:
    id: str
    model: str
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """A part begins; what it holds already is part of it."""

    part: Text | Thinking | ToolUse


@dataclass(frozen=True, slots=True)
class More:
    """More of the open part: its text, or its arguments."""

    text: str


@dataclass(frozen=True, slots=True)
class Seal:
    """The signature of the open thought."""

    signature: Signature


@dataclass(frozen=True, slots=True)
class Close:
    pass


@dataclass(frozen=True, slots=True)
class Finish:
    stop: Stop
    sequence: str = ""


@dataclass(frozen=True, slots=True)
class Used:
    """All that was used up to now; a later one takes its place."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Fail:
    """The target told an error: nothing comes after it."""

    message: str
    code: str


@dataclass(frozen=True, slots=True)
class Done:
    """The target has said all, usage too."""


type Delta = Begin | Open | More | Seal | Close | Finish | Used | Fail | Done
