"""What `tollgate up` was asked for."""

from __future__ import annotations

import dataclasses

import pytest

from tollgate.cli.launch import Launch


def test_what_was_asked_for_does_not_change() -> None:
    launch = Launch("127.0.0.1:8080", [], None, None, "", [], [], 10.0, quiet=False)

    with pytest.raises(dataclasses.FrozenInstanceError):
        launch.listen = "0.0.0.0:8080"  # type: ignore[misc]
