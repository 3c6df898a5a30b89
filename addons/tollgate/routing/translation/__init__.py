"""One dialect's calls in another's words: requests, answers, streams, errors. Pure: bytes in, bytes out."""

from tollgate.routing.translation.loss import Loss, Untranslatable
from tollgate.routing.translation.registry import can, request
from tollgate.routing.translation.session import EventTranslator, Session, TranslatedRequest

__all__ = ["EventTranslator", "Loss", "Session", "TranslatedRequest", "Untranslatable", "can", "request"]
