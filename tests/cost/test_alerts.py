"""Alerts: what is said, and how it gets to a webhook."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from support.costs import DOLLAR, NOW
from support.proxy import LOOPBACK
from tollgate.cost.alerts import alert, post
from tollgate.cost.budgets import Budgets, Payer
from tollgate.cost.money import Money
from tollgate.policy import Facts
from tollgate.policy.cost import CostSettings

PATH = "/services/T000/secret-part"


class Hook:
    """A webhook that answers with these statuses, one after the other."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.heard: list[object] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.heard.append(await request.json())
        return web.Response(status=self.statuses.pop(0))


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    hook = Hook()
    app = web.Application()
    app.router.add_post(PATH, hook.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    hook.url = f"http://{LOOPBACK}:{runner.addresses[0][1]}{PATH}"
    yield hook
    await runner.cleanup()


def test_an_alert_is_a_sentence_and_its_figures() -> None:
    settings = CostSettings.model_validate(
        {"budgets": [{"name": "team daily", "limit": 50, "every": "day", "per": ["team"]}]}
    )
    (share,) = Budgets(settings).of(Facts(), Payer(team="platform"), {"metered"}, NOW)
    told = alert(share, 0.8, 41 * DOLLAR, Money(), NOW)

    assert told["text"] == (
        'Tollgate: the budget "team daily" of $50.00 a day for team platform is 82% spent ($41.00). It opens'
        " again on 2027-01-16 00:00 UTC."
    )
    assert (told["event"], told["spent"], told["limit"]) == ("budget_threshold", 41.0, 50.0)
    assert alert(share, 1.0, 50 * DOLLAR, Money(), NOW)["event"] == "budget_spent"


async def test_it_is_posted_as_json(hook: Hook) -> None:
    hook.statuses = [204]

    assert await post(hook.url, {"text": "x"})
    assert hook.heard == [{"text": "x"}]


async def test_it_is_tried_again(hook: Hook) -> None:
    hook.statuses = [500, 302, 200]

    assert await post(hook.url, {"text": "x"}, (0, 0, 0))
    assert len(hook.heard) == 3


@pytest.mark.parametrize(
    ("address", "why"),
    [("", "it answered 404"), ("closed", "ClientConnectorError"), ("nonsense", "InvalidUrl")],
)
async def test_where_it_never_gets_there_the_log_says_why_and_not_where(
    hook: Hook, address: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = {"": f"{hook.url}x", "closed": f"http://{LOOPBACK}:1{PATH}", "nonsense": "secret-part"}[address]
    with caplog.at_level(logging.WARNING):
        assert not await post(url, {"text": "x"}, (0, 0))

    assert why in caplog.text
    assert "secret-part" not in caplog.text
