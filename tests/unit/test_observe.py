"""Log lines cost nobody an answer."""

from __future__ import annotations

import errno
import sys
from typing import Any

import pytest
import structlog

from rejoinder.observe import configure_logging, log


class Broken:
    """A stderr on a full disk, or a pipe whose reader has gone, or closed."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def write(self, _text: str) -> int:
        raise self._error

    def flush(self) -> None:
        raise self._error


@pytest.fixture
def logging_set_up() -> Any:
    configure_logging()
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "no space"), BrokenPipeError(), ValueError("closed")],
    ids=["full disk", "broken pipe", "closed"],
)
@pytest.mark.usefixtures("logging_set_up")
def test_a_line_that_can_not_be_written_is_dropped(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """The first refusal of an overload on a full disk ended the event loop."""
    monkeypatch.setattr(sys, "stderr", Broken(error))
    log.warning("overloaded", count=1)
