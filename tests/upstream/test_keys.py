from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from tollgate.calls import CLIENT, Failed
from tollgate.policy.routing import Credential
from tollgate.upstream import keys as module
from tollgate.upstream.keys import Keys, read

SECRET = "sk-of-nobody-at-all"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def credential(**source: Any) -> Credential:
    return Credential.model_validate({"hosts": "x.test", **source})


def printing(text: str) -> list[str]:
    return [sys.executable, "-c", f"print({text!r})"]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", "one")
    monkeypatch.setenv("B", "two")
    monkeypatch.delenv("C", raising=False)


@pytest.mark.parametrize(
    ("source", "secret"),
    [
        ({"env": "A"}, "one"),
        ({"env": ["A", "B"]}, "one:two"),
        ({"env": ["A", "B", "C"]}, "one:two"),
        ({"command": printing(SECRET)}, SECRET),
        ({"command": printing('{"a":\n1}'), "kind": "sigv4"}, '{"a":\n1}'),
    ],
)
def test_a_key_is_read_from_where_the_policy_says(source: dict[str, Any], secret: str) -> None:
    assert read("k", credential(**source)) == secret


def test_a_file_holds_nothing_but_its_key(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"  {SECRET}\n")

    assert read("k", credential(file=file)) == SECRET


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"env": "C"}, r"credentials\.k\.env: the environment variable C is not set"),
        ({"env": ["A", "C"]}, "variable C is not set"),
        ({"file": "/nowhere/at/all"}, r"credentials\.k\.file: /nowhere/at/all cannot be read: No such"),
        ({"command": ["/nowhere/at/all"]}, r"credentials\.k\.command: /nowhere/at/all cannot be run"),
        ({"command": [sys.executable, "-c", "import sys; print('sk-of'); sys.exit(3)"]}, "exit code 3"),
        ({"command": printing("")}, "is empty"),
        ({"command": printing(f"{SECRET}\nmore")}, "more than one line"),
        ({"command": printing("schlüssel-of")}, "no plain text"),
    ],
)
def test_what_cannot_be_had_is_told_without_repeating_it(source: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        Keys({"k": credential(**source)})
    assert "sk-of" not in str(caught.value)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(b"\xff\xfe")

    with pytest.raises(ValueError, match="is no text"):
        read("k", credential(file=file))


def test_a_program_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMMAND_SECONDS", 0.05)

    with pytest.raises(ValueError, match=r"no key within 0\.05 s"):
        read("k", credential(command=[sys.executable, "-c", "import time; time.sleep(9)"]))


async def test_a_key_is_renewed_when_it_is_old(tmp_path: Path) -> None:
    file, clock = tmp_path / "key", Clock()
    file.write_text("one")
    keys = Keys({"k": credential(file=file, refresh="10 s")}, clock)
    file.write_text("two")

    assert await keys.secret("k") == "one"
    clock.now += 10
    assert await keys.secret("k") == "two"
    file.write_text("three")
    assert await keys.secret("k") == "two"
    keys.age("k")
    assert await keys.secret("k") == "three"


async def test_a_key_that_cannot_be_renewed_fails_its_calls(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("one")
    keys = Keys({"k": credential(file=file)})
    file.unlink()
    keys.age("k")

    with pytest.raises(Failed, match="cannot be renewed") as caught:
        await keys.secret("k")
    assert caught.value.code == "key_unavailable"


async def test_those_who_waited_for_a_renewal_share_its_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key"
    file.write_text("one")
    keys = Keys({"k": credential(file=file)})
    tries: list[str] = []

    def fails(name: str, credential: Credential) -> str:
        tries.append(name)
        raise ValueError("no")

    monkeypatch.setattr(module, "read", fails)
    keys.age("k")
    told = await asyncio.gather(*(keys.secret("k") for _ in range(3)), return_exceptions=True)

    assert [str(error) for error in told] == ["A key cannot be renewed: no."] * 3
    assert tries == ["k"]
    with pytest.raises(Failed):
        await keys.secret("k")
    assert tries == ["k", "k"]


async def test_an_environment_does_not_change() -> None:
    keys = Keys({"k": credential(env="A")})
    keys.age("k")

    assert await keys.secret("k") == "one"


def test_a_key_that_rests_is_passed_over_until_it_is_free() -> None:
    clock = Clock()
    keys = Keys({"a": credential(env="A", rest="5 s"), "b": credential(env="B")}, clock)
    keys.rest("a", None)

    assert keys.pick(["a", "b"]) == "b"
    keys.rest("b", 100.0)
    assert keys.pick(["a", "b"]) is None
    assert keys.soonest(["b", "a"]) == "a"
    assert keys.pick(["a", CLIENT]) == CLIENT
    clock.now += 5
    assert keys.pick(["b", "a"]) == "a"


def test_the_clients_own_key_is_not_ours_to_rest() -> None:
    keys = Keys({})
    keys.rest(CLIENT, 10)
    keys.age(CLIENT)

    assert keys.pick([CLIENT]) == CLIENT


def test_keys_do_not_show_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", SECRET)

    assert SECRET not in repr(Keys({"k": credential(env="A")})._keys)
