"""Push settings as the operator writes them, and the queue of pushes as he sees and replays it.

Refuses settings that could not be used. A new secret keeps the one before, so that receivers can change over: both
sign until the older is dropped. Secrets are never shown.
"""

from __future__ import annotations

from collections.abc import Mapping

from rejoinder.errors import NotFound, Refused
from rejoinder.flow.ports import Push, Record, Store, Tables, Tx
from rejoinder.flow.push_settings import (
    MO_NAMES,
    MOST_SECRETS,
    STATUS_NAMES,
    PushSetting,
    checked,
    read,
    written,
)

PAGE = 500
# A key of `set`, its column, and what its templates may hold.
_SETTINGS = (("push", "mo_push", MO_NAMES), ("status_push", "final_status_push", STATUS_NAMES))
_MORE = ("method", "secret", "old_secret")
PUSH_KEYS = ("push", *(f"push_{one}" for one in _MORE))
STATUS_PUSH_KEYS = ("status_push", *(f"status_push_{one}" for one in _MORE))


def with_columns(record: Record, changes: Mapping[str, object]) -> dict[str, object]:
    """The changes with push keys turned into the columns they come to. Raises Refused."""
    columns = {key: value for key, value in changes.items() if key not in PUSH_KEYS + STATUS_PUSH_KEYS}
    for key, column, names in _SETTINGS:
        given = {
            name: str(changes[name]) for name in (key, *(f"{key}_{one}" for one in _MORE)) if name in changes
        }
        if given:
            columns[column] = written(_changed(key, read(str(record[column])), given, names))
    return columns


def _changed(
    key: str, before: PushSetting | None, given: Mapping[str, str], names: tuple[str, ...]
) -> PushSetting | None:
    url = given.get(key, before.url if before else "")
    if not url:
        if key in given and len(given) == 1:
            return None
        raise Refused(f"{key} must be given first: the URL that pushes go to", key)
    method = given.get(f"{key}_method", before.method if before else "GET").upper()
    setting = PushSetting(url, method, _secrets(key, before.secrets if before else (), given))
    try:
        return checked(setting, names)
    except ValueError as error:
        raise Refused(f"{key} {error}", key) from None


def _secrets(key: str, before: tuple[str, ...], given: Mapping[str, str]) -> tuple[str, ...]:
    secrets = before
    new, old = given.get(f"{key}_secret"), given.get(f"{key}_old_secret")
    if new is not None and new not in secrets[:1]:
        secrets = (new, *secrets)[:MOST_SECRETS] if new else ()
    if old is not None:
        if old:
            raise Refused(f"{key}_old_secret can only be emptied: the older secret then signs no more", key)
        secrets = secrets[:1]
    return secrets


async def all_pushes(tables: Tables, parked: bool) -> list[Push]:
    """Every push that waits, or every parked one, in the order in which they were queued."""
    found: list[Push] = []
    while page := await tables.pushes.listed(found[-1].id if found else 0, PAGE, parked):
        found += page
    return found


async def replay(store: Store, now: int, push_id: int | None, target: str | None) -> int:
    """Starts a parked push anew, or all of a target, or (neither) all there are; says how many. Raises NotFound."""
    if push_id is not None:
        count = await store.write(lambda tx: tx.pushes.replay([push_id], now))
        if not count:
            raise NotFound(f"no parked push has the id {push_id}", "id")
        return count
    done, after = 0, 0
    # A transaction a page: a hundred thousand parked pushes do not stop the others.
    while page := await store.read.pushes.listed(after, PAGE, True):
        after = page[-1].id
        ids = [push.id for push in page if target is None or push.queued.target == target]
        done += await store.write(lambda tx, some=ids: _replay(tx, some, now))  # type: ignore[misc]  # binds the loop's value
    if target is not None and not done:
        raise NotFound(f"no parked push has the target {target}", "target")
    return done


async def _replay(tx: Tx, ids: list[int], now: int) -> int:
    return await tx.pushes.replay(ids, now) if ids else 0


def without_secrets(stored: str) -> str:
    """A setting for a person's eyes: method, URL, and how many secrets there are."""
    setting = read(stored)
    if setting is None:
        return ""
    count = len(setting.secrets)
    secrets = f" ({count} secret{'s' if count > 1 else ''})" if count else ""
    return f"{setting.method} {setting.url}{secrets}"
