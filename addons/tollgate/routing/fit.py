"""Whether a target is for a call: what the policy says, and what the target can do. Pure."""

from __future__ import annotations

from functools import lru_cache

from tollgate.calls import Call
from tollgate.policy.fields import show_size
from tollgate.policy.match import Matcher, names
from tollgate.policy.routing import Choice
from tollgate.routing import needs
from tollgate.routing.spec import Spec


def misfit(choice: Choice, spec: Spec, call: Call) -> str:
    """Why a target is not for a call, for a person; empty where it is."""
    return _by_choice(choice, call) or _by_dialect(spec, call) or _by_abilities(spec, call)


def _by_choice(choice: Choice, call: Call) -> str:
    size = len(call.request.body.content)
    if choice.operations and not _matcher(tuple(choice.operations)).matches((call.operation,)):
        return f"it is not for {call.operation}"
    if choice.min_size is not None and size < choice.min_size:
        return f"it is for bodies of {show_size(choice.min_size)} and more"
    if choice.max_size is not None and size > choice.max_size:
        return f"it is for bodies of at most {show_size(choice.max_size)}"
    return ""


def _by_dialect(spec: Spec, call: Call) -> str:
    if spec.dialect_for(call):
        return ""
    return f"it does not take {call.operation} in {call.dialect.name}, nor in what that can be translated to"


def _by_abilities(spec: Spec, call: Call) -> str:
    able = spec.settings
    if not able.tools and needs.wants_tools(call):
        return "it cannot call tools"
    if able.modalities is not None and (unable := needs.modalities(call) - set(able.modalities)):
        return f"it takes no {' and no '.join(sorted(unable))}"
    if able.context is not None:
        size = needs.tokens(call) + (needs.answer_tokens(call) or 0)
        if size > able.context:
            return f"about {size} tokens are more than the {able.context} that fit"
    return ""


@lru_cache(maxsize=1024)
def _matcher(patterns: tuple[str, ...]) -> Matcher:
    return Matcher(patterns, names)
