"""What detection has to read: prose, code, and what an agent is shown.

All of it is made here, with findings in it as rare as they are; the same dice give the same text.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmark.requests import WORDS

TURN = 6_800
"""Characters of one turn of a session: 150 of them are 1 MB."""

_PROSE = (
    *("{words}. ",) * 24,
    *("{words} {foreign} {words}. ",) * 8,
    "{words}, version {version}, of {date}.\n\n",
    "{words} (write to {name}.{small}@example.com).\n\n",
)
_PLAIN_CODE = (
    "def {verb}_{name}(self, {name}: dict[str, int], *, limit: int = {small}) -> None:\n",
    '    """{words}."""\n',
    "        if not isinstance({name}, {folder}.{verb}) and {name} is not None:\n",
    "            return self._{verb}({name}, {name}={name}.{name}, {verb}=True)\n\n",
    "        with self.{verb}() as {name}, suppress(OSError):\n",
    "            await {name}.{verb}([{name}.strip() for {name} in {name}.split()])\n",
)
_CODE = (
    *_PLAIN_CODE * 4,
    "    if self._{name} is None or len({name}) > {fraction}:\n",
    '        raise ValueError(f"{{name!r}} is no {name}: " + str({verb}_{name}.__name__))\n',
    "        {name}_token = self.{name}.{verb}(key=os.environ['{name}_key'], timeout={small})\n",
    "    for {name}, {name} in enumerate(self.{verb}_all(r'\\w+\\.{verb}', flags=0x{hex4})):\n",
    "from {folder}.{name} import {verb}_{name}\n",
    "    assert {verb}({name}) == {'{name}': [{number}, {fraction}]}\n\n\n",
    "        return {name}.{verb}({name}) + b'\\x{hex4}'  # see {path}\n",
)
_PRINTED = (
    "-rw-r--r--  1 build staff {number} Nov 22 {time} {path}\n",
    "commit {hex40}\nAuthor: Build <build@example.com>\nDate:   {date} {time} +0100\n\n    {words}\n\n",
    "{date}T{time}.{small}Z INFO {path}:{small} took {fraction} s\n",
    '{"id": "{hex8}-{hex4}-{hex4}-{hex4}-{hex12}", "time": 17{number}, "ok": true}\n',
    '10.0.{small}.7 - - [{date}:{time}] "GET /{path}?page={small} HTTP/1.1" 200 {number}\n',
    "  sha256:{hex64}  {name}-{version}.tar.gz\n",
    "{path}:{small}:     self.{verb}({name}, {number})\n",
    "-    {name} = {verb}({number})\n+    {name} = {verb}({number}, {name}={fraction})\n",
)
_TEMPLATES: Mapping[str, Sequence[str]] = {
    "prose": _PROSE,
    "code": _CODE,
    "agent": (*_PROSE, *_CODE * 4, *_PRINTED * 4),
}
"""An agent is shown documentation, code and what programs print, about a third each."""
KINDS = tuple(_TEMPLATES)


def _of(*values: str) -> Callable[[random.Random], str]:
    return lambda dice: dice.choice(values)


def _hex(digits: int) -> Callable[[random.Random], str]:
    return lambda dice: f"{dice.getrandbits(4 * digits):0{digits}x}"


_PARTS: Mapping[str, Callable[[random.Random], str]] = {
    "words": lambda dice: " ".join(dice.choices(WORDS, k=dice.randint(8, 22))).capitalize(),
    "foreign": _of("naïve", "café", "“quoted”", "–", "Übung", "señor"),
    "name": _of("reader", "writer", "config", "session", "handler", "buffer", "result", "parser", "client"),
    "verb": _of("load", "store", "check", "open", "merge", "drop", "build", "find", "apply", "update"),
    "folder": _of("src", "tests", "docs", "lib", "core", "tools"),
    "path": lambda dice: filled("{folder}/{name}/{verb}_{name}.py", dice),
    "small": lambda dice: str(dice.randint(1, 250)),
    "number": lambda dice: str(dice.randint(10_000, 99_999_999)),
    "fraction": lambda dice: str(dice.random()),
    "version": lambda dice: ".".join(str(dice.randint(0, 40)) for _ in range(3)),
    "date": lambda dice: f"2026-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}",
    "time": lambda dice: f"{dice.randint(0, 23):02}:{dice.randint(0, 59):02}:{dice.randint(0, 59):02}",
    **{f"hex{digits}": _hex(digits) for digits in (4, 8, 12, 40, 64)},
}
_PART = re.compile(r"\{(\w+)\}")


def filled(template: str, dice: random.Random) -> str:
    """A template with something in the place of each {part} of `_PARTS`."""
    return _PART.sub(lambda part: _PARTS[part[1]](dice) if part[1] in _PARTS else part[0], template)


def text(kind: str, size: int, dice: random.Random) -> str:
    """At least so many characters of a kind."""
    lines: list[str] = []
    while size > 0:
        lines.append(filled(dice.choice(_TEMPLATES[kind]), dice))
        size -= len(lines[-1])
    return "".join(lines)


def chat(kind: str, size: int, seed: int) -> bytes:
    """An OpenAI chat request with one long message of a kind."""
    message = {"role": "user", "content": text(kind, size, random.Random(seed))}
    return _compact({"model": "gpt-6", "messages": [message]})


class Session:
    """An agent's session as it grows: each turn sends everything again, as agents do."""

    def __init__(self, seed: int = 5) -> None:
        self._dice = random.Random(seed)
        self._messages: list[Any] = [{"role": "user", "content": "Find out why the tests fail."}]

    def turn(self) -> None:
        """The model says something and reads a file; it is shown what stands there."""
        dice, call = self._dice, f"call_{len(self._messages):024}"
        asked = json.dumps({"file_path": filled("/srv/app/{path}", dice)})
        used = {"id": call, "type": "function", "function": {"name": "read", "arguments": asked}}
        said = {"role": "assistant", "content": text("prose", TURN // 8, dice), "tool_calls": [used]}
        shown = f"<result>\n{text('agent', TURN * 13 // 16, dice)}\n</result>"
        self._messages += [said, {"role": "tool", "tool_call_id": call, "content": shown}]

    def turns(self, count: int) -> Session:
        for _ in range(count):
            self.turn()
        return self

    def request(self, *, stream: bool = False) -> bytes:
        streamed = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
        return _compact({"model": "gpt-6", "messages": self._messages, **streamed})


def _compact(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
