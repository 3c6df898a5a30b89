"""Seals of one provider in the hands of another's client, who gives them back unread.

A thought's signature, or a tool call's, means something to the provider who made it, and to nobody else. So
that it comes back when the conversation goes on, it travels through the client in a wrapping of our own, and
is unwrapped only for who made it. Whoever else would get it, gets nothing: it is a loss, never a forgery.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode

from tollgate.routing.translation.neutral import Signature

_MARK = b"tollgate:1:"
"""It must never change: conversations that hold it outlive a version of Tollgate."""


def wrap(signature: Signature, family: str) -> str:
    """As a client of that family gets it: its own as they are, others in base64, which all can carry."""
    if signature.family == family and not signature.of_tool:
        return signature.value
    of_tool = b"tool" if signature.of_tool else b""
    head = b"%b%b:%b:" % (_MARK, signature.family.encode(), of_tool)
    return b64encode(head + signature.value.encode()).decode()


def wrap_any(signature: Signature | None, family: str) -> str:
    """The same for dialects in which every thought has a seal: where there is none, ours says so."""
    return wrap(signature or UNSIGNED, family)


def carries(body: bytes) -> bool:
    """Whether a body may hold a wrapped seal, which no provider must get as its own."""
    return any(begins.encode() in body for begins in (_BEGINS, _BEGINS_TWICE))


def is_wrapped(value: str) -> bool:
    """Whether a seal is in our wrapping."""
    return value.startswith((_BEGINS, _BEGINS_TWICE))


UNSIGNED = Signature("unsigned", "")


def unwrap(value: str, family: str) -> Signature:
    """What a client of that family gave back."""
    packed = _decode(value) if value.startswith(_BEGINS) else b""
    if not packed.startswith(_MARK):
        return Signature(family, value)
    made_by, of_tool, seal = packed.removeprefix(_MARK).decode(errors="replace").split(":", 2)
    return Signature(made_by, seal, of_tool=bool(of_tool))


_BEGINS = b64encode(_MARK[:9]).decode()
"""How all wrapped ones begin: nine bytes are twelve characters, whatever follows."""


_BEGINS_TWICE = b64encode(_BEGINS.encode()).decode()
"""Bedrock has thoughts that nobody can read in base64 once more."""

_STANDARD = str.maketrans("-_", "+/")
"""Google's SDK gives back the other base64 alphabet, whichever it was given."""


def _decode(value: str) -> bytes:
    try:
        packed = b64decode(value.translate(_STANDARD), validate=True)
    except binascii.Error:
        return b""
    return packed if packed.count(b":") >= _MARK.count(b":") + 2 else b""
