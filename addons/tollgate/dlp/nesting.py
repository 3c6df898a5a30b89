r"""How deep in JSON a place of a text is: how many strings of JSON stand around it, one within the other.

A tool's arguments are JSON in a string, and a file that a tool writes may again be JSON, in a string of that.
A quote says by its backslashes how deep it stands: `"`, `\"`, `\\\"`. A text, and so a string, is read as
JSON from a bracket on that has a quote or another bracket behind it, and so are the braces of most code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import orjson

_SPECIAL = re.compile(r'["\\\x00-\x1f]')
"""What JSON escapes in a string."""
_MARK = re.compile(r'(?<!\\)(\\*)"|[{\[](?=(?:\s|\\++[nrt])*+(\\*"|[{\[]))?|[}\]]|\n')
_UNDECIDED = re.compile(r"(?:[{\[](?:\s|\\+[nrt])*)?\\*\Z")
"""An end that more text may make a mark, or another one."""
_LONGEST = 256
"""Characters of such an end; nobody indents farther."""


class Verbatim(str):
    """A value that stood without escapes where JSON would have needed them: around it was none, whatever it
    looked like. The rest of its text looks the same in an answer."""

    __slots__ = ()


def needs_escapes(value: str) -> bool:
    return _SPECIAL.search(value) is not None


def escaped(value: str, depth: int) -> str:
    """A value as it stands within that many strings of JSON."""
    for _ in range(depth):
        value = orjson.dumps(value).decode()[1:-1]
    return value


def unescaped(text: str, depth: int) -> str | None:
    """The value of a piece of such a string; None where it is none, or not a whole one."""
    for _ in range(depth):
        try:
            text = orjson.loads(f'"{text}"')
        except ValueError:
            return None
    return text


@dataclass(slots=True)
class _Json:
    """One JSON text, within the one before."""

    brackets: int
    in_string: bool = False


class Nesting:
    """Follows a text that comes in pieces."""

    __slots__ = ("_base", "_stack", "_undecided")

    def __init__(self, *, is_json: bool = False) -> None:
        """`is_json` says that the text is JSON from its first character on."""
        self._base = int(is_json)
        self._stack = [_Json(1)] if is_json else []
        self._undecided = ""

    @property
    def depth(self) -> int:
        """How many strings stand around what comes next."""
        return sum(json.in_string for json in self._stack)

    def feed(self, text: str, *, final: bool = False) -> None:
        """What comes next. `final` says that what follows it is part of a word."""
        text = self._undecided + text
        undecided = None if final else _UNDECIDED.search(text, max(0, len(text) - _LONGEST))
        upto = undecided.start() if undecided else len(text)
        self._undecided = text[upto:]
        for mark in _MARK.finditer(text):
            if mark.start() >= upto:
                break
            self._take(mark)

    def _take(self, mark: re.Match[str]) -> None:
        sign = mark[0][-1]
        top = self._stack[-1] if self._stack else None
        if sign == '"':
            self._quote(_level(len(mark[1])))
        elif sign == "\n":
            self._line_end()
        elif sign in "{[":
            if top and not top.in_string:
                top.brackets += 1
            elif mark[2] is not None:
                self._stack.append(_Json(1))
        elif top and not top.in_string:
            top.brackets -= 1
            if top.brackets <= 0 and len(self._stack) > self._base:
                self._stack.pop()

    def _quote(self, level: int) -> None:
        if level < len(self._stack):
            del self._stack[level + 1 :]
            self._stack[level].in_string = not self._stack[level].in_string

    def _line_end(self) -> None:
        """No string of JSON goes over the end of a line: this one is none."""
        if self._stack and self._stack[0].in_string:
            del self._stack[1:]
            self._stack[0].in_string = False


def _level(backslashes: int) -> int:
    r"""How deep a quote stands behind so many backslashes; in `\\"`, these are a backslash's own."""
    level = 0
    while backslashes % 2:
        backslashes //= 2
        level += 1
    return level
