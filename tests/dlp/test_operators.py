"""What cannot be undone."""

import subprocess
import sys

import pytest

from tollgate.dlp.operators import Operators
from tollgate.policy.dlp import Action

OPERATORS = Operators(b"k" * 32)


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("4111 1111 1111 1111", "***************1111"),
        ("123456789012", "********9012"),
        ("536-22-8941", "***********"),
        ("Bob", "***"),
        ("", ""),
    ],
)
def test_a_mask_leaves_the_end_of_long_values(value: str, masked: str) -> None:
    assert OPERATORS.apply("mask", value) == masked


def test_redact_leaves_nothing() -> None:
    assert OPERATORS.apply("redact", "hunter2") == ""


def test_a_hash_is_the_same_for_the_same_key_and_value() -> None:
    hashed = OPERATORS.apply("hash", "hunter2")

    assert len(hashed) == 64
    assert Operators(b"k" * 32).apply("hash", "hunter2") == hashed
    assert Operators(b"other").apply("hash", "hunter2") != hashed
    assert OPERATORS.apply("hash", "hunter3") != hashed


def test_what_was_encrypted_can_be_decrypted_with_the_key_only() -> None:
    sealed = OPERATORS.apply("encrypt", "Zoë's key")

    assert "key" not in sealed
    assert Operators(b"k" * 32).decrypt(sealed) == "Zoë's key"
    with pytest.raises(ValueError):  # noqa: PT011 (the words are those of the library, and not always the same)
        Operators(b"other").decrypt(sealed)


def test_a_process_gives_the_same_ciphertext_again() -> None:
    assert OPERATORS.apply("encrypt", "hunter2") == OPERATORS.apply("encrypt", "hunter2")


@pytest.mark.parametrize("action", ["replace", "block", "report", "ignore"])
def test_other_actions_are_not_for_operators(action: Action) -> None:
    with pytest.raises(KeyError, match=action):
        OPERATORS.apply(action, "value")


def test_presidio_is_imported_only_when_it_is_needed() -> None:
    code = (
        "import sys, tollgate.dlp.operators as o; o.Operators(b'k');"
        " sys.exit(any(m.startswith('presidio') for m in sys.modules))"
    )

    assert (
        subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0
    )
