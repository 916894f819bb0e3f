"""Carriers and the routes to them.

Refuses settings that the carrier's kind refuses: the check is handed in, since only carriers/ knows the kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rejoinder.errors import Refused
from rejoinder.flow.operator import lookup
from rejoinder.flow.ports import Record, Tx

# Raises ConfigInvalid unless a carrier of this kind could work with these settings.
CheckSettings = Callable[[str, Mapping[str, str]], None]


async def add_carrier(
    tx: Tx, name: str, kind: str, settings: Mapping[str, str], check: CheckSettings
) -> Record:
    """Raises Refused, ConfigInvalid."""
    check(kind, settings)
    if not await tx.registry.add("carrier", {"name": name, "kind": kind, "settings": settings}):
        raise Refused(f"carrier {name!r} exists already", "name")
    (added,) = await tx.registry.find("carrier", {"name": name})
    return added


async def change_carrier(tx: Tx, name: str, changes: Mapping[str, object], check: CheckSettings) -> Record:
    """`changes`: name, and settings to be merged in (an empty value removes one). Raises NotFound, Refused."""
    carrier = await lookup.one(tx, "carrier", name)
    columns = dict(changes)
    given = columns.pop("settings", None)
    if isinstance(given, Mapping):
        settings = {key: value for key, value in {**carrier["settings"], **given}.items() if value}
        check(carrier["kind"], settings)
        columns["settings"] = settings
    renamed = columns.get("name", carrier["name"])
    if renamed != carrier["name"] and await tx.registry.find("carrier", {"name": renamed}):
        raise Refused(f"carrier {renamed!r} exists already", "name")
    await tx.registry.change("carrier", carrier, columns)
    (changed,) = await tx.registry.find("carrier", {"id": carrier["id"]})
    return changed


async def add_route(tx: Tx, prefix: str, carrier: str, settings: Mapping[str, object]) -> Record:
    """Messages to numbers that begin with `prefix` may go to this carrier. Raises NotFound, Refused.

    `settings`: priority, weight, on_unknown.
    """
    target = await lookup.one(tx, "carrier", carrier)
    key = {"prefix": prefix, "carrier_id": target["id"]}
    if not await tx.registry.add("route", {**key, **settings}):
        raise Refused(f"this prefix has a route to carrier {target['name']!r} already", "prefix")
    (added,) = await tx.registry.find("route", key)
    return added


async def change_route(tx: Tx, name: str, changes: Mapping[str, object]) -> Record:
    """`name`: PREFIX or PREFIX/CARRIER; `changes`: priority, weight, on_unknown. Raises NotFound, Refused."""
    route = await lookup.one(tx, "route", name)
    await tx.registry.change("route", route, changes)
    (changed,) = await tx.registry.find("route", {"id": route["id"]})
    return changed
