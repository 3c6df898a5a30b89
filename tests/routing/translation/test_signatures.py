from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.routing.translation.neutral import Signature
from tollgate.routing.translation.signatures import UNSIGNED, carries, is_wrapped, unwrap, wrap, wrap_any

FAMILIES = ("anthropic", "openai", "gemini", "unsigned")


@given(st.text(), st.sampled_from(FAMILIES), st.sampled_from(FAMILIES), st.booleans())
def test_a_foreign_seal_comes_back_as_it_went(value: str, made_by: str, client: str, of_tool: bool) -> None:
    seal = Signature(made_by, value, of_tool)
    packed = wrap(seal, client)

    if of_tool or made_by != client:
        assert unwrap(packed, client) == seal
        assert carries(b'{"signature": "%b"}' % packed.encode())
    else:
        assert packed == value


@given(st.text(min_size=20))
def test_googles_sdk_gives_back_the_other_alphabet(value: str) -> None:
    seal = Signature("anthropic", value)

    assert unwrap(wrap(seal, "gemini").replace("+", "-").replace("/", "_"), "gemini") == seal


@pytest.mark.parametrize(
    "value",
    [
        "EqQBabc==",
        "",
        "dG9sbGdhdGU6!",
        b64encode(b"tollgate:1").decode(),
        b64encode(b"tollgate:2:a:b:c").decode(),
    ],
)
def test_a_providers_own_seal_is_left_alone(value: str) -> None:
    assert unwrap(value, "anthropic") == Signature("anthropic", value)


def test_a_thought_that_nobody_signed_says_so() -> None:
    assert unwrap(wrap_any(None, "anthropic"), "anthropic") == UNSIGNED
    assert wrap_any(Signature("anthropic", "own"), "anthropic") == "own"
    assert not carries(b'{"signature": "EqQB"}')


def test_a_wrapped_one_is_known_in_base64_once_more() -> None:
    packed = wrap(Signature("gemini", "s"), "anthropic")
    twice = b64encode(packed.encode())

    assert carries(b'{"redactedContent": "%b"}' % twice)
    assert (is_wrapped(packed), is_wrapped(twice.decode()), is_wrapped("EqQB")) == (True, True, False)
