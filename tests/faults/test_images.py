"""Images of a disk after a power cut: what was synced always stands, what was not stands, falls or is torn."""

from __future__ import annotations

import random

from faults.disk.images import SECTOR, Disk, Record

SYNCED, LATER = b"a" * 1024, b"b" * 1024


def disk() -> Disk:
    made = Disk()
    for record in (
        Record("w", "f", 0, len(SYNCED), SYNCED, 0),
        Record("s", "f", 0, 0, b"", 0),
        Record("w", "f", 0, len(LATER), LATER, 0),
    ):
        made.take(record)
    return made


def test_an_unsynced_write_is_dropped_kept_or_torn_at_a_sector_and_nothing_else() -> None:
    draw = random.Random(1)
    found = {disk().image(draw)["f"] for _ in range(200)}
    torn = LATER[:SECTOR] + SYNCED[SECTOR:]
    assert found == {SYNCED, LATER, torn}


def test_a_truncation_waits_for_its_sync_too() -> None:
    made = disk()
    made.take(Record("s", "f", 0, 0, b"", 0))
    made.take(Record("t", "f", 0, 10, b"", 0))
    draw = random.Random(1)
    assert {len(made.image(draw)["f"]) for _ in range(50)} == {10, 1024}
    made.take(Record("s", "f", 0, 0, b"", 0))
    assert {len(made.image(draw)["f"]) for _ in range(50)} == {10}
