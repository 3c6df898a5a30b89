"""What a room saw, what it decided, and how it says no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

type Action = Literal["allow", "change", "warn", "observe", "refuse", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a detector saw. It says what and where, never the value itself."""

    kind: str
    """The entity or rule: "EMAIL_ADDRESS", "aws-access-token"."""
    place: str
    """Where, for a person: "messages[3].content[0].text"."""
    action: str
    """What was done with it: "replace", "mask", "block", "report"."""
    count: int = 1


def path_segment(number: int) -> str:
    """The place of a finding in the path of a request."""
    return f"path segment {number}"


MODEL_PLACE = "the model"
"""The place of a finding in the name of the model that is asked for."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a room decided about a call, and why. `reason` may be recorded: no secret, no prompt text."""

    room: str
    action: Action
    reason: str
    code: str = ""
    """A stable word for machines: "duplicate_keys", "budget_spent"."""


class CallError(Exception):
    """A call ends here, with an error that the client is told in its own dialect.

    `message` is shown to a person, so it says what was wrong and what would be right. `record` is what the
    trail has of it, without secrets and prompt text; where it is not given, that is the message, too.
    """

    status = 500
    action: Action = "error"

    def __init__(self, message: str, *, code: str, status: int | None = None, record: str = "") -> None:
        super().__init__(record or message)
        self.message = message
        self.record = record or message
        self.code = code
        if status is not None:
            self.status = status


class Refused(CallError):
    """A policy says no. HTTP 400, because 403 and 429 make agent CLIs retry or blame the login.

    With `mode: observe` it is recorded and the call goes on, unless `always` is set.
    """

    status = 400
    action: Action = "refuse"

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int | None = None,
        always: bool = False,
        record: str = "",
    ) -> None:
        super().__init__(message, code=code, status=status, record=record)
        self.always = always


class Failed(CallError):
    """The provider could not be reached, or broke off before it answered: 502, or 504 for a time-out."""

    status = 502
