"""Images, documents and sounds in the ways that dialects hand them over. Nothing is ever fetched."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from mimetypes import guess_extension, guess_type
from typing import Literal
from urllib.parse import urlsplit

from tollgate.routing.translation.loss import Losses
from tollgate.routing.translation.neutral import Media, Text

type Kind = Literal["image", "document", "audio", "video"]

_DATA_URL = re.compile(r"data:([^;,]*)(?:;[^,]*)?;base64,(.*)", re.DOTALL)

_KINDS: dict[str, Kind] = {"image": "image", "audio": "audio", "video": "video"}

_NAMES = {
    "text/plain": "txt",
    "text/markdown": "md",
    "text/html": "html",
    "image/jpeg": "jpeg",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "video/3gpp": "three_gp",
}
"""Short names of formats where they are not the usual file extension."""
_TYPES = {
    "txt": "text/plain",
    "md": "text/markdown",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "webp": "image/webp",
}
"""The other way round, where Python's table differs between systems."""


_MEANT = {"image/jpg": "image/jpeg"}
"""What many write, and OpenAI takes, in place of a type's name."""


def kind_of(type: str) -> Kind:
    return _KINDS.get(type.partition("/")[0], "document")


def of_url(url: str, kind: Kind, where: str) -> Media:
    """What a data: URL holds, or a URL as it is."""
    if found := _DATA_URL.fullmatch(url):
        type = found[1].lower() or "text/plain"
        return Media(kind, _MEANT.get(type, type), data=found[2], where=where)
    return Media(kind, type_of_name(urlsplit(url).path), url=url, where=where)


def as_url(media: Media) -> str:
    """A URL, or a data: URL; empty where there is neither."""
    if media.data:
        return f"data:{media.type or 'application/octet-stream'};base64,{media.data}"
    return media.url


def decoded(data: str) -> str:
    """What stands in base64, as text."""
    try:
        return b64decode(data).decode(errors="replace")
    except binascii.Error:
        return data


def type_of_name(name: str) -> str:
    """The media type by the end of a name; empty where that says nothing."""
    end = name.rpartition(".")[2].lower()
    return _TYPES.get(end) or guess_type(f"x.{end}")[0] or ""


def short_name(type: str) -> str:
    """A format's short name: png, pdf, mp3; empty where there is none."""
    bare = type.partition(";")[0].strip().lower()
    return _NAMES.get(bare) or (guess_extension(bare) or "").removeprefix(".")


def left_out(media: Media, losses: Losses, why: str) -> Text:
    """What stands in the place of something that the target does not take: the model should know of it."""
    losses.note(f"{media.kind} {why}", media.where)
    return Text(f"[{media.kind} left out: it cannot be given to this model]", where=media.where)


def as_text(media: Media) -> Text | None:
    """A plain text document as text, under its name; None for anything else."""
    if not media.text:
        return None
    return Text(f"{media.name}\n{media.text}" if media.name else media.text, media.cache, where=media.where)
