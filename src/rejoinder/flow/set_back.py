"""A wall clock that was set back: what was noted while it stood ahead is counted from now, not in an hour or a year.

Works in small steps. Refuses to touch what any plan may set, and messages that have not been released (`NEVER`).
"""

from __future__ import annotations

from rejoinder.clock import MICROSECONDS, Clock
from rejoinder.flow.claims import lease_end
from rejoinder.flow.desk import LIFETIME_US, NEVER
from rejoinder.flow.ports import Store, Tx
from rejoinder.flow.push_plan import FARTHEST_TRY_US, within_reach
from rejoinder.flow.push_records import LEASE_US as PUSH_LEASE_US
from rejoinder.flow.setup import Setup
from rejoinder.flow.steps import STEP, repeated

# Leases, and the longest wait between two tries of a message with its spread, are shorter than this.
FARTHEST_DUE_US = 15 * 60 * MICROSECONDS
# Clocks of several servers may differ by so much.
AHEAD_US = 10 * MICROSECONDS
FIRST = ""


class SetBack:
    """Finds what lies ahead of any plan, and brings it forward."""

    def __init__(self, store: Store, clock: Clock, setup: Setup) -> None:
        self._store = store
        self._clock = clock
        self._setup = setup
        self._walked = FIRST

    async def queue(self) -> None:
        """Messages that wait, or are in a carrier's hands."""
        now = self._clock.wall_us()
        for carrier_id in self._setup.carriers:
            await repeated(
                self._store,
                lambda tx, c=carrier_id: tx.outbox.bring_forward(  # type: ignore[misc]  # default binds the loop's value
                    c, now + FARTHEST_DUE_US, now, lease_end(now), STEP
                ),
            )

    async def ages(self) -> None:
        """What ends by its age: messages, unfinished long ones of both directions, pushes."""
        now = self._clock.wall_us()
        ends, ahead = now + LIFETIME_US, now + AHEAD_US
        await repeated(self._store, lambda tx: tx.messages.bring_forward(ends + AHEAD_US, NEVER, ends, STEP))
        await repeated(self._store, lambda tx: tx.inbound.bring_forward(ahead, now, STEP))
        await repeated(self._store, lambda tx: tx.joining.bring_forward(ahead, now, STEP))
        await self._targets(now)

    async def _targets(self, now: int) -> None:
        """One step of the walk over all targets: a bounded number of them, whatever their number is."""
        found = await self._store.read.pushes.ahead(self._walked, now + AHEAD_US, now + FARTHEST_TRY_US, STEP)
        for target in [target for target, ahead in found if ahead]:
            await repeated(self._store, lambda tx, t=target: _pushes(tx, t, now))  # type: ignore[misc]  # default binds the loop's value
        self._walked = found[-1][0] if len(found) == STEP else FIRST


async def _pushes(tx: Tx, target: str, now: int) -> int:
    """A target's pushes and its breaker; what may be under way is due when its lease ends."""
    states = await tx.pushes.lock([target])
    await tx.pushes.set_targets([within_reach(state, now) for state in states])
    later = now + PUSH_LEASE_US
    queued = await tx.pushes.bring_queued_forward(target, now + AHEAD_US, now, later, STEP)
    due = await tx.pushes.bring_due_forward(target, now + FARTHEST_TRY_US, later, STEP)
    await tx.pushes.settle([target])
    return max(queued, due)
