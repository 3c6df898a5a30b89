from base64 import b64decode
from struct import unpack
from typing import Any

import orjson
import pytest
from multidict import CIMultiDict

from simulator.behaviour import Behaviour
from support.targets import MODELS, ask
from tollgate.routing.translation import Untranslatable, can, request

TARGETS = ("openai-embeddings", "gemini", "ollama", "cohere-chat")


def sent(target: str, **body: Any) -> Any:
    return request(
        "openai-embeddings",
        target,
        path="/v1/embeddings",
        params={},
        headers=CIMultiDict(),
        body={"model": "m", **body},
        model=MODELS[target],
        stream=False,
    )


def answered(target: str, **body: Any) -> Any:
    asked = sent(target, **body)
    answer = ask(target, asked, Behaviour())
    assert answer.status == 200, b"".join(answer.pieces)
    status, headers, told, losses = asked.session.answer(200, CIMultiDict(), b"".join(answer.pieces))
    assert (status, headers["content-type"], losses) == (200, "application/json", [])
    return orjson.loads(told)


@pytest.mark.parametrize("target", TARGETS)
def test_vectors_of_every_text_with_their_usage(target: str) -> None:
    told = answered(target, input=["one", "two"], dimensions=8)

    assert [row["index"] for row in told["data"]] == [0, 1]
    assert all(len(row["embedding"]) == 8 for row in told["data"])
    assert told["model"] == MODELS[target]
    assert told["usage"]["prompt_tokens"] == told["usage"]["total_tokens"] == (0 if target == "gemini" else 5)


@pytest.mark.parametrize("target", TARGETS)
def test_numbers_as_base64_as_the_sdk_asks_for_them(target: str) -> None:
    plain = answered(target, input="one")["data"][0]["embedding"]
    packed = answered(target, input="one", encoding_format="base64")["data"][0]["embedding"]

    assert unpack(f"<{len(plain)}f", b64decode(packed)) == pytest.approx(plain)


@pytest.mark.parametrize("given", [[1, 2], [[1, 2]], None, ["a", 1]])
def test_tokens_are_known_to_one_model_only(given: Any) -> None:
    with pytest.raises(Untranslatable, match="input must be text"):
        sent("gemini", input=given)


def test_what_is_lost_is_noted() -> None:
    assert [(loss.what, loss.hint) for loss in sent("ollama", input="a", user="u", other=1).losses] == [
        ("user", True),
        ("other", False),
    ]


def test_an_error_is_told_as_openais() -> None:
    status, _, body, _ = sent("ollama", input="a").session.answer(
        404, CIMultiDict(), b'{"error": "no model"}'
    )

    assert (status, orjson.loads(body)["error"]["message"]) == (404, "no model")


@pytest.mark.parametrize("body", [b"{}", b'{"embeddings": [1]}', b"nothing"])
def test_an_answer_without_vectors_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        sent("ollama", input="a").session.answer(200, CIMultiDict(), body)


def test_there_is_nothing_to_stream() -> None:
    with pytest.raises(Untranslatable, match="never streamed"):
        sent("gemini", input="a").session.events()


def test_who_can_embed() -> None:
    assert [
        target for target in (*TARGETS, "anthropic-messages") if can("openai-embeddings", target)
    ] == list(TARGETS)
    assert not can("gemini", "openai-embeddings")
