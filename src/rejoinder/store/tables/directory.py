"""What running journeys read of accounts, numbers, carriers and routes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rejoinder.flow.ports import CarrierRow, CarrierState, ResellerRow, RouteRow, SmppAccount, UserRow
from rejoinder.store.dialect import queries
from rejoinder.store.session import Session

_SQL = queries("directory")


class DirectoryTables:
    """See flow/ports `Directory`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def user(self, username: str) -> UserRow | None:
        rows = await self._session.rows(_SQL["find_user"], username)
        if not rows:
            return None
        found = list(rows[0])
        found[3:7] = map(bool, found[3:7])
        found[-1] = bool(found[-1])
        return UserRow(*found)

    async def smpp_account(self, system_id: str) -> SmppAccount | None:
        rows = await self._session.rows(_SQL["find_smpp_account"], system_id)
        if not rows:
            return None
        user_id, username, name, password, enabled, idempotent, *rest = rows[0]
        return SmppAccount(user_id, username, name, password, bool(enabled), bool(idempotent), *rest)

    async def reseller(self, name: str) -> ResellerRow | None:
        rows = await self._session.rows(_SQL["find_reseller"], name)
        return ResellerRow(*rows[0][:3], *map(bool, rows[0][3:])) if rows else None

    async def version(self) -> tuple[int, int]:
        ((directory, clock),) = await self._session.rows(_SQL["directory_version"])
        return directory, clock

    async def pool(self) -> list[str]:
        return [row[0] for row in await self._session.rows(_SQL["list_pool"])]

    async def routes(self) -> list[RouteRow]:
        return [RouteRow(*row) for row in await self._session.rows(_SQL["list_routes"])]

    async def carriers(self) -> list[CarrierRow]:
        return [
            CarrierRow(id_, name, kind, msgspec.json.decode(settings, type=dict[str, str]))
            for id_, name, kind, settings in await self._session.rows(_SQL["list_carriers"])
        ]

    async def put_states(self, states: Sequence[CarrierState], at: int) -> None:
        rows = [(s.carrier_id, s.state, s.window, s.in_flight, s.rate, s.last_error, at) for s in states]
        await self._session.bulk(_SQL["put_carrier_states"], rows)

    async def may_send_as(self, user_id: int, customer_id: int, sender: str) -> bool:
        return bool(await self._session.rows(_SQL["may_send_as"], sender, user_id, customer_id))

    async def changed(self) -> None:
        await self._session.rows(_SQL["bump_directory"])
