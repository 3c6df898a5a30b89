"""The Trail records whatever ends, and turns calls away when it cannot and the policy says so."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from tollgate.calls import Call, Connection, Notice, Refused, Runtime
from tollgate.policy import Policy, PolicyFile
from tollgate.providers import Providers
from tollgate.store import Digester, StateError
from tollgate.trail.addon import Trail

type NewCall = Callable[..., Call]

DIGESTER = Digester(b"k" * 32)


def runtime(state: Path, **settings: Any) -> Runtime:
    """What the gate hands out, with these settings of the policy's `trail`."""
    policy = Policy(PolicyFile.model_validate({"trail": {"flush": 0.01} | settings}))
    return Runtime(policy, cast(Providers, None), state, DIGESTER)


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[Trail]:
    trail = Trail()
    trail.llm_setup(runtime(tmp_path))
    yield trail
    trail.done()


@pytest.fixture
def full_disk(tmp_path: Path) -> Path:
    """A path on a disk that is always full; pointed elsewhere, it is well again."""
    path = tmp_path / "full.jsonl"
    path.symlink_to("/dev/full")
    return path


def records(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.002)


def test_calls_connections_and_notices_are_kept_in_order(
    trail: Trail, tmp_path: Path, new_call: NewCall
) -> None:
    trail.llm_notice(Notice("policy_loaded", "policy p1 is in force"))
    trail.llm_end(new_call(id="one"))
    trail.llm_connection(Connection("tunnelled", "example.org", 443, "127.0.0.1"))
    trail.llm_end(new_call(id="two"))
    trail.done()
    kept = records(tmp_path / "trail" / "calls.jsonl")
    assert [record.get("id", record["kind"]) for record in kept] == ["notice", "one", "connection", "two"]


def test_a_record_names_its_policy_and_its_body(trail: Trail, tmp_path: Path, new_call: NewCall) -> None:
    call = new_call()
    trail.llm_end(call)
    trail.done()
    (record,) = records(tmp_path / "trail" / "calls.jsonl")
    assert record["policy"] == runtime(tmp_path).policy.digest
    assert record["body"] == DIGESTER.digest("body", call.client_request.body.wire)


async def test_a_call_goes_on_while_it_can_be_recorded(trail: Trail, new_call: NewCall) -> None:
    await trail.llm_request(new_call())
    assert trail.healthy
    assert trail.lost == 0


async def test_a_call_is_turned_away_while_it_cannot_be_recorded(
    full_disk: Path, tmp_path: Path, new_call: NewCall, caplog: pytest.LogCaptureFixture
) -> None:
    trail = Trail()
    with caplog.at_level(logging.WARNING):
        trail.llm_setup(runtime(tmp_path, path=full_disk))
        trail.llm_end(new_call(id="one"))
        until(lambda: not trail.healthy)
        with pytest.raises(Refused, match="cannot be recorded") as refusal:
            await trail.llm_request(new_call())
        assert (refusal.value.status, refusal.value.code, refusal.value.always) == (
            400,
            "trail_unavailable",
            True,
        )
        repair(full_disk, tmp_path / "space.jsonl")
        until(lambda: trail.healthy)
        await trail.llm_request(new_call())
        trail.done()
    assert [record["id"] for record in records(full_disk)] == ["one"]
    assert "No space left on device" in caplog.text


async def test_a_policy_that_only_counts_lets_calls_go_on(
    full_disk: Path, tmp_path: Path, new_call: NewCall
) -> None:
    trail = Trail()
    trail.llm_setup(runtime(tmp_path, path=full_disk, on_full="count"))
    trail.llm_end(new_call())
    until(lambda: not trail.healthy)
    await trail.llm_request(new_call())
    trail.done()
    assert trail.lost == 1


def test_a_gap_is_told_of_in_the_trail_itself(full_disk: Path, tmp_path: Path, new_call: NewCall) -> None:
    trail = Trail(memory=10_000)
    trail.llm_setup(runtime(tmp_path, path=full_disk))
    while trail.lost < 3:
        trail.llm_notice(Notice("x", "y" * 900))
    until(lambda: not trail.healthy)
    repair(full_disk, tmp_path / "space.jsonl")
    until(lambda: trail.healthy)
    trail.llm_end(new_call(id="after"))
    trail.llm_end(new_call(id="and again"))
    trail.done()
    gap, after, again = records(full_disk)[-3:]
    assert (gap["code"], gap["text"]) == ("records_lost", "3 records before this one were lost")
    assert (after["id"], again["id"]) == ("after", "and again")


def repair(full_disk: Path, target: Path) -> None:
    replacement = full_disk.with_name("replacement")
    replacement.symlink_to(target)
    replacement.rename(full_disk)


def test_a_new_policy_may_move_the_trail(trail: Trail, tmp_path: Path, new_call: NewCall) -> None:
    trail.llm_end(new_call(id="one"))
    trail.llm_setup(runtime(tmp_path))
    trail.llm_end(new_call(id="two"))
    trail.llm_setup(runtime(tmp_path, path=tmp_path / "moved.jsonl"))
    trail.llm_end(new_call(id="three"))
    trail.done()
    assert [record["id"] for record in records(tmp_path / "trail" / "calls.jsonl")] == ["one", "two"]
    assert [record["id"] for record in records(tmp_path / "moved.jsonl")] == ["three"]


def test_a_path_that_cannot_be_opened_leaves_the_old_trail_in_use(
    trail: Trail, tmp_path: Path, new_call: NewCall
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match=r"file/calls\.jsonl cannot be written: .*Set trail\.path"):
        trail.llm_setup(runtime(tmp_path, path=tmp_path / "file" / "calls.jsonl"))
    trail.llm_end(new_call())
    trail.done()
    assert len(records(tmp_path / "trail" / "calls.jsonl")) == 1


async def test_before_it_is_set_up_it_takes_no_call(new_call: NewCall) -> None:
    trail = Trail()
    assert not trail.healthy
    assert trail.lost == 0
    with pytest.raises(RuntimeError, match="llm_setup"):
        await trail.llm_request(new_call())
    with pytest.raises(RuntimeError, match="llm_setup"):
        trail.llm_end(new_call())
    trail.done()
