"""One dialect's calls in another's words: requests, answers, streams, errors. Pure: bytes in, bytes out."""

from tollgate.routing.translation.foreign import without_foreign
from tollgate.routing.translation.loss import Loss, Untranslatable
from tollgate.routing.translation.registry import can, dialects, request
from tollgate.routing.translation.session import EventTranslator, Session, TranslatedRequest
from tollgate.routing.translation.signatures import carries

__all__ = [
    "EventTranslator",
    "Loss",
    "Session",
    "TranslatedRequest",
    "Untranslatable",
    "can",
    "carries",
    "dialects",
    "request",
    "without_foreign",
]
