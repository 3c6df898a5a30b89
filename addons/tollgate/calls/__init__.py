"""The vocabulary that all rooms share: calls, answers, events, slots, verdicts and the LLM hooks."""

from tollgate.calls.answer import Answer, Events, Headers
from tollgate.calls.audience import Audience
from tollgate.calls.body import Body, BodyError
from tollgate.calls.call import (
    METHODS,
    Attempt,
    Call,
    Coverage,
    Identity,
    Outcome,
    Request,
    Scrub,
    Timings,
)
from tollgate.calls.connection import Connection, Notice, Sight
from tollgate.calls.contents import Kind, Shape, Slot
from tollgate.calls.event import End, Event
from tollgate.calls.hooks import (
    HOOKS,
    HasHealth,
    HasSetup,
    HearsConnections,
    HearsNotices,
    HearsTheEnd,
    StandsIn,
    TakesAnswers,
    TakesEvents,
    TakesHeads,
    TakesRequests,
)
from tollgate.calls.plan import CLIENT, SAME, Checkup, Leg, Standing, Target, Translator, WayBack
from tollgate.calls.quotes import Quotes
from tollgate.calls.runtime import Runtime
from tollgate.calls.usage import Usage
from tollgate.calls.verdict import (
    MODEL_PLACE,
    Action,
    CallError,
    Failed,
    Finding,
    Refused,
    Verdict,
    path_segment,
)

__all__ = [
    "CLIENT",
    "HOOKS",
    "METHODS",
    "MODEL_PLACE",
    "SAME",
    "Action",
    "Answer",
    "Attempt",
    "Audience",
    "Body",
    "BodyError",
    "Call",
    "CallError",
    "Checkup",
    "Connection",
    "Coverage",
    "End",
    "Event",
    "Events",
    "Failed",
    "Finding",
    "HasHealth",
    "HasSetup",
    "Headers",
    "HearsConnections",
    "HearsNotices",
    "HearsTheEnd",
    "Identity",
    "Kind",
    "Leg",
    "Notice",
    "Outcome",
    "Quotes",
    "Refused",
    "Request",
    "Runtime",
    "Scrub",
    "Shape",
    "Sight",
    "Slot",
    "Standing",
    "StandsIn",
    "TakesAnswers",
    "TakesEvents",
    "TakesHeads",
    "TakesRequests",
    "Target",
    "Timings",
    "Translator",
    "Usage",
    "Verdict",
    "WayBack",
    "path_segment",
]
