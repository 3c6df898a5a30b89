"""Tokens of conversations that the provider keeps: later calls name them by an id and do not send them again.

Everywhere else the client sends all of its history with each call, and the map from tokens to values is made
from that. Here it is kept under the ids that answers give, and found by the ids that requests name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import orjson

from tollgate.calls import Identity
from tollgate.dialects.paths import find


class Keeper(Protocol):
    """Keeps bytes under names: `store.Vault`."""

    def get(self, name: str) -> bytes | None: ...

    def put(self, name: str, value: bytes) -> bool: ...


class Ids(NamedTuple):
    """Where a dialect names what the provider keeps."""

    asked: tuple[str, ...]
    """In requests: what was kept before."""
    given: tuple[str, ...]
    """In answers and events: what is kept now."""
    unless: str = "store"
    """A request that has false here asks for nothing to be kept."""


_CONVERSATION = ("conversation", "conversation.id")
_MADE = ("output_file_id", "error_file_id", "file.id")
"""What the provider makes of what it keeps: a batch's files, an upload's file."""
_NAMES = ("name", "file.name", "response.responsesFile")
"""What Gemini has in place of ids: "files/abc", "batches/abc"."""
_IN_PATH = re.compile(
    r"/(?:responses|interactions|conversations|threads|sessions|batches|files|uploads|vector_stores)/([^/:]+)"
)
"""In paths: "/v1/conversations/conv_1/items", "/v1beta/files/abc:download"."""

IDS: Mapping[str, Ids] = {
    "openai-responses": Ids(
        asked=("previous_response_id", *_CONVERSATION),
        given=("response.id", "response.conversation.id", "id", "conversation.id"),
    ),
    "gemini-interactions": Ids(asked=("previous_interaction_id",), given=("interaction.id", "id")),
    "generic": Ids(
        asked=("conversation_id", "thread_id"),
        given=("id", "conversation_id", "thread_id", *_MADE),
    ),
}
"""By dialect; files have the same names in all of them, and so has what paths name."""


def asked_ids(dialect: str, path: str, request: Any, files: Iterable[str]) -> list[str]:
    """What a request names that the provider has kept: responses, conversations, batches, and these files."""
    row = IDS.get(dialect)
    return _ids((*_texts(request, row.asked if row else ()), *_IN_PATH.findall(path), *files))


def given_ids(dialect: str, path: str, request: Any, answer: Any) -> list[str]:
    """What an answer, or one event of it, names as kept from now on. Nothing where the request forbids it.

    A conversation that the request names goes on, under the same id.
    """
    row = IDS.get(dialect)
    if row is None or find(request, row.unless) is False:
        return []
    going_on = [path for path in row.asked if not path.startswith("previous_")]
    paths = path, *(f"/{name}" for name in _texts(answer, _NAMES))
    named = (name for path in paths for name in _IN_PATH.findall(path))
    return _ids((*_texts(answer, row.given), *_texts(request, going_on), *named))


def owners_of(identity: Identity) -> list[str]:
    """Whose a conversation is: who shows the same credential has it, and the same user of the proxy. What
    comes of a login changes by the hour, so its address tells as well, as it does where nothing else can."""
    known = {
        "credential": identity.credential,
        "user": identity.user if identity.authenticated else "",
    }
    owners = [f"{kind}:{name}" for kind, name in known.items() if name]
    passing = identity.credential_kind == "oauth" and not identity.authenticated
    return [*owners, f"address:{identity.address}"] if passing or not owners else owners


class TokenVault:
    """The tokens of kept conversations, by owner and id: a guessed id gives nobody another's values."""

    __slots__ = ("_keeper", "_owners")

    def __init__(self, keeper: Keeper, owners: Collection[str]) -> None:
        self._keeper = keeper
        self._owners = owners

    def recall(self, ids: Iterable[str]) -> dict[str, str]:
        """Token → value of all that these ids name."""
        known: dict[str, str] = {}
        for name in self._names(ids):
            if found := self._keeper.get(name):
                known |= orjson.loads(found)
        return known

    def keep(self, ids: Iterable[str], originals: Mapping[str, str]) -> bool:
        """Keep token → value under each of these ids. False where there was too much to keep."""
        value = orjson.dumps(dict(originals))
        return not originals or all(self._keeper.put(name, value) for name in self._names(ids))

    def _names(self, ids: Iterable[str]) -> Iterator[str]:
        return (f"{owner}\0{id}" for id in ids for owner in self._owners)


def _ids(names: Iterable[str]) -> list[str]:
    """Each once. Of a file's address at Gemini that is its last part."""
    return list(dict.fromkeys(name.rpartition("/")[2] for name in names))


def _texts(tree: Any, paths: Iterable[str]) -> Iterator[str]:
    found = (find(tree, path) for path in paths)
    return (text for text in found if isinstance(text, str) and text)
