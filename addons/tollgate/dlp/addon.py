"""The Dlp room: nothing that must stay leaves, and the answer comes back as if nothing had happened."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import partial

from tollgate.calls import Answer, Body, Call, Event, Refused, Runtime, Verdict
from tollgate.calls.credentials import SECRET_HEADERS, SECRET_PARAMETERS
from tollgate.dlp.carried import Carried, carry, scrub
from tollgate.dlp.equipment import Equipment, equip, is_made_for
from tollgate.dlp.fresh import Fresh, fresh
from tollgate.dlp.tokens import Book
from tollgate.dlp.treat import Treatment, Withheld, summary, treat
from tollgate.dlp.vault import TokenVault, asked_ids, given_ids, owners_of
from tollgate.dlp.views import TooMuch, ViewError
from tollgate.policy import Policy
from tollgate.store import Vault, load_key

OFF_LOOP = 8 * 1024
"""Bytes of answers, and of bodies without slots, up to which they are looked into on the event loop. All that
is more is done in a thread, so that other calls' events go on meanwhile."""
_SEARCHED = 256 * 1024
"""Bytes of other bodies, up to which what is new in them is found there."""
_RECALLED = 32 * 1024
"""Characters of that, up to which they are looked up there: they may be remembered."""
_UNSEEN = 4 * 1024
"""Characters that are not, up to which they are looked at there."""
_WITHHELD = Withheld(SECRET_HEADERS, SECRET_PARAMETERS)


class Dlp:
    """Redacts requests and restores answers, as the policy says."""

    name = "dlp"

    def __init__(self) -> None:
        self._prepared: Equipment | None = None
        self._equipment: Equipment | None = None
        self._runtime: Runtime | None = None
        """For what that was built. Going back to it, none of its files is read again."""
        self._vault: Vault | None = None
        """One for all policies: calls may still keep something when theirs is no longer in force."""

    def llm_prepare(self, runtime: Runtime) -> None:
        """Build what the policy looks for. ValueError where it cannot be."""
        detection, ready = runtime.policy.file.detection, self._equipment
        if not wanted(runtime.policy):
            self._prepared = None
        elif ready and (runtime is self._runtime or is_made_for(ready, detection)):
            self._prepared = ready
        else:
            self._prepared = equip(runtime)
            self._vault = self._vault or Vault(runtime.state, load_key(runtime.state))

    def llm_setup(self, runtime: Runtime) -> None:
        self._equipment, self._runtime = self._prepared, runtime

    def done(self) -> None:
        if self._vault is not None:
            self._vault.close()

    async def llm_request(self, call: Call) -> None:
        if not call.policy.dlp.enabled:
            return
        if self._equipment is None or self._vault is None:
            raise RuntimeError("a policy that looks for something is prepared before it is in force")
        book = Book(self._equipment.minter)
        treatment = await self._treatment(call, self._equipment, book, _own(self._vault, call))
        if treatment is not None:
            self._apply(call, treatment)
        if call.policy.mode != "observe":
            call.scrub = partial(scrub, call.dialect.name, self._equipment, call.policy.dlp, book)
        if carried := carry(call, self._equipment, book):
            call.notes["dlp"] = carried

    def _apply(self, call: Call, treatment: Treatment) -> None:
        if call.policy.mode == "observe":
            self._observe(call, treatment)
            return
        call.findings += treatment.findings
        if refusal := treatment.refusal:
            raise refusal
        treatment.apply(call.request)
        if treatment.edited:
            call.verdicts.append(Verdict("dlp", "change", summary(treatment.findings), "redacted"))

    async def _treatment(
        self, call: Call, equipment: Equipment, book: Book, vault: TokenVault
    ) -> Treatment | None:
        """What is to be done; None where a body that cannot be looked into may pass."""
        find = partial(_found, call, equipment, book, vault)
        look_into = partial(_treated, call, equipment, book)
        try:
            if len(call.request.body.content) > _SEARCHED:
                return await asyncio.to_thread(lambda: look_into(find()))
            new = find()
            if _is_small(call.request.body, new):
                with suppress(TooMuch):
                    return look_into(new, _UNSEEN)
                new = find()  # what is known may be more than it was
            return await asyncio.to_thread(look_into, new)
        except ViewError as e:
            call.coverage = "undecodable"
            if call.policy.bodies.undecodable == "refuse":
                raise Refused(f"The request cannot be looked into: {e}.", code=e.code) from e
            return None

    def _observe(self, call: Call, treatment: Treatment) -> None:
        call.findings += treatment.findings
        if treatment.findings:
            call.verdicts.append(Verdict("dlp", "observe", summary(treatment.findings), "would_redact"))

    def llm_head(self, call: Call, answer: Answer) -> None:
        carried: Carried | None = call.notes.get("dlp")
        if carried is not None:
            carried.head(answer)

    def llm_event(self, call: Call, event: Event) -> Iterable[Event]:
        carried: Carried | None = call.notes.get("dlp")
        if carried is None or call.answer is None:
            return (event,)
        if call.answer.framing == "raw":
            return carried.restorer.file(event) if carried.as_file else (event,)
        if not carried.kept and event.data:
            self._remember(call, carried, call.dialect.payload(event))
        return carried.event(event)

    async def llm_response(self, call: Call, answer: Answer) -> None:
        carried: Carried | None = call.notes.get("dlp")
        if carried is None:
            return
        if not carried.kept:
            self._remember(call, carried, answer.json() if answer.body[:1] == b"{" else None)
        if len(answer.body) > OFF_LOOP:
            answer.body = await asyncio.to_thread(carried.whole, answer.body)
        else:
            answer.body = carried.whole(answer.body)

    def llm_end(self, call: Call) -> None:
        carried: Carried | None = call.notes.pop("dlp", None)
        if carried is not None:
            carried.tell(call)

    def _remember(self, call: Call, carried: Carried, document: object) -> None:
        """Keep the tokens of a conversation that the provider keeps, under the ids it gives."""
        path, body = call.client_request.path, call.request.body.json
        if self._vault and (ids := given_ids(call.dialect.name, path, body, document)):
            carried.kept = True
            if not _own(self._vault, call).keep(ids, carried.book.originals):
                reason = "there are more values than can be kept: later answers will hold tokens"
                call.verdicts.append(Verdict("dlp", "warn", reason, "not_kept"))


def _own(vault: Vault, call: Call) -> TokenVault:
    return TokenVault(vault, owners_of(call.identity))


def _found(call: Call, equipment: Equipment, book: Book, vault: TokenVault) -> Fresh:
    """What of a call has to be looked at. The book has the tokens of what the provider keeps then."""
    new = fresh(call, equipment.examiner.history)
    asked = asked_ids(call.dialect.name, call.client_request.path, call.request.body.json, new.files)
    for token, value in vault.recall(asked).items():
        book.enter(token, value)
    return new


def _is_small(body: Body, new: Fresh) -> bool:
    """True where it may be looked into on the event loop, as far as it is remembered."""
    return new.size <= _RECALLED if body.parsed else len(body.content) <= OFF_LOOP


def _treated(
    call: Call, equipment: Equipment, book: Book, new: Fresh, unseen: int = sys.maxsize
) -> Treatment:
    """What is to be done with a call, whose tokens the book has then. TooMuch where more than so many of its
    characters are not remembered."""
    apply = equipment.operators.apply
    return treat(call, new, equipment.examiner, book, apply, _WITHHELD, unseen)


def wanted(policy: Policy) -> bool:
    """True where the policy has anything looked for, in general or by a rule."""
    return policy.file.dlp.enabled or any(rule.set.dlp.enabled for rule in policy.file.rules)
