"""What OpenAI's reasoning models refuse beside their thinking."""

from __future__ import annotations

import re

from tollgate.routing.translation.loss import Losses
from tollgate.routing.translation.neutral import Request, Setting
from tollgate.routing.translation.passes import effort_of

_ALWAYS = re.compile(r"(?:.*/)?(?:o[134](?:-|$)|gpt-5(?:-mini|-nano|-pro|-codex)?(?:-\d{4}-.*)?$)")
"""Models that cannot but think."""
_IF_ASKED = re.compile(r"(?:.*/)?gpt-(?:5\.|[6-9])(?!.*chat)")
"""Those that do so where an effort is asked for."""
_REFUSED = {
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "logprobs": False,
    "top_logprobs": 0,
    "logit_bias": None,
}
"""https://platform.openai.com/docs/guides/latest-model#gpt-5-parameter-compatibility, and the values
without which nothing is lost."""


def sampling(request: Request, losses: Losses) -> dict[str, Setting]:
    """The settings without those that the model refuses; what is the default anyway is no loss."""
    given = dict(request.settings)
    asked = effort_of(request.reasoning) not in ("", "none")
    if _ALWAYS.match(request.model) or (asked and _IF_ASKED.match(request.model)):
        for name, usual in _REFUSED.items():
            if name in given and (setting := given.pop(name)).value != usual:
                losses.note(f"{name} of a model that thinks", setting.where)
    return given
