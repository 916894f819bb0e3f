"""The file in which a poller keeps how far it has come. Refuses a file of another user, box or program.

Written beside itself, flushed to disk and renamed, so that a crash leaves the old cursor or the new one.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from rejoinder.client.calls import Box
from rejoinder.client.errors import ClientError


class CursorFault(ClientError):
    """The cursor's file can't be read, can't be written, or is another poller's."""


class CursorFile:
    """One poller's file. Two processes with one file would take each other's place: give each its own."""

    def __init__(self, path: str | os.PathLike[str], username: str, box: Box) -> None:
        self._path = Path(path)
        self._owner = {"username": username, "box": box.value}

    def read(self, start: int) -> int:
        """The saved `since`; where there is no file yet, `start`, which is saved. Raises CursorFault."""
        try:
            held = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            # Or a first run that finds nothing would leave the second one to begin elsewhere.
            self.save(start)
            return start
        except (OSError, ValueError) as error:
            raise CursorFault(f"{self._path}: the cursor can't be read: {type(error).__name__}") from error
        if not isinstance(held, dict) or not isinstance(held.get("since"), int):
            raise CursorFault(f"{self._path}: this is no cursor")
        if {name: held.get(name) for name in self._owner} != self._owner:
            raise CursorFault(f"{self._path}: this is the cursor of another user or of another kind of poll")
        since: int = held["since"]
        return since

    def save(self, since: int) -> None:
        """On disk when this returns. Raises CursorFault."""
        beside = self._path.with_name(f"{self._path.name}.new")
        try:
            with beside.open("w", encoding="utf-8") as file:
                json.dump({**self._owner, "since": since}, file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise CursorFault(f"{self._path}: the cursor can't be saved: {error.strerror}") from error
