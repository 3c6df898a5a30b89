"""How a target is asked, beside all calls, whether it works."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from tollgate.policy.fields import Duration
from tollgate.policy.part import Part

_OFTENEST = 0.1
_STATUS = re.compile(r"[1-5](\d\d|xx)")


def check_path(path: str) -> str:
    if not re.fullmatch(r"/[!-~]*", path) or "#" in path:
        raise ValueError("a path begins with a slash, and is percent-encoded: /v1/models?limit=1")
    return path


def check_every(seconds: float) -> float:
    if seconds < _OFTENEST:
        raise ValueError(f"at most every {_OFTENEST * 1000:g} ms")
    return seconds


def parse_statuses(value: Any) -> Any:
    """One status, or a list of them, as texts. ValueError for anything else."""
    values = value if isinstance(value, list) else [value]
    texts = [str(one).lower() for one in values]
    if wrong := next((text for text in texts if not _STATUS.fullmatch(text)), None):
        raise ValueError(f'"{wrong}" is no status: write 200, or 2xx for all from 200 to 299')
    return texts


type CheckPath = Annotated[str, AfterValidator(check_path)]
type Statuses = Annotated[
    list[str],
    Field(min_length=1),
    BeforeValidator(parse_statuses, json_schema_input_type=int | str | list[int | str]),
    Field(description="A status such as 200, a class such as 2xx, or a list of them."),
]


class Check(Part):
    """How a target is asked whether it works: by GET, with its own credential and headers, beside all calls.

    One that fails gets no call until it passes.
    """

    path: CheckPath
    """What to ask for: /v1/models, /health. It should cost nothing."""
    every: Annotated[Duration, AfterValidator(check_every)] = 30.0
    """How often, give or take a tenth. Each process of the proxy asks for itself."""
    timeout: Duration = 5.0
    """How long the whole answer may take."""
    statuses: Statuses = ["2xx", "429"]
    """The answers of a target that works. One that is asked too often works."""
    failures: int = Field(default=2, ge=1)
    """How many in a row have it left alone."""
