"""Stand-ins for what surrounds the gate's pure part: rooms, answers and the client's side of a call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

from tollgate.calls import Answer, Call, End, Event, Headers

type Take = Callable[[Event], Iterable[Event]]


class Spy:
    """A room with all hooks. It writes down what it is shown; what `acts` has for a hook, it does instead:
    raise an exception, or call a function."""

    def __init__(self, name: str = "spy", seen: Any = None, **acts: Any) -> None:
        self.name = name
        self.seen = [] if seen is None else seen
        self.acts = acts

    def _act(self, hook: str, *args: object) -> Any:
        self.seen.append(f"{self.name}.{hook}")
        act = self.acts.get(hook)
        if isinstance(act, BaseException):
            raise act
        return act(*args) if act else None

    async def llm_request(self, call: Call) -> None:
        self._act("request", call)

    def llm_event(self, call: Call, event: Event) -> Iterable[Event]:
        changed = self._act("event", event)
        return [event] if changed is None else changed

    async def llm_response(self, call: Call, answer: Answer) -> None:
        self._act("response", answer)

    def llm_end(self, call: Call) -> None:
        self._act("end", call)


class Answers:
    """A room that answers every call."""

    name = "answers"

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    async def llm_request(self, call: Call) -> None:
        call.answer = self.answer


class Batches:
    """A streamed answer: gives these batches, then the error, if there is one."""

    def __init__(self, *batches: Sequence[Event], error: BaseException | None = None) -> None:
        self.closed = False
        self._batches = batches
        self._error = error

    async def __aiter__(self) -> AsyncIterator[Sequence[Event]]:
        for batch in self._batches:
            yield batch
        if self._error is not None:
            raise self._error

    async def aclose(self) -> None:
        self.closed = True


def sse(*texts: str, error: str = "") -> list[Event]:
    """Server-sent events of these texts and their end."""
    return [*(Event(text.encode(), raw=f"data: {text}\n\n".encode()) for text in texts), End(error)]


class Client:
    """The client's side: keeps what it is told, as (what, …)."""

    def __init__(self, *, fails_on: str = "", error: BaseException | None = None) -> None:
        self.told: list[tuple[Any, ...]] = []
        self._fails_on = fails_on
        self._error = error

    def _hear(self, what: str, *told: Any) -> None:
        if what == self._fails_on and self._error is not None:
            raise self._error
        self.told.append((what, *told))

    @property
    def body(self) -> bytes:
        """All bytes that it was given."""
        return b"".join(told[-1] for told in self.told if told[0] in ("whole", "data"))

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        self._hear("whole", status, body)

    async def head(self, status: int, headers: Headers) -> None:
        self._hear("head", status)

    async def data(self, data: bytes) -> None:
        self._hear("data", data)

    async def end(self) -> None:
        self._hear("end")

    async def abort(self, reason: str) -> None:
        self._hear("abort", reason)
