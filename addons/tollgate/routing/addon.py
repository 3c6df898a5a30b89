"""The Routing room: writes down where a call may go."""

from __future__ import annotations

from tollgate.calls import Call, Runtime, Verdict
from tollgate.routing.fleet import Board, Fleet, Planned
from tollgate.routing.render import NOTE, Back
from tollgate.routing.strategies import Candidate
from tollgate.routing.translation import carries


class Routing:
    """Chooses the targets of a call, as the policy says. A call without a route costs next to nothing."""

    name = "routing"

    def __init__(self) -> None:
        self._board = Board()
        self._prepared: Fleet | None = None
        self._fleet: Fleet | None = None

    def llm_prepare(self, runtime: Runtime) -> None:
        """Find the places of the policy's targets. ValueError where one has none."""
        self._prepared = Fleet(runtime, self._board)

    def llm_setup(self, runtime: Runtime) -> None:
        self._fleet = self._prepared

    async def llm_request(self, call: Call) -> None:
        if call.policy.route.idle and not carries(call.request.body.content):
            return
        if self._fleet is None:
            raise RuntimeError("the gate calls llm_prepare and llm_setup before the first call")
        planned = await self._fleet.plan(call)
        if call.policy.mode == "observe":
            call.verdicts.append(Verdict("routing", "observe", told(planned, call), "would_route"))
            return
        call.plan = planned.targets
        call.verdicts.append(Verdict("routing", "allow", told(planned, call), "routed"))

    def llm_end(self, call: Call) -> None:
        """What of the answer was lost in translation is on record too."""
        back: Back | None = call.notes.pop(NOTE, None)
        if back is not None and (losses := back.losses):
            reason = f"lost in the answer's translation: {'; '.join(losses)}"
            call.verdicts.append(Verdict("routing", "warn", reason, "lost"))


def told(planned: Planned, call: Call) -> str:
    """The plan for a person: "priority: eu (gpt-6), then us (fails its checks), then same"."""
    return f"{call.policy.route.strategy}: {', then '.join(_step(c, call) for c in planned.order)}"


def _step(candidate: Candidate, call: Call) -> str:
    model = [candidate.model] if candidate.model != call.model else []
    notes = [*model, *(["fails its checks"] if candidate.failing else [])]
    return f"{candidate.name} ({', '.join(notes)})" if notes else candidate.name
