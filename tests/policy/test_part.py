"""What every part of a policy is."""

import pytest
from pydantic import ValidationError

from tollgate.policy.part import Part


class Fence(Part):
    height: int = 1


def test_unknown_keys_and_other_types_are_errors() -> None:
    for wrong in ({"hight": 2}, {"height": "2"}, {"height": True}):
        with pytest.raises(ValidationError):
            Fence.model_validate(wrong)


def test_a_part_never_changes() -> None:
    fence = Fence(height=2)

    with pytest.raises(ValidationError):
        fence.height = 3
