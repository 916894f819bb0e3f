"""What the arena of the fuzzers makes of a fuzzer that fails."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from faults.fuzz.arena import Arena
from faults.run import Ground


class _Failing:
    """Fails once, in a way that is no finding."""

    name = "fuzz-failing"

    async def prepare(self, _server: object) -> None: ...

    async def fuzz(self) -> int:
        raise RuntimeError("write after the end")

    async def honest(self) -> int:
        return 1


def test_a_fuzzer_that_fails_itself_ends_the_run(tmp_path: Path) -> None:
    """Such failures once went by unseen: what it was about to hear was not judged."""
    arena = Arena(Ground("sqlite://", tmp_path), _Failing(), 1, lambda _steps: None)
    with pytest.raises(ExceptionGroup) as failed:
        asyncio.run(arena._phase(3, fuzz=True))
    assert failed.group_contains(RuntimeError, match="write after the end")
