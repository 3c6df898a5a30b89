"""Two calls have one key if, and only if, they ask the same."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.upstream import make_call, make_request
from tollgate.cache.key import canonical, route_of, scope_of, streams_by_verb
from tollgate.calls import Call, Identity
from tollgate.policy.routing import Route, Target

ME = Identity(user="ann", address="127.0.0.1", credential="c1", project="p")

REQUESTS: dict[str, Any] = {
    "openai-chat": {
        "model": "gpt-6",
        "stream": True,
        "temperature": 0.5,
        "user": "u1",
        "metadata": {"run": "7"},
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "assistant",
                "tool_calls": [{"id": "call_1", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "4"},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "response_format": {"type": "json_object"},
        "unknown_field": {"deep": [1, {"er": True}]},
    },
    "anthropic-messages": {
        "model": "claude-x",
        "max_tokens": 5,
        "metadata": {"user_id": "me"},
        "system": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "A", "cache_control": {}}]}],
        "thinking": {"type": "adaptive"},
        "unknown_field": "x",
    },
    "gemini": {
        "contents": [{"role": "user", "parts": [{"text": "A"}]}],
        "generationConfig": {"temperature": 0.1, "topK": 3},
        "labels": {"team": "a"},
        "safetySettings": [{"category": "c", "threshold": "t"}],
    },
    "openai-responses": {
        "model": "gpt-6",
        "input": [
            {"type": "message", "id": "m", "role": "user", "content": [{"type": "input_text", "text": "A"}]}
        ],
        "instructions": "Be brief.",
        "prompt_cache_key": "k",
        "client_metadata": {"cwd": "/"},
        "reasoning": {"effort": "low"},
    },
}
NEUTRAL_PLACES: dict[str, list[tuple[Any, ...]]] = {
    "openai-chat": [
        ("stream",),
        ("user",),
        ("metadata",),
        ("messages", 1, "tool_calls", 0, "id"),
        ("messages", 2, "tool_call_id"),
    ],
    "anthropic-messages": [
        ("metadata",),
        ("system", 0, "cache_control"),
        ("messages", 0, "content", 0, "cache_control"),
    ],
    "gemini": [("labels",)],
    "openai-responses": [("prompt_cache_key",), ("client_metadata",), ("input", 0, "id")],
}


def call_of(body: Any, speaks: str = "openai-chat", target: str = "/v1/x", **more: Any) -> Call:
    params = more.pop("params", None)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    call = make_call(make_request(data, target=target, **more), speaks=speaks, params=params)
    call.request.body.parse(call.dialect.shape)
    return call


def key(body: Any, speaks: str = "openai-chat", **more: Any) -> bytes:
    return canonical(call_of(body, speaks, **more), "s")


def leaves(tree: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    found = [leaf for name, item in items for leaf in leaves(item, (*place, name))]
    yield from found or [place]


def put(tree: Any, place: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(tree)
    inner = changed
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return changed


def shuffled(tree: Any, dice: random.Random) -> Any:
    if isinstance(tree, dict):
        items = list(tree.items())
        dice.shuffle(items)
        return {name: shuffled(item, dice) for name, item in items}
    return [shuffled(item, dice) for item in tree] if isinstance(tree, list) else tree


def is_neutral(dialect: str, place: tuple[Any, ...]) -> bool:
    return any(place[: len(neutral)] == neutral for neutral in NEUTRAL_PLACES[dialect])


COUNTING = [
    (dialect, place)
    for dialect, body in REQUESTS.items()
    for place in leaves(body)
    if not is_neutral(dialect, place)
]
VALUES = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.floats(0, 2), st.text(max_size=5))


@settings(max_examples=200)
@given(st.sampled_from(COUNTING), VALUES)
def test_calls_that_differ_in_anything_that_counts_never_share_a_key(
    where: tuple[str, tuple[Any, ...]], value: Any
) -> None:
    dialect, place = where
    body = REQUESTS[dialect]
    changed = put(body, place, value)

    same = orjson.dumps(changed, option=orjson.OPT_SORT_KEYS) == orjson.dumps(
        body, option=orjson.OPT_SORT_KEYS
    )

    assert (key(changed, dialect) == key(body, dialect)) == same


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(REQUESTS)), st.data(), st.integers())
def test_calls_that_differ_only_in_what_is_neutral_always_do(
    dialect: str, data: st.DataObject, seed: int
) -> None:
    body = REQUESTS[dialect]
    changed = body
    for place in NEUTRAL_PLACES[dialect]:
        if "call" not in str(place):
            changed = put(changed, place, data.draw(VALUES))
    text = json.dumps(shuffled(changed, random.Random(seed)), indent=seed % 3, ensure_ascii=seed % 2 == 0)

    assert key(text.encode(), dialect) == key(body, dialect)


SPACINGS = pytest.mark.parametrize("text", ['{"seed":%s}', '{ "seed": %s }'], ids=["compact", "with blanks"])


@SPACINGS
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.1234567890123456", "0.12345678901234560001"),
        ("12345678901234567890123", "12345678901234567890124"),
    ],
)
def test_numbers_that_are_the_same_only_as_64_bits_are_two(text: str, one: str, other: str) -> None:
    assert key((text % one).encode()) != key(b'{"seed":%b}' % other.encode())


@pytest.mark.parametrize("number", ["0.1234567890123456", "1234567890123456789", "1e20", "-0.5e-7"])
def test_a_long_number_is_the_same_however_the_body_is_spaced(number: str) -> None:
    number = orjson.dumps(orjson.loads(number)).decode()

    assert key(b'{"seed":%b}' % number.encode()) == key(b'{ "seed" : %b }' % number.encode())


def test_ids_of_tool_calls_count_as_links_only() -> None:
    renamed = put(REQUESTS["openai-chat"], ("messages", 1, "tool_calls", 0, "id"), "call_2")

    assert key(put(renamed, ("messages", 2, "tool_call_id"), "call_2")) == key(REQUESTS["openai-chat"])
    assert key(renamed) != key(REQUESTS["openai-chat"])


USER = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "A"}]}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "4"}


@pytest.mark.parametrize(
    "item",
    [
        USER,
        {"role": "developer", "content": "A"},
        RESULT,
        {**RESULT, "type": "custom_tool_call_output"},
        {"type": "additional_tools", "role": "developer", "tools": [{"type": "function", "name": "f"}]},
    ],
)
def test_an_id_that_a_client_gives_to_what_it_sends_in_full_does_not_count(item: dict[str, Any]) -> None:
    plain, one, other = ({"input": [{**item, **id}]} for id in ({}, {"id": "msg_1"}, {"id": "msg_2"}))

    assert key(plain, "openai-responses") == key(one, "openai-responses") == key(other, "openai-responses")


@pytest.mark.parametrize(
    "item",
    [
        {"type": "item_reference"},
        {},
        {"type": None, "content": "A"},
        {"type": "message", "role": "user"},
        {"type": "message", "role": "user", "content": []},
        {"type": "message", "role": "assistant", "content": "A"},
        {"type": "function_call_output", "call_id": "call_1", "output": None},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "A"}]},
        {"type": "image_generation_call"},
        {"type": "of tomorrow", "content": "A", "output": "A"},
        {"type": ["message"], "content": "A"},
    ],
)
def test_an_id_by_which_the_provider_may_look_something_up_counts(item: dict[str, Any]) -> None:
    one, other = ({"input": [{**item, "id": id}]} for id in ("msg_1", "msg_2"))

    assert key(one, "openai-responses") != key(other, "openai-responses")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"seed":123456789012345678901234567890}', b'{"seed":123456789012345678901234567891}'),
        (b'{"a":9007199254740.9931}', b'{"a":9007199254740.9932}'),
        (b'{"a":1}', b'{"a":1.0}'),
        (b'{"a":1}', b'{"a":true}'),
        (b'{"a":"1"}', b'{"a":1}'),
        (b'{"a":null}', b"{}"),
    ],
)
def test_values_that_look_alike_are_told_apart(one: bytes, other: bytes) -> None:
    assert key(one) != key(other)


BODY = {"model": "m"}


@pytest.mark.parametrize(
    "other",
    [
        {"target": "/v1/y"},
        {"target": "/v1/x?api-version=2"},
        {"host": "other.test"},
        {"port": 8443},
        {"headers": [("anthropic-beta", "a")]},
        {"headers": [("OpenAI-Beta", "a")]},
        {"headers": [("cf-aig-model", "b")]},
        {"speaks": "openai-completions"},
    ],
)
def test_what_stands_outside_of_the_body_counts_too(other: dict[str, Any]) -> None:
    assert key(BODY, **other) != key(BODY)


@pytest.mark.parametrize(
    "other",
    [
        {"headers": [("authorization", "Bearer x"), ("x-request-id", "7"), ("user-agent", "b")]},
        {"target": "/v1/x?key=secret&alt=sse"},
        {"target": "/v1/x?X-Amz-Signature=ab&X-Amz-Date=1"},
    ],
)
def test_who_asks_with_what_does_not(other: dict[str, Any]) -> None:
    assert key(BODY, **other) == key(BODY)


def test_betas_are_a_set() -> None:
    one = key(BODY, headers=[("anthropic-beta", "a,b")])

    assert key(BODY, headers=[("anthropic-beta", "b"), ("Anthropic-Beta", "a")]) == one


def test_a_verb_that_only_asks_for_a_stream_does_not_count() -> None:
    keys = [
        key({}, "gemini", target=f"/v1/models/m:{verb}", params={"verb": verb, "model": "m"})
        for verb in ("generateContent", "streamGenerateContent")
    ]

    assert keys[0] == keys[1]


def test_any_other_verb_does() -> None:
    call = call_of({}, "openai-chat", params={"verb": "tokenize"})

    assert not streams_by_verb(call)


def test_another_scope_is_another_key() -> None:
    assert canonical(call_of(BODY), "a") != canonical(call_of(BODY), "b")


PLACES = {"eu": Target(provider="openai", region="eu"), "claude": Target(provider="anthropic", model="c-1")}


def routed(places: dict[str, Target] = PLACES, **route: Any) -> bytes:
    return canonical(call_of(BODY), "s", route=route_of(Route.model_validate(route), places))


@pytest.mark.parametrize(
    "route",
    [
        {"targets": ["eu"]},
        {"targets": ["claude"]},
        {"targets": ["same", "claude"]},
        {"models": {"m": "n"}},
        {"parameters": {"cap": {"max_tokens": 5}}},
        {"headers": {"set": {"anthropic-beta": "b"}}},
    ],
)
def test_another_route_is_another_key(route: dict[str, Any]) -> None:
    assert routed(**route) != routed()
    assert routed(**route) == routed(**route)


def test_so_is_another_place_or_model_of_a_target() -> None:
    newer = {"claude": Target(provider="anthropic", model="c-2")}

    assert routed(newer, targets=["claude"]) != routed(targets=["claude"])


def test_how_a_target_is_asked_is_not() -> None:
    checked = {"claude": Target(provider="anthropic", model="c-1", credential=["k"], tools=False)}

    assert routed(checked, targets=["claude"], retries=2) == routed(targets=["claude"])
    assert routed(retries=1, targets=["same"]) == routed()


def test_a_body_that_is_no_json_has_no_key() -> None:
    with pytest.raises(ValueError, match="no JSON"):
        canonical(make_call(make_request(b"x")), "s")


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ("credential", "credential:c1"),
        ("user", "user:ann"),
        ("group", "group:a,b"),
        ("project", "project:p"),
        ("all", "all:all"),
    ],
)
def test_a_scope_says_who_shares(scope: Any, told: str) -> None:
    assert scope_of(scope, ME, ("b", "a")) == told


@pytest.mark.parametrize("scope", ["credential", "group", "project"])
def test_what_is_not_known_is_the_users_own(scope: Any) -> None:
    assert scope_of(scope, Identity(user="ann", address="1.2.3.4"), ()) == "only:ann"
