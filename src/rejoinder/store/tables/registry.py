"""What the operator reads and changes: resellers, customers, users, numbers, senders, carriers, routes.

Records are mappings of column to value. Refuses every column that is not in the table below, since
columns, unlike values, become part of the statement's text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from rejoinder.flow.ports import Kind, Record
from rejoinder.store.dialect import queries
from rejoinder.store.session import Row, Session

_SQL = queries("registry")
_CLOCK = queries("directory")["accept_clock"]
# SQLite gives these back as 0 and 1, PostgreSQL as booleans.
_FLAGS = frozenset(
    [
        "require_activation",
        "blocked",
        "disabled",
        "activated",
        "password_expired",
        "swapping_source_address_allowed",
        "idempotent_reference",
        "enabled",
    ]
)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A kind's table, the columns that make its key, those that can be written, and those of its show query."""

    table: str
    key: tuple[str, ...]
    written: frozenset[str]
    shown: tuple[str, ...]
    order: str


def _shape(table: str, key: str, written: str, shown: str, order: str = "id") -> _Shape:
    return _Shape(table, tuple(key.split()), frozenset(written.split()), tuple(shown.split()), order)


_SHAPES: Mapping[Kind, _Shape] = {
    "reseller": _shape(
        "reseller",
        "id",
        "name password_hash credit_account_id free_credits default_customer_billing require_activation blocked"
        " disabled created_at",
        "id name billing balance free_credits default_customer_billing require_activation blocked disabled"
        " password_hash credit_account_id created_at",
    ),
    "customer": _shape(
        "customer",
        "id",
        "reseller_id name credit_account_id rotation prefixes integration_id contact_name email phone_number blocked"
        " disabled created_at mo_push",
        "id name reseller billing balance rotation prefixes integration_id contact_name email phone_number blocked"
        " disabled reseller_id credit_account_id created_at mo_push",
    ),
    "user": _shape(
        "user_account",
        "id",
        "customer_id username password_hash password_expired activated blocked disabled source_address"
        " swapping_source_address_allowed email phone_number allow_ip created_at idempotent_reference"
        " mo_push final_status_push",
        "id name username customer reseller activated blocked disabled password_expired source_address"
        " swapping_source_address_allowed email phone_number allow_ip customer_id reseller_id created_at"
        " idempotent_reference smpp_system_id mo_push final_status_push",
    ),
    "smpp_account": _shape(
        "smpp_account",
        "user_id",
        "user_id system_id password_hash enabled max_binds window_size throughput allow_ip long_mo default_alphabet"
        " origin_tag",
        "id name username system_id enabled max_binds window_size throughput allow_ip long_mo default_alphabet"
        " origin_tag user_id",
    ),
    "number": _shape(
        "number",
        "number",
        "number customer_id user_id inbox_user_id mo_push",
        "id name number customer reseller username inbox customer_id user_id inbox_user_id mo_push",
    ),
    "sender": _shape(
        "sender", "customer_id name", "customer_id name", "id name customer reseller customer_id"
    ),
    "carrier": _shape(
        "carrier",
        "id",
        "name kind settings",
        "id name kind settings state window_size in_flight rate queue last_error seen_at",
    ),
    "route": _shape(
        "route",
        "prefix carrier_id",
        "prefix carrier_id priority weight on_unknown sender",
        "id name prefix carrier priority weight on_unknown sender carrier_id",
        "prefix, priority, carrier_id",
    ),
}


def _stored(value: object) -> object:
    return msgspec.json.encode(value).decode() if isinstance(value, Mapping) else value


def _shown(column: str, value: object) -> object:
    if column in _FLAGS:
        return bool(value)
    if column == "settings":
        assert isinstance(value, str)
        return msgspec.json.decode(value, type=dict[str, str])
    return value


class RegistryTables:
    """See flow/ports `Registry`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, kind: Kind, fields: Record) -> bool:
        shape = _SHAPES[kind]
        columns = _allowed(fields, shape.written)
        marks = ", ".join(f"${i}" for i in range(1, len(columns) + 1))
        text = (
            f"INSERT INTO {shape.table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - names of the table above
            f" ON CONFLICT DO NOTHING RETURNING 1"
        )
        return bool(await self._session.raw(text, *(_stored(fields[column]) for column in columns)))

    async def find(self, kind: Kind, where: Record) -> list[Record]:
        shape = _SHAPES[kind]
        terms, values = _terms(_allowed(where, frozenset(shape.shown)), where, 1)
        text = (
            f"SELECT {', '.join(shape.shown)} FROM ({_SQL[f'show_{kind}'].sqlite}) AS found"  # noqa: S608 - as above
            f"{' WHERE ' if terms else ''}{terms} ORDER BY {shape.order}"
        )
        return [self._record(shape, row) for row in await self._session.raw(text, *values)]

    @staticmethod
    def _record(shape: _Shape, row: Row) -> Record:
        return {column: _shown(column, value) for column, value in zip(shape.shown, row, strict=True)}

    async def change(self, kind: Kind, record: Record, fields: Record) -> None:
        shape = _SHAPES[kind]
        columns = _allowed(fields, shape.written)
        if not columns:
            return
        sets = ", ".join(f"{column} = ${i}" for i, column in enumerate(columns, 1))
        terms, values = _terms(shape.key, record, len(columns) + 1)
        text = f"UPDATE {shape.table} SET {sets} WHERE {terms}"  # noqa: S608 - as above
        await self._session.raw(text, *(_stored(fields[column]) for column in columns), *values)

    async def remove(self, kind: Kind, record: Record) -> None:
        if kind == "carrier":
            await self._session.rows(_SQL["remove_routes"], record["id"])
            await self._session.rows(_SQL["remove_carrier"], record["id"])
            return
        shape = _SHAPES[kind]
        terms, values = _terms(shape.key, record, 1)
        await self._session.raw(f"DELETE FROM {shape.table} WHERE {terms}", *values)  # noqa: S608 - as above

    async def open_boxes(self, user_ids: Sequence[int]) -> None:
        boxes = [(box_id, abs(box_id)) for user_id in user_ids for box_id in (user_id, -user_id)]
        await self._session.bulk(_SQL["open_boxes"], boxes)

    async def accept_clock(self) -> None:
        await self._session.rows(_CLOCK)


def _allowed(fields: Record, columns: frozenset[str]) -> tuple[str, ...]:
    unknown = set(fields) - columns
    if unknown:
        raise KeyError(f"no such column: {', '.join(sorted(unknown))}")
    return tuple(fields)


def _terms(columns: tuple[str, ...], values: Record, first: int) -> tuple[str, list[object]]:
    """Conditions joined by AND, with marks counted from `first`; None asks for NULL."""
    terms: list[str] = []
    given: list[object] = []
    for column in columns:
        if values[column] is None:
            terms.append(f"{column} IS NULL")
        else:
            terms.append(f"{column} = ${first + len(given)}")
            given.append(values[column])
    return " AND ".join(terms), given
