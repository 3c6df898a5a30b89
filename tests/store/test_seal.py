"""Nobody changes what is sealed, and nobody reads what is secret."""

import pytest

from tollgate.store import Seal

KEY = b"k" * 32
SECRETS = pytest.mark.parametrize("secret", [True, False], ids=["secret", "open"])


@SECRETS
@pytest.mark.parametrize("value", [b"", b"a value", bytes(range(256))])
def test_what_was_sealed_opens_under_its_name(secret: bool, value: bytes) -> None:
    seal = Seal(KEY, b"test", secret=secret)

    assert seal.open("name", seal.close("name", value)) == value


@SECRETS
def test_it_opens_under_no_other_name_key_or_purpose(secret: bool) -> None:
    sealed = Seal(KEY, b"test", secret=secret).close("name", b"a value")

    assert Seal(KEY, b"test").open("other", sealed) is None
    assert Seal(b"x" * 32, b"test").open("name", sealed) is None
    assert Seal(KEY, b"else").open("name", sealed) is None


@SECRETS
def test_a_changed_bit_anywhere_is_noticed(secret: bool) -> None:
    seal = Seal(KEY, b"test", secret=secret)
    sealed = seal.close("name", b"a value")

    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        assert seal.open("name", bytes(changed)) is None


@SECRETS
def test_many_are_sealed_as_each_is(secret: bool) -> None:
    seal = Seal(KEY, b"test", secret=secret)

    sealed = seal.close_all(("name", b"value") for _ in range(50))

    assert {seal.open("name", one) for one in sealed} == {b"value"}
    assert len(set(sealed)) == (50 if secret else 1)
    assert seal.close_all([]) == []


def test_either_kind_opens_both() -> None:
    assert Seal(KEY, b"t", secret=True).open("n", Seal(KEY, b"t", secret=False).close("n", b"v")) == b"v"
    assert Seal(KEY, b"t", secret=False).open("n", Seal(KEY, b"t", secret=True).close("n", b"v")) == b"v"


def test_only_what_is_secret_cannot_be_read() -> None:
    assert b"a value" not in Seal(KEY, b"t").close("n", b"a value")
    assert b"a value" in Seal(KEY, b"t", secret=False).close("n", b"a value")


@pytest.mark.parametrize("garbage", [b"", b"\x01", b"\x02", b"\x02" + b"n" * 12, b"\x03" + b"x" * 40])
def test_garbage_does_not_open(garbage: bytes) -> None:
    assert Seal(KEY, b"t").open("n", garbage) is None
