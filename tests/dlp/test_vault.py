"""Conversations that the provider keeps."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tollgate.calls import Body, Identity
from tollgate.dlp.vault import TokenVault, asked_ids, given_ids, owners_of


class Memory:
    """A keeper that forgets what is over 100 bytes."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        return self.kept.get(name)

    def put(self, name: str, value: bytes) -> bool:
        if len(value) <= 100:
            self.kept[name] = value
        return len(value) <= 100


@pytest.mark.parametrize(
    ("dialect", "request_body", "ids"),
    [
        ("openai-responses", {"previous_response_id": "resp_1"}, ["resp_1"]),
        ("openai-responses", {"conversation": "conv_1"}, ["conv_1"]),
        ("openai-responses", {"conversation": {"id": "conv_1"}}, ["conv_1"]),
        ("openai-responses", {"input": [{"content": [{"file_id": "file-1"}]}]}, ["file-1"]),
        ("openai-responses", {"tools": [{"file_ids": ["file-1", "file-2", 3]}]}, ["file-1", "file-2"]),
        ("openai-chat", {"messages": [{"content": [{"file": {"file_id": "file-1"}}]}]}, ["file-1"]),
        ("anthropic-messages", {"messages": [{"source": {"file_id": "f"}}, {"file_id": "f"}]}, ["f"]),
        ("gemini-interactions", {"previous_interaction_id": "v1_1", "store": False}, ["v1_1"]),
        ("generic", {"input_file_id": "file-1"}, ["file-1"]),
        ("generic", {"tools": [{"vector_store_ids": ["vs_1"]}]}, ["vs_1"]),
        ("gemini", {"contents": [{"fileData": {"fileUri": "https://g.example/v1beta/files/abc"}}]}, ["abc"]),
        ("openai-chat", {"previous_response_id": "resp_1"}, []),
        ("openai-responses", {"previous_response_id": None, "conversation": ""}, []),
        ("openai-responses", None, []),
    ],
)  # fmt: skip
def test_what_a_request_names(dialect: str, request_body: Any, ids: list[str]) -> None:
    body = Body(b"" if request_body is None else json.dumps(request_body).encode())
    if body.content:
        body.parse({})

    assert asked_ids(dialect, "/v1/x", body.json, [file.id for file in body.contents.files]) == ids


@pytest.mark.parametrize(
    ("dialect", "request_body", "answer", "ids"),
    [
        ("openai-responses", {}, {"id": "resp_1", "conversation": {"id": "conv_1"}}, ["resp_1", "conv_1"]),
        ("openai-responses", {}, {"type": "response.created", "response": {"id": "resp_1"}}, ["resp_1"]),
        ("openai-responses", {"store": False}, {"id": "resp_1"}, []),
        ("openai-responses", {"conversation": "conv_1"}, {"id": "resp_1"}, ["resp_1", "conv_1"]),
        ("openai-responses", {"previous_response_id": "resp_0"}, {"id": "resp_1"}, ["resp_1"]),
        ("openai-responses", {}, {"type": "response.output_text.delta", "delta": "x"}, []),
        ("gemini-interactions", {}, {"interaction": {"id": "v1_1"}}, ["v1_1"]),
        ("generic", None, {"id": "file-1", "object": "file"}, ["file-1"]),
        (
            "generic",
            None,
            {"id": "batch_1", "output_file_id": "out", "error_file_id": None},
            ["batch_1", "out"],
        ),
        ("generic", None, {"id": "upload_1", "file": {"id": "file-1"}}, ["upload_1", "file-1"]),
        ("generic", None, {"file": {"name": "files/abc"}}, ["abc"]),
        ("generic", None, {"name": "batches/1", "response": {"responsesFile": "files/out"}}, ["1", "out"]),
        ("generic", None, {"id": "asst_1", "name": "My assistant"}, ["asst_1"]),
        ("openai-chat", {}, {"id": "chatcmpl-1"}, []),
    ],
)
def test_what_an_answer_names(dialect: str, request_body: Any, answer: Any, ids: list[str]) -> None:
    assert given_ids(dialect, "/v1/x", request_body, answer) == ids


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("/v1/responses/resp_1", ["resp_1"]),
        ("/v1/responses/resp_1/input_items", ["resp_1"]),
        ("/v1/conversations/conv_1/items/msg_1", ["conv_1"]),
        ("/v1/threads/thread_1/runs/run_1", ["thread_1"]),
        ("/v1/messages/batches/msgbatch_1/results", ["msgbatch_1"]),
        ("/download/v1beta/files/abc:download", ["abc"]),
        ("/v1/vector_stores/vs_1/files/file-1", ["vs_1", "file-1"]),
        ("/v1/conversations", []),
        ("/v1/chat/completions", []),
    ],
)
def test_what_a_path_names_goes_on(path: str, ids: list[str]) -> None:
    assert asked_ids("generic", path, None, []) == ids
    assert given_ids("generic", path, {"items": []}, {"object": "list"}) == ids
    assert given_ids("openai-chat", path, None, {}) == []


def test_what_was_kept_is_recalled_under_each_id() -> None:
    vault = TokenVault(Memory(), ["user:jane"])

    assert vault.keep(["resp_1", "conv_1"], {"QZXSA": "one"})
    assert vault.keep(["resp_2"], {"QZXSB": "two"})

    assert vault.recall(["resp_1"]) == vault.recall(["conv_1"]) == {"QZXSA": "one"}
    assert vault.recall(["resp_2", "conv_1", "unheard of"]) == {"QZXSA": "one", "QZXSB": "two"}


def test_nothing_is_written_where_there_is_nothing_to_keep() -> None:
    memory = Memory()

    assert TokenVault(memory, ["user:jane"]).keep(["resp_1"], {})
    assert memory.kept == {}


def test_it_says_when_there_is_too_much_to_keep() -> None:
    assert not TokenVault(Memory(), ["user:jane"]).keep(["resp_1"], {"QZXSA": "x" * 200})


AT = "10.0.0.7"


@pytest.mark.parametrize(
    ("identity", "owners"),
    [
        (Identity(AT, AT, credential="c1", credential_kind="bearer"), ["credential:c1"]),
        (Identity(AT, AT, credential="c1", credential_kind="oauth"), ["credential:c1", f"address:{AT}"]),
        (Identity("jane", AT, authenticated=True), ["user:jane"]),
        (
            Identity("jane", AT, authenticated=True, credential="c1", credential_kind="oauth"),
            ["credential:c1", "user:jane"],
        ),
        (Identity(AT, AT), [f"address:{AT}"]),
    ],
)
def test_a_conversation_is_its_credentials_and_its_users(identity: Identity, owners: list[str]) -> None:
    assert owners_of(identity) == owners


def test_an_owner_gets_what_is_kept_and_nobody_else() -> None:
    memory = Memory()
    TokenVault(memory, ["credential:c1", "user:jane"]).keep(["resp_1"], {"QZXSA": "one"})

    def recalled(*owners: str) -> Mapping[str, str]:
        return TokenVault(memory, owners).recall(["resp_1"])

    assert recalled("credential:c2", "user:jane") == recalled("credential:c1") == {"QZXSA": "one"}
    assert recalled("credential:c2", f"address:{AT}") == {}
