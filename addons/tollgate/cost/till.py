"""The till: one thread that takes money, so that the event loop never waits for the disk.

Reservations are made at once, all that have come together in one transaction. What calls have cost is written
a moment later, many at a time; until then they hold what they held, which is more. A call that is settled
leaves its rows, the sums of its hour, what it spent and what it held in the same transaction, so that a
process may be killed at any time and nothing is counted twice or by half.
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tollgate.cost import ledger
from tollgate.cost.budgets import Share, charged
from tollgate.cost.ledger import Entry
from tollgate.store import StateError
from tollgate.store.purses import Claim, Purses, Reserved, SqlitePurses

GATHER = 0.25
"""Seconds in which settled calls come together: a commit costs as much as ten rows, and a thread that wakes
up often takes turns with the event loop, at 0.3 ms a call."""
RETRY = 1.0
"""Seconds after which writing is tried again."""
BEAT = 10.0
"""Seconds between two signs of life."""
CLEAN = 3600.0
"""Seconds between two looks for what is too old."""
LONGEST = 20.0
"""Seconds that a reservation may take; other processes may hold the file for some."""
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


@dataclass(slots=True)
class _Done:
    """What a transaction has done, to be told once it is committed."""

    granted: list[_Granted] = field(default_factory=list)
    spent: list[Spent] = field(default_factory=list)
    flushed: bool = False


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
        self._database = ledger.open_ledger(path)
        self._file = path.stat().st_ino
        self._purses: Purses = SqlitePurses(self._database)
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._urgent = threading.Event()
        self._late: list[Settlement] = []  # not written yet
        self._due = math.inf  # when to write them; like the next two, by the monotonic clock
        self._beat = math.inf  # when to say that we live; never while nothing was held yet
        self._clean = 0.0  # when to look for what is too old
        self._thread = threading.Thread(target=self._run, name="tollgate-till", daemon=True)
        self._thread.start()

    # -- on the event loop -----------------------------------------------------------------------------------

    async def reserve(self, call: str, amount: int, claims: Sequence[Claim]) -> Reserved:
        """Hold an amount for a call, in place of what it held before. StateError where that cannot be."""
        self._loop = asyncio.get_running_loop()
        told: asyncio.Future[Reserved] = self._loop.create_future()
        self._queue.put(_Reservation(call, amount, claims, told))
        self._urgent.set()
        try:
            async with asyncio.timeout(LONGEST):
                return await told
        except TimeoutError as e:
            raise StateError(f"The ledger {self.path} did not answer in {LONGEST} s.") from e

    def settle(self, settlement: Settlement) -> None:
        """Take note of a call that is over."""
        self._queue.put(settlement)
        if not settlement.entries:  # it only lets go of what is held
            self._urgent.set()

    def close(self) -> None:
        """Write what is left, let go of what is held, and end the thread."""
        self._queue.put(None)
        self._urgent.set()
        self._thread.join()

    # -- on the thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        while self._step():
            pass
        self._database.close()

    def _step(self) -> bool:
        """Wait, and do what is due; False where it was the last time."""
        jobs = self._collect()
        self._late += [job for job in jobs if isinstance(job, Settlement) and job.entries]
        wanted = [job for job in jobs if isinstance(job, _Reservation) or (job and not job.entries)]
        if self._late and self._due == math.inf:
            self._due = time.monotonic() + GATHER
        last = None in jobs
        if wanted or last or time.monotonic() >= self._next:
            self._work(wanted, last=last)
        return not last

    @property
    def _next(self) -> float:
        return min(self._due, self._beat, self._clean)

    def _collect(self) -> list[_Job | None]:
        """Wait for jobs, or until something is due. While some wait to be written, more of their kind wake
        nobody."""
        wait = min(BEAT, max(0.0, self._next - time.monotonic()))
        jobs: list[_Job | None] = []
        if self._late:
            self._urgent.wait(wait)
        else:
            with suppress(queue.Empty):
                jobs.append(self._queue.get(timeout=wait))
        self._urgent.clear()
        return jobs + [self._queue.get_nowait() for _ in range(self._queue.qsize())]

    def _work(self, wanted: Sequence[_Job], *, last: bool) -> None:
        """All of it in one transaction, in the order in which it came: who left while it waited for what it
        wanted to hold has let go of it afterwards."""
        done = _Done()
        try:
            self._look_for_file()
            self._database.execute("BEGIN IMMEDIATE")
            try:
                for job in wanted:
                    self._do(job, done)
                if last or time.monotonic() >= self._due:
                    self._flush(done)
                self._look_after(last=last)
                self._database.execute("COMMIT")
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
        except sqlite3.Error as e:
            self._failed(e, wanted, last=last)
        else:
            self._succeeded(done)

    def _look_for_file(self) -> None:
        """SQLite goes on writing to a file that was removed, which nobody will ever read."""
        with suppress(OSError):
            if self.path.stat().st_ino == self._file:
                return
        raise sqlite3.OperationalError("it was removed while it was in use; start Tollgate again")

    def _do(self, job: _Job, done: _Done) -> None:
        if isinstance(job, Settlement):
            self._purses.release(held_by(job))
            return
        self._beat = min(self._beat, time.monotonic() + BEAT)
        reserved = self._reserve(job)
        if not reserved.granted and self._late:  # they hold more than they cost
            self._flush(done)
            reserved = self._reserve(job)
        done.granted.append((job.told, reserved))

    def _flush(self, done: _Done) -> None:
        """Write the calls that are over, all at once."""
        if done.flushed:
            return
        done.flushed = True
        shares = {settlement.call: settlement.shares for settlement in self._late}
        spent: dict[str, tuple[Share, int]] = {}
        for entry in self._add([entry for settlement in self._late for entry in settlement.entries]):
            for share in charged(shares[entry.id], entry.paid):
                before = spent.get(share.claim.purse, (share, 0))[1]
                spent[share.claim.purse] = share, before + entry.charged
        for share, amount in spent.values():
            after = self._purses.spend(share.claim, amount)
            done.spent.append(Spent(share, after - amount, after))
        self._purses.release([pair for settlement in self._late for pair in held_by(settlement)])

    def _add(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries that are new. One that can never be written must not stop all others."""
        try:
            return ledger.add(self._database, entries)
        except (OverflowError, TypeError, ValueError) as e:
            if len(entries) > 1:
                return [fresh for entry in entries for fresh in self._add([entry])]
            self.lost += 1
            self._report(f"What a call cost could not be written to the ledger ({type(e).__name__}).")
            return []

    def _reserve(self, job: _Reservation) -> Reserved:
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

    def _succeeded(self, done: _Done) -> None:
        if done.flushed:
            self._late, self._due = [], math.inf
        if not self.healthy:
            self.healthy = True
            self._report(f"The ledger {self.path} can be written again. {self.lost} calls were lost.")
        if done.granted or done.spent:
            self._tell(self._told, done)

    def _failed(self, error: sqlite3.Error, wanted: Sequence[_Job], *, last: bool) -> None:
        self._purses.undone()
        self._late += [job for job in wanted if isinstance(job, Settlement)]
        kept = 0 if last else MOST
        self.lost += len(self._late[kept:])
        self._late = self._late[:kept]
        again = time.monotonic() + RETRY
        self._due = again if self._late else math.inf
        self._beat, self._clean = max(self._beat, again), max(self._clean, again)
        message = f"The ledger {self.path} cannot be written: {error}."
        if self.healthy:
            self.healthy = False
            self._report(f"{message} What calls cost waits in memory, and writing is tried again.")
        if waiting := [job.told for job in wanted if isinstance(job, _Reservation)]:
            self._tell(fail, waiting, message)

    def _tell[*A](self, what: Callable[[*A], None], *told: *A) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(what, *told)

    # -- on the event loop again -----------------------------------------------------------------------------

    def _told(self, done: _Done) -> None:
        for future, reserved in done.granted:
            if not future.done():  # the client may have left meanwhile
                future.set_result(reserved)
        for each in done.spent:
            self._heard(each)


def held_by(settlement: Settlement) -> list[tuple[str, str]]:
    """What a call held, as (purse, call)."""
    return [(share.claim.purse, settlement.call) for share in settlement.shares]


def fail(futures: Sequence[asyncio.Future[Reserved]], message: str) -> None:
    """Tell whoever waits that the ledger cannot be written."""
    for future in futures:
        if not future.done():
            future.set_exception(StateError(message))
