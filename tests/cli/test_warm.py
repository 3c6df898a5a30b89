"""Calls that are made beforehand."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from support.proxy import CHAT, KEY, chat, simulated_provider, tollgate
from tollgate.cli.warm import Line, WarmError, read_lines, warm_up
from tollgate.gate.authority import BUNDLE_FILE


def read(tmp_path: Path, *lines: Any, headers: tuple[str, ...] = ()) -> list[Line]:
    file = tmp_path / "calls.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return read_lines(file, headers, {"KEY": "secret"})


def test_a_line_is_a_request_with_the_headers_of_all_and_its_own(tmp_path: Path) -> None:
    told = {"url": "https://a/b", "body": {"x": 1}, "headers": {"n": 5}}

    lines = read(tmp_path, told, "", told, headers=("authorization=$KEY", "a=b=c"))

    assert [line.number for line in lines] == [1, 3]
    assert lines[0] == Line(1, "https://a/b", {"x": 1}, {"authorization": "secret", "a": "b=c", "n": "5"})


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("{", "not JSON"),
        ([], "a request is"),
        ({"url": 1, "body": {}}, "a request is"),
        ({"url": "https://a"}, "a request is"),
        ({"url": "https://a", "body": {}, "metod": 1}, "unknown key 'metod'"),
        ({"url": "https://a", "body": {}, "headers": []}, "headers are an object"),
    ],
)
def test_what_is_no_request_is_named_with_its_line(tmp_path: Path, line: Any, wrong: str) -> None:
    with pytest.raises(WarmError, match=wrong) as told:
        read(tmp_path, line)

    assert "calls.jsonl:1" in str(told.value)


@pytest.mark.parametrize(("header", "wrong"), [("x", "NAME=VALUE"), ("x=$MISSING", "no MISSING")])
def test_a_header_that_cannot_be_used_is_named(tmp_path: Path, header: str, wrong: str) -> None:
    with pytest.raises(WarmError, match=wrong):
        read(tmp_path, headers=(header,))


async def test_answers_are_there_afterwards(tmp_path: Path) -> None:
    lines = [Line(n, CHAT, chat(str(n)), KEY) for n in range(3)] + [Line(9, CHAT, {"model": 1}, KEY)]
    done: list[int] = []
    async with (
        simulated_provider(tmp_path) as provider,
        tollgate(tmp_path, provider, {"cache": {"enabled": True}}) as proxy,
    ):
        ca = tmp_path / "certs" / BUNDLE_FILE
        first = await asyncio.to_thread(warm_up, lines, proxy.url, ca, done.append)
        again = await asyncio.to_thread(warm_up, lines[:3], proxy.url, ca, done.append)

    assert [told for _, told in first] == ["stored"] * 3 + ["!answered with status 400"]
    assert [told for _, told in again] == ["hit"] * 3
    assert done == [1, 2, 3, 4, 1, 2, 3]


def test_a_proxy_that_is_not_there_is_told(tmp_path: Path) -> None:
    [(_, told)] = warm_up([Line(1, CHAT, {}, {})], "http://127.0.0.1:9", None, lambda done: None)

    assert told.startswith("!ClientProxyConnectionError")
