import pytest

from tollgate.routing.translation.loss import Loss, Losses
from tollgate.routing.translation.neutral import Reasoning, Request, Setting
from tollgate.routing.translation.reasoners import sampling


@pytest.mark.parametrize(
    ("model", "effort", "left"),
    [
        *(("gpt-5", "", False), ("gpt-5-mini-2025-08-07", "none", False), ("openai/o3", "", False)),
        *(
            ("gpt-5.2", "", True),
            ("gpt-5.2", "none", True),
            ("gpt-5.2", "high", False),
            ("gpt-6", "low", False),
        ),
        *(("gpt-5-chat-latest", "high", True), ("gpt-4.1", "high", True), ("other", "high", True)),
    ],
)
def test_a_model_that_thinks_is_not_told_how_to_choose_words(model: str, effort: str, left: bool) -> None:
    request, losses = Request(model, stream=False, reasoning=Reasoning(effort=effort)), Losses()
    request.settings = {name: Setting(0, name) for name in ("temperature", "presence_penalty", "seed")}
    names = set(sampling(request, losses))

    assert names == ({"temperature", "presence_penalty", "seed"} if left else {"seed"})
    assert losses == ([] if left else [Loss("temperature of a model that thinks", "temperature")])
