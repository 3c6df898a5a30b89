"""How a provider speaks: where text, model, usage and errors stand, and how streams are framed."""

from tollgate.dialects.base import Dialect
from tollgate.dialects.framing import Decoder, Encoder, Framing, FramingError
from tollgate.dialects.framings import FRAMINGS, framing_of
from tollgate.dialects.registry import DIALECTS, dialect

__all__ = [
    "DIALECTS",
    "FRAMINGS",
    "Decoder",
    "Dialect",
    "Encoder",
    "Framing",
    "FramingError",
    "dialect",
    "framing_of",
]
