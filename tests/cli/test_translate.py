from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from support.conversations import ALL, SOURCES
from support.targets import reach
from tollgate.cli.main import app
from tollgate.cli.translate import What, guess

CHAT = ALL["text"]["openai-chat"]


def run(folder: Path, data: Any, *args: str) -> Any:
    file = folder / "body"
    file.write_bytes(data if isinstance(data, bytes) else orjson.dumps(data))
    return CliRunner().invoke(app, ["translate", *args, str(file)])


@pytest.mark.parametrize("target", ["anthropic-messages", "gemini", "ollama"])
def test_a_request(tmp_path: Path, target: str) -> None:
    done = run(
        tmp_path,
        {**CHAT, "model": "gpt-6", "seed": 5},
        "--from",
        "openai-chat",
        "--to",
        target,
        "--model",
        "m",
    )

    assert done.exit_code == 0
    assert "three words please" in done.stdout
    assert ("lost: seed at seed" in done.stderr) is (target == "anthropic-messages")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("target", SOURCES)
def test_an_answer_and_a_stream_are_known_by_what_they_hold(tmp_path: Path, source: str, target: str) -> None:
    whole = b"".join(reach(source, source, ALL["text"][source]).pieces)
    stream = b"".join(reach(source, source, ALL["text"][source], stream=True).pieces)
    answer = run(tmp_path, whole, "--from", source, "--to", target)
    streamed = run(tmp_path, stream, "--from", source, "--to", target)

    assert (answer.exit_code, streamed.exit_code) == (0, 0)
    assert "three words please" in answer.stdout
    assert b"words" in streamed.stdout_bytes


def test_what_a_file_holds_is_guessed_or_said() -> None:
    assert guess(b'{"messages": []}', "openai-chat") is What.REQUEST
    assert guess(b'{"choices": []}', "openai-chat") is What.ANSWER
    assert guess(b"data: {}\n\n", "openai-chat") is What.STREAM
    assert guess(b'{"model": "m"}\n{"done": true}\n', "ollama") is What.STREAM
    assert guess(b'{"model": "m", "done": true}', "ollama") is What.ANSWER
    assert guess(b"[1]", "openai-chat") is What.REQUEST


def test_standard_input_and_strictness() -> None:
    body = orjson.dumps({**CHAT, "seed": 5})
    args = ["translate", "--from", "openai-chat", "--to", "anthropic-messages", "--strict", "-"]

    assert CliRunner().invoke(app, args, input=body).exit_code == 1
    assert CliRunner().invoke(app, args, input=orjson.dumps(CHAT)).exit_code == 0


@pytest.mark.parametrize(
    ("data", "args", "said"),
    [
        (b"{", ["--from", "openai-chat", "--to", "gemini"], "unexpected end"),
        (
            b"{}",
            ["--from", "openai", "--to", "gemini"],
            "'openai' cannot be translated; there is openai-chat",
        ),
        (b"[1]", ["--from", "openai-chat", "--to", "gemini"], "a request is a JSON object"),
        (
            b"{}",
            ["--from", "ollama", "--to", "gemini", "--what", "request"],
            "calls are translated to, but not from",
        ),
        (
            b'{"previous_response_id": "r"}',
            ["--from", "openai-responses", "--to", "gemini"],
            "only the provider itself has",
        ),
    ],
)
def test_what_cannot_be_translated_is_said_with_the_file(
    tmp_path: Path, data: bytes, args: list[str], said: str
) -> None:
    done = run(tmp_path, data, *args)

    assert done.exit_code == 2
    assert said in done.stderr.replace("\n", " ")
    assert "body: " in done.stderr


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["translate", "--from", "openai-chat", "--to", "gemini", str(tmp_path / "none")]
    )

    assert done.exit_code == 2
    assert "No such file" in done.stderr


def test_a_stream_of_gemini_may_be_an_array(tmp_path: Path) -> None:
    chunk = {"candidates": [{"content": {"parts": [{"text": "three words"}]}, "finishReason": "STOP"}]}
    done = run(tmp_path, [chunk], "--from", "gemini", "--to", "openai-chat")

    assert done.exit_code == 0, done.stderr
    assert '"content":"three words"' in done.stdout


@pytest.mark.parametrize(
    ("data", "more", "said"),
    [
        (b"hello", (), "neither JSON nor a recorded stream"),
        (b"{}", ("--what", "stream"), "one JSON document, and no stream as openai-chat has it"),
    ],
)
def test_what_is_no_stream_is_told_so(tmp_path: Path, data: bytes, more: tuple[str, ...], said: str) -> None:
    done = run(tmp_path, data, "--from", "openai-chat", "--to", "gemini", *more)

    assert (done.exit_code, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())
