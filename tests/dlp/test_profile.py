"""The profile names what Presidio has."""

from __future__ import annotations

import pytest
import regex

from tollgate.dlp.presidio import build_judges
from tollgate.dlp.profile import BY_ENTITY, PATTERNS, ROWS
from tollgate.policy.dlp import Detection


def test_each_entity_has_one_row() -> None:
    assert len(BY_ENTITY) == len(ROWS)


@pytest.mark.parametrize("entity", BY_ENTITY)
def test_presidio_knows_each_entity(entity: str) -> None:
    assert build_judges(Detection(entities=[entity]))


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.entity)
def test_our_patterns_compile(pattern: tuple[str, str, float]) -> None:
    assert regex.compile(pattern[1])
