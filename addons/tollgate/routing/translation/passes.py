"""Small steps on the neutral form that more than one dialect needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from tollgate.routing.translation.ids import legal
from tollgate.routing.translation.loss import Losses, Untranslatable
from tollgate.routing.translation.neutral import (
    Choice,
    Media,
    Message,
    Mode,
    Part,
    Reasoning,
    Request,
    Role,
    Text,
    Thinking,
    Tool,
    ToolResult,
    ToolUse,
)

# -- ids and signatures ------------------------------------------------------------------------------------


def settle_ids(request: Request) -> None:
    """Ids of calls and results as any provider takes them: legal, and each for one call only.

    Some servers count a turn's calls from "call_0" on, and some give all of a turn the same id. A result is
    then one of the first call of its id that has none yet.
    """
    waiting: dict[str, list[str]] = {}
    latest: dict[str, str] = {}
    used: set[str] = set()
    for part in _every_part(request):
        if isinstance(part, ToolUse):
            own = legal(part.id if part.id not in used else f"{part.id}#{len(used)}")
            waiting.setdefault(part.id, []).append(own)
            used |= {part.id, own}
            part.id = own
        elif isinstance(part, ToolResult):
            ids = waiting.get(part.id) or [latest.get(part.id) or legal(part.id)]
            latest[part.id] = own = ids.pop(0)
            part.id = own


def join_seals(request: Request) -> None:
    """Give tool calls back the seals that travelled before them, for want of room in the client's dialect."""
    for message in request.messages:
        message.parts = list(_joined(message.parts))


def _joined(parts: Sequence[Part]) -> Iterable[Part]:
    seal = None
    for part in parts:
        if isinstance(part, Thinking) and part.signature and part.signature.of_tool:
            seal = replace(part.signature, of_tool=False)
            continue
        if isinstance(part, ToolUse) and seal:
            part, seal = replace(part, signature=seal), None
        yield part


def loose_seals(parts: Iterable[Part]) -> Iterable[Part]:
    """The other way round: a tool call's seal before it, for a client in whose dialect it has no room."""
    for part in parts:
        if isinstance(part, ToolUse) and part.signature:
            yield Thinking(signature=replace(part.signature, of_tool=True), redacted=True)
            part = replace(part, signature=None)
        yield part


def drop_foreign(request: Request, family: str, losses: Losses) -> None:
    """Leave out thoughts and seals that the target did not make: it could not read them, or would refuse."""
    for message in request.messages:
        message.parts = [part for part in message.parts if _own(part, family, losses)]


def drop_files(request: Request) -> None:
    """Forget the names of files that lie with the client's provider: at the target they mean nothing.

    What is left of them is nothing that a dialect could write, so it is noted there.
    """
    for part in _every_part(request):
        for media in part.parts if isinstance(part, ToolResult) else (part,):
            if isinstance(media, Media):
                media.file = ""


def _own(part: Part, family: str, losses: Losses) -> bool:
    if isinstance(part, ToolUse) and part.signature and part.signature.family != family:
        losses.note("the signature of a tool call", part.where, hint=True)
        part.signature = None
    if not isinstance(part, Thinking) or (part.signature and part.signature.family == family):
        return True
    losses.note("a thought of another provider", part.where, hint=True)
    return False


# -- words that have to be one of a few --------------------------------------------------------------------


def role_of(node: Any, where: str) -> Role:
    """Who speaks. Untranslatable for anybody else than the neutral form knows."""
    return _one_of(_ROLES, node.get("role", "user"), f"{where}.role")


def mode_of(mode: Any, where: str) -> Mode:
    return _one_of(_MODES, mode, where)


_ROLES: tuple[Role, ...] = ("system", "developer", "user", "assistant")
_MODES: tuple[Mode, ...] = ("auto", "none", "required")


def _one_of[T: str](known: tuple[T, ...], word: Any, where: str) -> T:
    found = next((one for one in known if one == word), None)
    if found is None:
        raise Untranslatable(f"{where} must be one of {', '.join(known)}")
    return found


# -- messages ----------------------------------------------------------------------------------------------


def split_system(request: Request) -> tuple[list[Text], list[Message]]:
    """The system prompt that the conversation begins with, and the rest of it."""
    last = len(request.messages) - 1  # somebody has to speak, if only the system
    first = next((n for n, m in enumerate(request.messages) if m.role not in _SYSTEM), max(0, last))
    texts = [p for m in request.messages[:first] for p in m.parts if isinstance(p, Text) and p.text.strip()]
    return texts, request.messages[first:]


_SYSTEM = ("system", "developer")


def by_turns(messages: Iterable[Message], losses: Losses) -> list[Message]:
    """User and assistant in turn, the user first, the results of tools first in their turn; nobody says
    nothing.

    Instructions in the midst become the user's words, marked as what they are: Claude Code marks its own so.
    """
    turns: list[Message] = []
    for message in messages:
        plain = _reminder(message, losses) if message.role in _SYSTEM else message
        plain = replace(plain, parts=[part for part in plain.parts if not _blank(part)])
        if not plain.parts:
            continue
        if turns and turns[-1].role == plain.role:
            turns[-1] = replace(turns[-1], parts=[*turns[-1].parts, *plain.parts])
        else:
            turns.append(plain)
    if turns and turns[0].role == "assistant":
        losses.note("that the assistant speaks first", turns[0].where, hint=True)
        turns.insert(0, Message("user", [Text(_marked("The assistant speaks first."))]))
    for turn in turns:
        turn.parts.sort(key=lambda part: not isinstance(part, ToolResult))
    return turns


def _blank(part: Part) -> bool:
    """Anthropic and Bedrock refuse a text in which nothing stands."""
    return isinstance(part, Text) and not part.text.strip()


def _reminder(message: Message, losses: Losses) -> Message:
    losses.note("the system role in the midst of a conversation", message.where, hint=True)
    marked: list[Part] = [
        replace(part, text=_marked(part.text))
        for part in message.parts
        if isinstance(part, Text) and part.text
    ]
    return replace(message, role="user", parts=marked)


def _marked(text: str) -> str:
    return f"<system-reminder>\n{text}\n</system-reminder>"


def text_result(result: ToolResult, losses: Losses) -> tuple[str, list[Media]]:
    """A tool's result for a dialect that takes text only, and what else there was, to be shown after it."""
    if result.error:
        losses.note("the mark that a tool failed", result.where, hint=True)
    texts = [part.text for part in result.parts if isinstance(part, Text)]
    return "\n".join(texts), [part for part in result.parts if isinstance(part, Media)]


# -- tools -------------------------------------------------------------------------------------------------


def settle_choice(request: Request, losses: Losses) -> None:
    """Have the choice name nothing but tools that are there: of those that only the client's provider has,
    some were left out, and a choice among no tools is refused."""
    choice = request.choice
    if choice is None:
        return
    there = {tool.name for tool in request.tools}
    only = [name for name in choice.only if name in there]
    missing = len(only) < len(choice.only) or not there
    if missing and (choice.only or choice.mode == "required") and choice.mode != "none":
        losses.note("the choice of a tool that is left out", choice.where)
    if not there or (choice.only and not only and choice.mode == "required"):
        request.choice = None
    elif choice.only:
        request.choice = replace(choice, only=only, mode=choice.mode if only else "none")


def called(request: Request) -> list[Tool]:
    """The tools that were called before, for who wants them declared where none are any more."""
    names = dict.fromkeys(part.name for part in _every_part(request) if isinstance(part, ToolUse))
    return [Tool(name, schema={"type": "object"}) for name in names]


def restrict(request: Request) -> tuple[list[Tool], Choice | None]:
    """The tools and the choice for a dialect that can name one tool at the most: others are not offered."""
    choice = request.choice
    if choice is None or not choice.only or (len(choice.only) == 1 and choice.mode == "required"):
        return request.tools, choice
    offered = [tool for tool in request.tools if tool.name in choice.only]
    return offered, replace(choice, only=[])


def note_caching(request: Request, losses: Losses) -> None:
    """For dialects without marks for the cache."""
    for part in [*_every_part(request), *request.tools]:
        if getattr(part, "cache", ""):
            losses.note("a mark for the prompt cache", part.where, hint=True)


def note_detail(request: Request, losses: Losses) -> None:
    """For dialects that look at all images alike."""
    for part in _every_part(request):
        for media in part.parts if isinstance(part, ToolResult) else (part,):
            if isinstance(media, Media) and media.detail not in ("", "auto"):
                losses.note("how closely to look", media.where, hint=True)


def _every_part(request: Request) -> list[Part]:
    return [part for message in request.messages for part in message.parts]


def arguments(call: ToolUse, losses: Losses) -> Any:
    """A call's arguments as the object that they are."""
    given = as_object(call.arguments)
    if not isinstance(given, orjson.Fragment):
        losses.note("arguments that are no JSON object, given as text", call.where)
    return given


def as_object(arguments: str) -> Any:
    """Arguments as an object, with numbers as they were written; what a model broke, as text within one."""
    text = arguments.strip() or "{}"
    try:
        tree = orjson.loads(text)
    except ValueError:
        tree = None
    return orjson.Fragment(text.encode()) if isinstance(tree, dict) else {"arguments": arguments}


def json_text(value: Any) -> str:
    """An object of arguments as text."""
    return orjson.dumps(value).decode()


# -- thinking ----------------------------------------------------------------------------------------------

_EFFORTS = (("minimal", 1024), ("low", 4096), ("medium", 16384), ("high", 32768), ("xhigh", 65536))
"""The budget in tokens up to which an effort of that name is meant; none of the providers says so."""
_SHARES = {"minimal": 0.1, "low": 0.2, "medium": 0.5, "high": 0.8, "xhigh": 0.95, "max": 0.95}
"""https://openrouter.ai/docs/use-cases/reasoning-tokens: an effort as a part of all that may be answered."""
LEAST_BUDGET = 1024
"""https://platform.claude.com/docs/en/build-with-claude/extended-thinking"""


def budget_in(value: Any) -> int | None:
    """A budget as it stands in a request; None for anything but a whole number."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def effort_of(reasoning: Reasoning) -> str:
    """The effort asked for, or the one that a budget amounts to; empty for the model's own."""
    if reasoning.effort:
        return reasoning.effort
    if reasoning.on is False or reasoning.budget == 0:
        return "none"
    if reasoning.budget is None or reasoning.budget < 0:
        return ""
    return next((name for name, most in _EFFORTS if reasoning.budget <= most), "max")


def budget_of(reasoning: Reasoning, max_tokens: int) -> int:
    """The budget asked for, or the one that an effort amounts to."""
    wanted = reasoning.budget or int(max_tokens * _SHARES.get(reasoning.effort, 0.5))
    return max(LEAST_BUDGET, min(wanted, max_tokens - 1))


def each[T](parts: Iterable[Part], table: dict[type, Callable[[Any], T]]) -> list[T]:
    """What the table makes of each part that it has a row for."""
    return [table[type(part)](part) for part in parts if type(part) in table]
