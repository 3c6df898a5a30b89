"""What detection has to read: prose, code, and what an agent's tools print. Made, not taken from anywhere, with
findings as rare as they are; the same `dice` give the same text."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from benchmark.requests import WORDS

_NAMES = ("reader", "writer", "config", "session", "handler", "buffer", "result", "parser", "cache", "client")
_VERBS = ("load", "store", "check", "open", "merge", "drop", "build", "find", "apply", "update")
_FOLDERS = ("src", "tests", "docs", "lib", "core", "tools")
_FOREIGN = ("naïve", "café", "“quoted”", "–", "Übung", "señor")

TURN = 6_800
"""Characters of one turn of a session: 150 of them are 1 MB."""


def _prose(dice: random.Random) -> str:
    words = dice.choices(WORDS, k=dice.randint(8, 22))
    if dice.random() < 0.2:
        words[dice.randrange(len(words))] = dice.choice(_FOREIGN)
    if dice.random() < 0.03:
        words.append(f"(write to {dice.choice(_NAMES)}.{dice.randint(1, 99)}@example.com)")
    if dice.random() < 0.05:
        words.append(f"in {dice.randint(1990, 2026)}, version {_version(dice)}")
    return " ".join(words).capitalize() + (".\n\n" if dice.random() < 0.15 else ". ")


def _version(dice: random.Random) -> str:
    return ".".join(str(dice.randint(0, 40)) for _ in range(3))


def _hex(dice: random.Random, digits: int) -> str:
    return f"{dice.getrandbits(4 * digits):0{digits}x}"


def _path(dice: random.Random) -> str:
    return f"{dice.choice(_FOLDERS)}/{dice.choice(_NAMES)}/{dice.choice(_VERBS)}_{dice.choice(_NAMES)}.py"


def _code(dice: random.Random) -> str:
    name, verb, other = dice.choice(_NAMES), dice.choice(_VERBS), dice.choice(_NAMES)
    return dice.choice(
        (
            f"def {verb}_{name}(self, {other}: dict[str, int], *, limit: int = {dice.randint(1, 5000)}) -> None:\n",
            f'    """{_prose(dice).strip()}"""\n',
            f"    if self._{name} is None or len({other}) > {dice.random():.4f}:\n",
            f'        raise ValueError(f"{{{name}!r}} is no {other}: " + str({verb}_{other}.__name__))\n',
            f"        {name}_token = self.{other}.{verb}(key=os.environ['{name.upper()}_KEY'], timeout=30)\n",
            f"    for {name}, {other} in enumerate(self.{verb}_all(r'\\\\w+\\\\.{verb}', flags=0x{_hex(dice, 4)})):\n",
            f"from {dice.choice(_FOLDERS)}.{name} import {verb}_{other}, {name.title()}\n",
            f"    assert {verb}({name}) == {{'{other}': [{dice.randint(0, 10**6)}, {dice.random()}]}}\n\n\n",
            f"        return {name}.{verb}({other}) + b'\\\\x{_hex(dice, 2)}'  # see {_path(dice)}\n",
        )
    )


def _shown(dice: random.Random) -> str:
    """A line of what an agent reads: documentation, code, and what programs print, a third each."""
    return dice.choice((_prose, _code, _printed))(dice)


def _printed(dice: random.Random) -> str:
    """A line or two that a program prints, full of numbers."""
    stamp = f"2026-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
    clock = f"{dice.randint(0, 23):02}:{dice.randint(0, 59):02}:{dice.randint(0, 59):02}"
    address = f"10.{dice.randint(0, 255)}.{dice.randint(0, 255)}.{dice.randint(1, 254)}"
    return dice.choice(
        (
            f"-rw-r--r--  1 build staff {dice.randint(10, 999999):8} Nov {dice.randint(1, 28):2} {clock[:5]} {_path(dice)}\n",
            f"commit {_hex(dice, 40)}\nAuthor: Build <build@example.com>\nDate:   {stamp} {clock} +0100\n\n    {_prose(dice)}\n",
            f"{stamp}T{clock}.{dice.randint(0, 999):03}Z INFO {_path(dice)}:{dice.randint(1, 900)} took {dice.random():.6f} s\n",
            f'{{"id": "{_uuid(dice)}", "time": {dice.randint(1_700_000_000, 1_800_000_000)}, "ok": true}}\n',
            f'{address} - - [{stamp}:{clock}] "GET /{_path(dice)}?page={dice.randint(1, 99)} HTTP/1.1" 200 {dice.randint(99, 99999)}\n',
            f"{_path(dice)}:{dice.randint(1, 900)}: {_code(dice).strip()}\n",
            f"  sha256:{_hex(dice, 64)}  {dice.choice(_NAMES)}-{_version(dice)}.tar.gz\n",
            f"+{_code(dice)}-{_code(dice)}",
        )
    )


def _uuid(dice: random.Random) -> str:
    return "-".join(_hex(dice, digits) for digits in (8, 4, 4, 4, 12))


_LINES: Mapping[str, Callable[[random.Random], str]] = {"prose": _prose, "code": _code, "agent": _shown}
KINDS = tuple(_LINES)


def text(kind: str, size: int, dice: random.Random) -> str:
    """At least so many characters of a kind."""
    lines: list[str] = []
    while size > 0:
        lines.append(_LINES[kind](dice))
        size -= len(lines[-1])
    return "".join(lines)


def chat(kind: str, size: int, seed: int) -> bytes:
    """An OpenAI chat request with one long message of a kind."""
    asked = {
        "model": "gpt-6",
        "messages": [{"role": "user", "content": text(kind, size, random.Random(seed))}],
    }
    return json.dumps(asked, ensure_ascii=False, separators=(",", ":")).encode()


class Session:
    """An agent's session as it grows: each turn sends everything again, as Claude Code does."""

    def __init__(self, seed: int = 5) -> None:
        self._dice = random.Random(seed)
        self.messages: list[dict[str, Any]] = []

    def turn(self) -> None:
        """The model read a file, and is shown what stands in it."""
        dice, name = self._dice, f"toolu_{len(self.messages):024}"
        said = {"type": "text", "text": text("prose", TURN // 8, dice)}
        used = {
            "type": "tool_use",
            "id": name,
            "name": "Read",
            "input": {"file_path": f"/work/{_path(dice)}"},
        }
        shown = text(dice.choice(("code", "agent")), TURN * 13 // 16, dice)
        result = {"type": "tool_result", "tool_use_id": name, "content": [{"type": "text", "text": shown}]}
        self.messages += [
            {"role": "assistant", "content": [said, used]},
            {"role": "user", "content": [result]},
        ]

    def request(self) -> bytes:
        system = [{"type": "text", "text": "You help with software.", "cache_control": {"type": "ephemeral"}}]
        begin = {"role": "user", "content": "Find out why the tests fail."}
        asked = {
            "model": "claude-sonnet-5-5",
            "max_tokens": 32000,
            "system": system,
            "messages": [begin, *self.messages],
            "stream": True,
        }
        return json.dumps(asked, ensure_ascii=False, separators=(",", ":")).encode()
