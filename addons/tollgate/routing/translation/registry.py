"""Which dialects can be translated, and the translation of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollgate.calls import Headers
from tollgate.routing.translation.loss import Untranslatable
from tollgate.routing.translation.session import TranslatedRequest


def can(source: str, target: str) -> bool:
    """Whether calls of one dialect can be sent to a target of another."""
    return False


def request(
    source: str,
    target: str,
    *,
    path: str,
    params: Mapping[str, str],
    headers: Headers,
    body: Mapping[str, Any],
    model: str,
    stream: bool,
) -> TranslatedRequest:
    """A request as the target is to get it. Untranslatable where the target has no equal for it.

    `path`, `params` and `headers` are the client's; `model` is the target's name for the model.
    """
    raise Untranslatable(f"{source} cannot be translated to {target}")
