"""What a bound customer asks for, answered by flow's journeys: submits, query_sm, cancel_sm, replace_sm.

Refuses by command statuses (statuses.py). A message of somebody else's is to its caller one that does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rejoinder.clock import Clock, ClockGuard
from rejoinder.endpoints.smpp import statuses, times
from rejoinder.endpoints.smpp.submits import coded, pair_of, replacement
from rejoinder.errors import RejoinderError
from rejoinder.flow.cancel import Cancellations
from rejoinder.flow.coded import coded_draft
from rejoinder.flow.desk import Accepted
from rejoinder.flow.ports import SmppAccount, Store, UserRow
from rejoinder.flow.replacing import Replacements
from rejoinder.flow.request import Draft, MessageRefused
from rejoinder.flow.submit import Submissions
from rejoinder.smpp.constants import CommandStatus as S
from rejoinder.smpp.pdu import (
    Address,
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    Failed,
    ListName,
    Pdu,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
)

Answer = tuple[Pdu, int]


@dataclass(frozen=True, slots=True)
class Journeys:
    """The flow that requests meet."""

    store: Store
    clock: Clock
    guard: ClockGuard
    submissions: Submissions
    cancellations: Cancellations
    replacements: Replacements


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks. `allowance`: how many messages of a submit_multi the account's throughput lets go."""

    user: UserRow
    account: SmppAccount
    allowance: int = 1


class Requests:
    """Answers requests of bound customers."""

    def __init__(self, journeys: Journeys) -> None:
        self._journeys = journeys

    async def answer(self, asker: Asker, pdu: Pdu) -> Answer:
        """The response and its command status. Raises RejoinderError (statuses.of_refusal says its status)."""
        if isinstance(pdu, (SubmitSm, DataSm)):
            return await self._submit(asker, pdu)
        if isinstance(pdu, SubmitMulti):
            return await self._submit_multi(asker, pdu)
        if isinstance(pdu, QuerySm):
            return await self._query(asker, pdu)
        if isinstance(pdu, CancelSm):
            return await self._cancel(asker, pdu)
        if isinstance(pdu, ReplaceSm):
            return await self._replace(asker, pdu)
        assert pdu.response is not None  # the session tells of no other request
        return pdu.response(), S.ESME_RINVCMDID

    async def _submit(self, asker: Asker, pdu: SubmitSm | DataSm) -> Answer:
        journeys = self._journeys
        request = coded(pdu, pdu.destination_addr, asker.account, journeys.clock.wall_us())
        accepted = await journeys.submissions.submit_coded(asker.user, request)
        made = SubmitSmResp if isinstance(pdu, SubmitSm) else DataSmResp
        return made(accepted.id), S.ESME_ROK

    async def _submit_multi(self, asker: Asker, pdu: SubmitMulti) -> Answer:
        """Each destination is a message of its own; the answer names the first one's id (docs/supported-smpp.md)."""
        failed: list[Failed] = []
        addressed: list[tuple[Address, Draft]] = []
        for destination in pdu.destinations:
            try:
                addressed.append((destination, self._draft(asker, pdu, destination, len(addressed))))  # type: ignore[arg-type]  # a list's name is refused there
            except RejoinderError as error:
                failed.append(_failed(destination, statuses.of_refusal(error)))
        outcomes: Sequence[Accepted | MessageRefused] = ()
        if addressed:
            drafts = [draft for _, draft in addressed]
            outcomes = await self._journeys.submissions.submit_drafts(asker.user, drafts)
        first = ""
        for (destination, _), outcome in zip(addressed, outcomes, strict=True):
            if isinstance(outcome, MessageRefused):
                failed.append(_failed(destination, statuses.of_refusal(outcome)))
            else:
                first = first or outcome.id
        status = S.ESME_ROK if first else (failed[0].status if failed else S.ESME_RINVNUMDESTS)
        return SubmitMultiResp(first, tuple(failed)), status

    def _draft(self, asker: Asker, pdu: SubmitMulti, to: Address | ListName, before: int) -> Draft:
        if isinstance(to, ListName):
            raise statuses.PduRefused(S.ESME_RINVDLNAME, "there are no distribution lists here")
        if before >= asker.allowance:
            raise statuses.PduRefused(S.ESME_RTHROTTLED, "more than the account's throughput")
        now = self._journeys.clock.wall_us()
        return coded_draft(coded(pdu, to.address, asker.account, now), self._journeys.submissions.limits, now)

    async def _cancel(self, asker: Asker, pdu: CancelSm) -> Answer:
        """By message_id, or, without one, all that goes from one address to another (§4.9)."""
        if not pdu.message_id:
            taken = await self._journeys.cancellations.cancel_pair(asker.user, pair_of(pdu))
            return CancelSmResp(), S.ESME_ROK if taken else S.ESME_RCANCELFAIL
        try:
            done = await self._journeys.cancellations.cancel(asker.user, pdu.message_id)
        except MessageRefused:
            return CancelSmResp(), S.ESME_RCANCELFAIL
        return CancelSmResp(), S.ESME_ROK if done.finished else S.ESME_RCANCELFAIL

    async def _replace(self, asker: Asker, pdu: ReplaceSm) -> Answer:
        """Only what has no mailbox entry yet: a scheduled message."""
        now = self._journeys.clock.wall_us()
        done = await self._journeys.replacements.replace(
            asker.user, pdu.message_id, lambda old: replacement(pdu, old, asker.account, now)
        )
        return ReplaceSmResp(), S.ESME_ROK if done else S.ESME_RREPLACEFAIL

    async def _query(self, asker: Asker, pdu: QuerySm) -> Answer:
        found = await self._journeys.store.read.messages.progress(pdu.message_id)
        if found is None or found.user_id != asker.user.id:
            return QuerySmResp(_writable(pdu.message_id, 64)), S.ESME_RQUERYFAIL
        final = times.written(found.finished_at or 0)
        return QuerySmResp(pdu.message_id, final, int(statuses.state_of(found.status))), S.ESME_ROK


def _failed(destination: Address | ListName, status: int) -> Failed:
    if isinstance(destination, ListName):
        return Failed(0, 0, _writable(destination.name, 20), status)
    return Failed(destination.ton, destination.npi, _writable(destination.address, 20), status)


def _writable(text: str, most: int) -> str:
    """What was read of a peer, as it may be written: it can have been longer than its field allows."""
    return text[:most].encode("ascii", "replace").decode()
