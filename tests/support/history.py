"""Histories that remember short stretches, so that few texts are enough to be known."""

from __future__ import annotations

import pytest

from tollgate.dlp import history


def remember_from(patch: pytest.MonkeyPatch, characters: int) -> None:
    """Have stretches of so many characters remembered, and told apart by bytes that each of them has."""
    patch.setattr(history, "LEAST", characters)
    patch.setattr(history, "_SIGN", 1)
    patch.setattr(history, "_SIGNS", (0,))
