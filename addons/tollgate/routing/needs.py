"""What a call asks of whoever answers it: how much it is, and of which kinds. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tollgate.calls import Call

_KINDS: Mapping[str, str] = {
    # values of `type`: OpenAI chat and Responses, Anthropic
    "image_url": "image",
    "input_image": "image",
    "image": "image",
    "input_audio": "audio",
    "file": "document",
    "input_file": "document",
    "document": "document",
    "video_url": "video",
}
_KEYS: Mapping[str, str] = {
    # members of Bedrock Converse's blocks, and Ollama's pictures
    "image": "image",
    "document": "document",
    "video": "video",
    "audio": "audio",
    "images": "image",
}
_INLINE = ("inlineData", "fileData", "inline_data", "file_data")
"""Where Gemini has a part's media type."""
_CONVERSATIONS = ("messages", "input", "contents")
_TOOLS = ("tools", "functions", "toolConfig")
_OUTPUT = ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens", "maxTokens")
_HOLDS_OUTPUT = ("generationConfig", "inferenceConfig", "options")

CHARACTERS = 3
"""Of a text that are taken for a token: fewer than there are, so that what is said to fit does."""


def tokens(call: Call) -> int:
    """About how many tokens the request has, rather too many; attachments do not count."""
    texts = (slot for slot in call.request.body.slots if slot.kind != "blob")
    return -(-sum(len(slot.text) for slot in texts) // CHARACTERS)


def answer_tokens(call: Call) -> int | None:
    """How many tokens the answer may have; None where the request does not say."""
    body = call.request.body.json
    if not isinstance(body, dict):
        return None
    places = [body, *(below for key in _HOLDS_OUTPUT if isinstance(below := body.get(key), dict))]
    found = (place.get(name) for place in places for name in _OUTPUT)
    return next((number for number in found if isinstance(number, int) and number > 0), None)


def wants_tools(call: Call) -> bool:
    """True where the model may call tools."""
    body = call.request.body.json
    return isinstance(body, dict) and any(body.get(name) for name in _TOOLS)


def modalities(call: Call) -> frozenset[str]:
    """What the request holds besides text: image, document, audio, video."""
    body = call.request.body.json
    conversation = [body.get(key) for key in _CONVERSATIONS] if isinstance(body, dict) else []
    return frozenset(_kinds(conversation))


def _kinds(tree: Any) -> Iterator[str]:
    if isinstance(tree, list):
        for item in tree:
            yield from _kinds(item)
    elif isinstance(tree, dict):
        if isinstance(kind := tree.get("type"), str) and kind in _KINDS:
            yield _KINDS[kind]
        for key, value in tree.items():
            if key in _INLINE and isinstance(value, dict):
                yield _of_media(str(value.get("mimeType") or value.get("mime_type") or ""))
            elif key in _KEYS and isinstance(value, dict | list) and value:
                yield _KEYS[key]
            elif isinstance(value, dict | list):
                yield from _kinds(value)


def _of_media(media: str) -> str:
    kind = media.partition("/")[0]
    return kind if kind in ("image", "audio", "video") else "document"
