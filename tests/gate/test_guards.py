"""What stands around code that may raise anything."""

from __future__ import annotations

import pytest
from mitmproxy.test import tflow

from tollgate.gate.guards import Explained, FailClosed, Harmless

SECRET = KeyError("the prompt")


def test_a_listener_that_fails_is_noted_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    with Harmless("llm_notice of mine"):
        raise SECRET

    assert "llm_notice of mine failed with KeyError at test_guards.py" in caplog.text
    assert "the prompt" not in caplog.text


@pytest.mark.parametrize("guard", [Harmless("x"), Explained("x"), FailClosed("x", tflow.tflow())])
def test_the_end_of_the_world_is_not_held_up(guard: Harmless) -> None:
    with pytest.raises(KeyboardInterrupt), guard:
        raise KeyboardInterrupt


@pytest.mark.parametrize("guard", [Harmless("x"), Explained("x"), FailClosed("x", tflow.tflow())])
def test_without_a_failure_nothing_happens(guard: Harmless) -> None:
    with guard:
        done = True

    assert done


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("trail.path: no such folder"), "trail.path: no such folder"),
        (OSError("disk"), "disk"),
        (SECRET, "llm_setup of mine failed with KeyError"),
    ],
)
def test_a_step_that_fails_is_a_reason_not_to_go_on(error: Exception, said: str) -> None:
    with pytest.raises((ValueError, OSError), match=said) as caught, Explained("llm_setup of mine"):
        raise error

    assert "the prompt" not in str(caught.value)


def test_a_request_that_cannot_be_read_does_not_go_on(caplog: pytest.LogCaptureFixture) -> None:
    flow = tflow.tflow()
    with FailClosed("Reading a request's head", flow) as guard:
        raise SECRET

    assert guard.failed
    assert flow.response is not None
    assert (flow.response.status_code, flow.response.headers["x-should-retry"]) == (500, "false")
    assert "the prompt" not in caplog.text + str(flow.response.text)
