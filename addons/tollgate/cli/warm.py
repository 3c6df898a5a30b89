"""Calls that are made beforehand, from a file of requests, through a running proxy."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

_AT_ONCE = 8
_SECONDS = 600.0

type Outcome = tuple[Line, str]
"""What x-tollgate-cache says of a line's answer; "!" and a reason where there is none."""


class WarmError(ValueError):
    """A file, a line or a header that cannot be used."""


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    url: str
    body: Any
    headers: Mapping[str, str]


def read_lines(file: Path, headers: Sequence[str], environ: Mapping[str, str] = os.environ) -> list[Line]:
    """The requests of a file. WarmError where a line or a header is none."""
    common = dict(_header(pair, environ) for pair in headers)
    lines = enumerate(file.read_text("utf-8").splitlines(), 1)
    return [_line(f"{file}:{number}", number, text, common) for number, text in lines if text.strip()]


def _line(place: str, number: int, text: str, common: Mapping[str, str]) -> Line:
    try:
        told = json.loads(text)
    except ValueError as e:
        raise WarmError(f"{place}: not JSON: {e}") from e
    if not isinstance(told, dict) or not isinstance(told.get("url"), str) or "body" not in told:
        raise WarmError(f'{place}: a request is {{"url": "https://…", "body": {{…}}}}')
    headers = told.get("headers", {})
    if unknown := set(told) - {"url", "body", "headers"}:
        raise WarmError(f"{place}: unknown key {sorted(unknown)[0]!r}; there is url, body and headers")
    if not isinstance(headers, dict):
        raise WarmError(f'{place}: headers are an object: {{"anthropic-version": "2023-06-01"}}')
    return Line(number, told["url"], told["body"], {**common, **{n: str(v) for n, v in headers.items()}})


def _header(pair: str, environ: Mapping[str, str]) -> tuple[str, str]:
    name, equals, value = pair.partition("=")
    if not equals:
        raise WarmError(f"a header is given as NAME=VALUE, not {name!r}")
    if value.startswith("$"):
        if value[1:] not in environ:
            raise WarmError(f"the environment has no {value[1:]}")
        value = environ[value[1:]]
    return name.strip(), value


def warm_up(lines: Sequence[Line], proxy: str, ca: Path | None, say: Callable[[int], None]) -> list[Outcome]:
    """Make the calls, some at a time. OSError where the authority cannot be read."""
    return asyncio.run(_warm_up(lines, proxy, ca, say))


async def _warm_up(
    lines: Sequence[Line], proxy: str, ca: Path | None, say: Callable[[int], None]
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    turn = asyncio.Semaphore(_AT_ONCE)
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=ca))
    timeout = aiohttp.ClientTimeout(total=_SECONDS)

    async def make(client: aiohttp.ClientSession, line: Line) -> None:
        async with turn:
            outcomes.append((line, await _told(client, line, proxy)))
            say(len(outcomes))

    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as client:
        await asyncio.gather(*(make(client, line) for line in lines))
    return sorted(outcomes, key=lambda outcome: outcome[0].number)


async def _told(client: aiohttp.ClientSession, line: Line, proxy: str) -> str:
    try:
        async with client.post(line.url, json=line.body, headers=line.headers, proxy=proxy) as response:
            await response.read()
            if response.status != 200:
                return f"!answered with status {response.status}"
            return response.headers.get("x-tollgate-cache", "")
    except (aiohttp.ClientError, TimeoutError, ValueError) as e:
        return f"!{type(e).__name__}: no answer through {proxy}"
