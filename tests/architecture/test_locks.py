"""The lock files: every version pinned, every download hashed, and no word about where it comes from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
PIN = re.compile(r"(?P<name>[a-z0-9-]+)==[0-9][^ ;]*( ; [^\\]+)?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def requirements(lock: Path) -> list[list[str]]:
    """Each requirement as its pin followed by its hashes."""
    joined = lock.read_text().replace("\\\n", "")
    return [re.split(r" +(?=--hash)", line.strip()) for line in joined.splitlines() if line.strip()]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_holds_pins_and_hashes_and_nothing_else(lock: Path) -> None:
    for pin, *hashes in requirements(lock):
        assert PIN.fullmatch(pin), pin
        assert hashes, pin
        assert all(HASH.fullmatch(value) for value in hashes), pin


@pytest.mark.parametrize(("lock", "group"), [("runtime", None), ("dev", "dev"), ("bench", "bench")])
def test_a_lock_names_all_that_the_project_asks_for(lock: str, group: str | None) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + (project["dependency-groups"][group] if group else [])
    names = {re.split(r"[^a-z0-9-]", requirement)[0] for requirement in wanted}
    pinned = {pin.split("==")[0] for pin, *_ in requirements(ROOT / "requirements" / f"{lock}.lock")}
    assert names - pinned == set()
