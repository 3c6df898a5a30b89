"""The till: one thread that takes money, so that the event loop never waits for the disk.

What has come together is one transaction: reservations at once, what was spent a moment later. A call that is
settled leaves its rows, the sums of its hour, what it spent and what it held in the same transaction, so
that a process may be killed at any time and nothing is counted twice or by half.
"""

from __future__ import annotations

import asyncio
import math
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tollgate.cost import ledger
from tollgate.cost.budgets import Share
from tollgate.cost.ledger import Entry
from tollgate.store import StateError
from tollgate.store.purses import Claim, Reserved, SqlitePurses
from tollgate.store.sqlite import open_sqlite

GATHER = 0.02
"""Seconds in which settled calls come together: each commit costs the same."""
BEAT = 10.0
"""Seconds between two signs of life."""
CLEAN = 3600.0
"""Seconds between two looks for what is too old."""
MOST = 50_000
"""Settled calls that may wait while the disk is full; about a kilobyte each."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """A call that is over: what it cost, and what it had held."""

    call: str
    entries: Sequence[Entry] = ()
    shares: Sequence[Share] = ()


class Spent(NamedTuple):
    """A budget's purse after a call was settled."""

    share: Share
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class _Reservation:
    call: str
    amount: int
    claims: Sequence[Claim]
    told: asyncio.Future[Reserved]


type _Job = _Reservation | Settlement
type _Granted = tuple[asyncio.Future[Reserved], Reserved]
type Heard = Callable[[Spent], None]


class Till:
    """Reserves and settles. Opens the ledger at once: StateError where it cannot be."""

    def __init__(
        self,
        path: Path,
        keep: tuple[float, float],
        heard: Heard,
        report: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`keep`: seconds that rows and the sums of hours last. `heard` is told, on the event loop, of every
        purse that was spent from; `report`, on the thread, when the ledger fails and when it works again."""
        self.path = path
        self.keep = keep
        self.lost = 0
        """Settled calls that could not be written."""
        self.healthy = True
        """False while the ledger cannot be written."""
        self._heard = heard
        self._report = report
        self._clock = clock
        self._database = open_sqlite(path, ledger.SCRIPT, "ledger")
        self._purses = SqlitePurses(self._database)
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._urgent = threading.Event()
        self._beat = math.inf  # when to say that we live, by the monotonic clock; never while nothing is held
        self._clean = 0.0
        self._kept: list[Settlement] = []  # could not be written yet
        self._thread = threading.Thread(target=self._run, name="tollgate-till", daemon=True)
        self._thread.start()

    # -- on the event loop -----------------------------------------------------------------------------------

    async def reserve(self, call: str, amount: int, claims: Sequence[Claim]) -> Reserved:
        """Hold an amount for a call, in place of what it held before. StateError where that cannot be."""
        self._loop = asyncio.get_running_loop()
        told: asyncio.Future[Reserved] = self._loop.create_future()
        self._queue.put(_Reservation(call, amount, claims, told))
        self._urgent.set()
        return await told

    def settle(self, settlement: Settlement) -> None:
        """Take note of a call that is over."""
        self._queue.put(settlement)

    def close(self) -> None:
        """Write what is left, let go of what is held, and end the thread."""
        self._queue.put(None)
        self._urgent.set()
        self._thread.join()

    # -- on the thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        more = True
        while more:
            jobs = self._collect()
            more = None not in jobs
            self._work([job for job in jobs if job is not None], last=not more)
        self._database.close()

    def _collect(self) -> list[_Job | None]:
        """Wait for jobs, or until something is due."""
        try:
            jobs = [self._queue.get(timeout=1.0 if self._kept else BEAT)]
        except queue.Empty:
            return []
        self._urgent.wait(GATHER)
        self._urgent.clear()
        return jobs + [self._queue.get_nowait() for _ in range(self._queue.qsize())]

    def _work(self, jobs: Sequence[_Job], *, last: bool) -> None:
        """All of it in one transaction, in the order in which it came: who left while it waited for what it
        wanted to hold has let go of it afterwards."""
        jobs = [*self._kept, *jobs]
        granted: list[_Granted] = []
        spent: list[Spent] = []
        try:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                for job in jobs:
                    if isinstance(job, Settlement):
                        spent += self._settle(job)
                    else:
                        granted.append((job.told, self._reserve(job)))
                self._look_after(last=last)
                self._database.execute("COMMIT")
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
        except sqlite3.Error as e:
            self._failed(e, jobs)
        else:
            self._succeeded(granted, spent)

    def _settle(self, job: Settlement) -> list[Spent]:
        fresh = [entry for entry in job.entries if self._add(entry)]
        amount = sum(entry.charged for entry in fresh)
        after = self._purses.settle(job.call, amount, [share.claim for share in job.shares])
        return [Spent(share, now - amount, now) for share, now in zip(job.shares, after, strict=False)]

    def _add(self, entry: Entry) -> bool:
        """False too for an entry that can never be written: it must not stop all others."""
        try:
            return ledger.add(self._database, entry)
        except (OverflowError, TypeError, ValueError) as e:
            self.lost += 1
            self._report(f"What a call cost could not be written to the ledger ({type(e).__name__}).")
            return False

    def _reserve(self, job: _Reservation) -> Reserved:
        self._beat = min(self._beat, time.monotonic() + BEAT)
        return self._purses.reserve(job.call, job.amount, job.claims, self._clock())

    def _look_after(self, *, last: bool) -> None:
        now = time.monotonic()
        if last:
            self._purses.leave()
        elif now >= self._beat:
            self._beat = now + BEAT
            self._purses.beat(self._clock())
        if now >= self._clean:
            self._clean = now + CLEAN
            rows, hours = (self._clock() - seconds for seconds in self.keep)
            ledger.forget(self._database, rows, hours)
            self._purses.forget(hours)

    def _succeeded(self, granted: Sequence[_Granted], spent: Sequence[Spent]) -> None:
        self._kept = []
        if not self.healthy:
            self.healthy = True
            self._report(f"The ledger {self.path} can be written again. {self.lost} calls were lost.")
        if granted or spent:
            self._tell(self._told, granted, spent)

    def _failed(self, error: sqlite3.Error, jobs: Sequence[_Job]) -> None:
        settled = [job for job in jobs if isinstance(job, Settlement)]
        waiting = [job.told for job in jobs if isinstance(job, _Reservation)]
        self._kept = settled[:MOST]
        self.lost += len(settled) - len(self._kept)
        message = f"The ledger {self.path} cannot be written: {error}."
        if self.healthy:
            self.healthy = False
            self._report(f"{message} What calls cost waits in memory, and writing is tried again.")
        if waiting:
            self._tell(fail, waiting, message)

    def _tell[*A](self, what: Callable[[*A], None], *told: *A) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(what, *told)

    # -- on the event loop again -----------------------------------------------------------------------------

    def _told(self, granted: Sequence[_Granted], spent: Sequence[Spent]) -> None:
        for future, reserved in granted:
            if not future.done():  # the client may have left meanwhile
                future.set_result(reserved)
        for each in spent:
            self._heard(each)


def fail(futures: Sequence[asyncio.Future[Reserved]], message: str) -> None:
    """Tell whoever waits that the ledger cannot be written."""
    for future in futures:
        if not future.done():
            future.set_exception(StateError(message))
