"""Long conversations that Codex has its provider make short: https://platform.openai.com/docs/guides/compaction

OpenAI answers with an item that only OpenAI can read, and that stands for all before it. Of another model a
summary is asked for in words, which travels through the client in the same kind of item, in our wrapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollgate.dialects.paths import objects_at, text_at
from tollgate.routing.translation.ids import renamed
from tollgate.routing.translation.neutral import Signature
from tollgate.routing.translation.signatures import unwrap, wrap

TRIGGER = "compaction_trigger"
KINDS = ("compaction", "compaction_summary")

ASK = (
    "Summarise this conversation for another model that will go on with it. It will see this summary, and of"
    " the rest at most the user's own messages. Say what was asked for, what was decided and why, what was"
    " done, with which files, commands and results, what failed, and what is to be done next. Be exact with"
    " names, paths and values. Answer with the summary only, and call no tool."
)
_HEAD = "A summary of the conversation up to here, by the model that had it:\n\n"
_FAMILY = "summary"


def is_wanted(body: Mapping[str, Any]) -> bool:
    """Whether a request asks for a summary in place of an answer."""
    return any(item.get("type") == TRIGGER for item in objects_at(body, "input"))


def item(summary: str, id: str) -> dict[str, Any]:
    """An item that stands for all before it."""
    seal = wrap(Signature(_FAMILY, summary), "openai")
    return {"id": renamed(id, "cmp_"), "type": "compaction", "encrypted_content": seal}


def words(node: Any) -> str:
    """What such an item says, for a model; empty for one that only its provider can read."""
    seal = unwrap(text_at(node, ("encrypted_content",)), "openai")
    return _HEAD + seal.value if seal.family == _FAMILY else ""
