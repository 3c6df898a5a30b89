"""The Dlp room: nothing that must stay leaves, and the answer comes back as if nothing had happened."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial

from tollgate.calls import Answer, Call, Event, Refused, Runtime, Verdict
from tollgate.calls.credentials import SECRET_HEADERS, SECRET_PARAMETERS
from tollgate.dlp.carried import Carried, carry, scrub
from tollgate.dlp.equipment import Equipment, equip
from tollgate.dlp.fresh import fresh
from tollgate.dlp.tokens import Book
from tollgate.dlp.treat import Treatment, Withheld, summary, treat
from tollgate.dlp.vault import TokenVault, asked_ids, given_ids
from tollgate.dlp.views import ViewError
from tollgate.policy import Policy
from tollgate.store import Vault, load_key

OFF_LOOP = 8 * 1024
"""Bodies from this many bytes on are looked into in a thread, so that other calls' events go on meanwhile."""
_WITHHELD = Withheld(SECRET_HEADERS, SECRET_PARAMETERS)


class Dlp:
    """Redacts requests and restores answers, as the policy says."""

    name = "dlp"

    def __init__(self) -> None:
        self._prepared: Equipment | None = None
        self._equipment: Equipment | None = None
        self._vault: Vault | None = None
        """One for all policies: calls may still keep something when theirs is no longer in force."""

    def llm_prepare(self, runtime: Runtime) -> None:
        """Build what the policy looks for. ValueError where it cannot be."""
        detection = runtime.policy.file.detection
        if not wanted(runtime.policy):
            self._prepared = None
        elif self._equipment is None or self._equipment.detection != detection:
            self._prepared = equip(runtime)
            self._vault = self._vault or Vault(runtime.state, load_key(runtime.state))
        else:
            self._prepared = self._equipment

    def llm_setup(self, runtime: Runtime) -> None:
        self._equipment = self._prepared

    def done(self) -> None:
        if self._vault is not None:
            self._vault.close()

    async def llm_request(self, call: Call) -> None:
        if not call.policy.dlp.enabled:
            return
        if self._equipment is None or self._vault is None:
            raise RuntimeError("a policy that looks for something is prepared before it is in force")
        book = Book(self._equipment.minter)
        treatment = await self._treatment(call, self._equipment, book, TokenVault(self._vault))
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
        try:
            if len(call.request.body.content) > OFF_LOOP:
                return await asyncio.to_thread(_treated, call, equipment, book, vault)
            return _treated(call, equipment, book, vault)
        except ViewError as e:
            call.coverage = "undecodable"
            if call.policy.bodies.undecodable == "refuse":
                raise Refused(f"The request cannot be looked into: {e}.", code=e.code) from e
            return None

    def _observe(self, call: Call, treatment: Treatment) -> None:
        call.findings += treatment.findings
        if treatment.findings:
            call.verdicts.append(Verdict("dlp", "observe", summary(treatment.findings), "would_redact"))

    def llm_event(self, call: Call, event: Event) -> Iterable[Event]:
        carried: Carried | None = call.notes.get("dlp")
        if carried is None or call.answer is None or call.answer.framing == "raw":
            return (event,)
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
        if self._vault and (ids := given_ids(call.dialect.name, call.request.body.json, document)):
            carried.kept = True
            TokenVault(self._vault).keep(ids, carried.book.originals)


def _treated(call: Call, equipment: Equipment, book: Book, vault: TokenVault) -> Treatment:
    """What is to be done with a call. The book has the tokens of what the provider keeps, then the call's."""
    new = fresh(call, equipment.examiner.history)
    asked = asked_ids(call.dialect.name, call.request.body.json, new.files)
    for token, value in vault.recall(asked).items():
        book.enter(token, value)
    return treat(call, new, equipment.examiner, book, equipment.operators.apply, _WITHHELD)


def wanted(policy: Policy) -> bool:
    """True where the policy has anything looked for, in general or by a rule."""
    return policy.file.dlp.enabled or any(rule.set.dlp.enabled for rule in policy.file.rules)
