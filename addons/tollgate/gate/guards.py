"""What stands around code that may raise anything: users' addons, and our own bugs.

mitmproxy logs a raising hook and goes on, which here would mean: unseen. None of these ever shows an
exception's text, since that may quote a prompt.
"""

from __future__ import annotations

import logging
import traceback
from types import TracebackType
from typing import Self

from mitmproxy import http

logger = logging.getLogger("tollgate")


class Harmless:
    """A hook that only listens: its failure is noted, and changes nothing."""

    __slots__ = ("_who",)

    def __init__(self, who: str) -> None:
        self._who = who

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        return self.caught(error)

    def caught(self, error: Exception) -> bool:
        """Deal with a failure; True where it ends here."""
        log_failure(self._who, error)
        return True


class Explained(Harmless):
    """A step whose failure is a reason not to take a policy: OSError or ValueError, whatever was raised."""

    __slots__ = ()

    def caught(self, error: Exception) -> bool:
        if isinstance(error, OSError | ValueError):
            return False
        log_failure(self._who, error)
        raise ValueError(f"{self._who} failed with {type(error).__name__}") from None


class FailClosed(Harmless):
    """A step without which a request must not go on: its failure answers the request."""

    __slots__ = ("_flow", "failed")

    def __init__(self, who: str, flow: http.HTTPFlow) -> None:
        super().__init__(who)
        self._flow = flow
        self.failed = False

    def caught(self, error: Exception) -> bool:
        log_failure(self._who, error)
        self.failed = True
        self._flow.response = failure_response()
        return True


def failure_response() -> http.Response:
    """What a client is told where not even the dialect of its request is known."""
    text = "Tollgate failed to carry this request. Its log says where.\n"
    headers = {"content-type": "text/plain; charset=utf-8", "x-should-retry": "false"}
    return http.Response.make(500, text, headers)


def log_failure(who: str, error: BaseException) -> None:
    """Say where something failed, without the exception's own text."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    where = " < ".join(f"{f.filename.rpartition('/')[2]}:{f.lineno} {f.name}" for f in reversed(frames))
    logger.error("%s failed with %s at %s", who, type(error).__name__, where)
