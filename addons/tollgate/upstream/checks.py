"""Asks targets, beside all calls, whether they work, each as often as its policy says."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Iterable, Mapping
from functools import partial

from tollgate.calls import CallError, Checkup, Request
from tollgate.policy.schema import Timeouts
from tollgate.providers import Providers
from tollgate.upstream.checkups import Subject, note, passes, request_for, told
from tollgate.upstream.client import Client
from tollgate.upstream.headers import outgoing
from tollgate.upstream.inject import with_key
from tollgate.upstream.keys import Keys
from tollgate.upstream.retry import KEY_REFUSED

logger = logging.getLogger("tollgate")

AT_ONCE = 8
"""Checks that are under way at the same time; the others wait."""
FIRST_WITHIN = 1.0
"""Seconds within which a target is asked first, so that many are not all asked at once."""
_JITTER = 0.1
_ENOUGH = 2**20
"""Bytes of an answer that are read, so that its connection can be used again."""


class Doctor:
    """Asks a target once."""

    def __init__(self, client: Client, keys: Keys, providers: Providers) -> None:
        self._client = client
        self._keys = keys
        self._providers = providers

    async def ask(self, subject: Subject) -> str:
        """What is wrong with a target; empty where it works. Never a key, a header or a path."""
        check, names = subject.check, subject.credentials
        name = (self._keys.pick(names) or self._keys.soonest(names)) if names else ""
        try:
            request = await self._unlocked(request_for(subject), name)
            async with asyncio.timeout(check.timeout):
                status = await self._status(request, check.timeout)
        except TimeoutError:
            return f"{subject.host} did not answer within {check.timeout:g} s"
        except CallError as e:
            return e.message.rstrip(".")
        if name and status in KEY_REFUSED:
            self._keys.age(name)
        return "" if passes(status, check.statuses) else f"{subject.host} answers with HTTP {status}"

    async def _unlocked(self, request: Request, name: str) -> Request:
        if not name:
            return request
        secret = await self._keys.secret(name)
        provider = self._providers.provider_of(request.host, request.port)
        return with_key(request, name, self._keys.credentials[name], secret, provider)

    async def _status(self, request: Request, seconds: float) -> int:
        later = seconds + 1.0  # it is the check's own time that runs out, and that the message names
        patience = Timeouts(connect=later, first_byte=later, idle=later)
        reply = await self._client.send(request, *outgoing(request), patience)
        try:
            size = 0
            while size < _ENOUGH and (piece := await reply.read()):
                size += len(piece)
            return reply.status
        finally:
            reply.close()


class Checks:
    """The checks of one policy, under way from `start` to `stop`. How they go is in their checkups."""

    def __init__(self, subjects: Iterable[Subject], before: Checks | None = None) -> None:
        """What was learnt before of a target that is the same still holds."""
        self._subjects = list(subjects)
        same = [s.name for s in self._subjects if before and s in before._subjects]
        known = {name: before.checkups[name] for name in same} if before else {}
        self.checkups: dict[str, Checkup] = {s.name: known.get(s.name, Checkup()) for s in self._subjects}
        """By their targets' names."""
        self._room = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, doctor: Doctor) -> None:
        for subject in self._subjects:
            checkup = self.checkups[subject.name]
            task = asyncio.ensure_future(self._keep_asking(doctor, subject, checkup))
            self._tasks.add(task)
            task.add_done_callback(partial(self._ended, subject, checkup))

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    def health(self) -> Mapping[str, object]:
        """For /healthz."""
        now = time.monotonic()
        return {name: told(checkup, now) for name, checkup in self.checkups.items()}

    async def _keep_asking(self, doctor: Doctor, subject: Subject, checkup: Checkup) -> None:
        check = subject.check
        await asyncio.sleep(random.random() * min(check.every, FIRST_WITHIN))  # noqa: S311 (it guards nothing)
        while True:
            async with self._room:
                sent = time.monotonic()
                problem = await doctor.ask(subject)
            if news := note(checkup, check, problem, sent, time.monotonic()):
                logger.warning("Tollgate: the target %s %s", subject.name, news)
            await asyncio.sleep(check.every * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311

    def _ended(self, subject: Subject, checkup: Checkup, task: asyncio.Task[None]) -> None:
        """A target that is not asked any more is not left alone for ever; only a bug of ours leads here."""
        self._tasks.discard(task)
        if not task.cancelled():
            checkup.problem = ""
            logger.error("Tollgate: the checks of %s ended", subject.name, exc_info=task.exception())
