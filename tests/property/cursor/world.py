"""The world that the rules of contract §3 must stand in, one step at a time.

Everything may happen that can: clocks step, servers crash, answers get lost, retention deletes, a backup is
put back, and the steps of writers and pollers fall between each other in every way. Each step is judged by
promise.py. Refuses nothing: `World.steps` gives what is possible.
"""

from __future__ import annotations

from tests.property.cursor.model import Box, Message
from tests.property.cursor.pollers import Pollers, Step, Steps
from tests.property.cursor.promise import owe
from tests.property.cursor.state import (
    State,
    Work,
    left_with,
    pruned,
    with_item,
    with_poll,
    without_phantoms,
)


class World(Pollers):
    """All that can happen under `rules` within `scope`."""

    def steps(self, s: State) -> Steps:
        """Every step from here: its name, the state after it, and how it broke the promise, if it did."""
        return self._watched(self._steps(s)) if self.scope.every_moment else self._steps(s)

    def _steps(self, s: State) -> Steps:
        for place, client in enumerate(s.clients):
            if client.poll is None:
                yield from self._begins(s, place)
            elif client.poll.stage == "lock":
                yield from self._looks_again(s, place, client.poll)
            elif client.poll.stage != "commit":
                yield from self._reads(s, place, client.poll)
        yield from self._stores(s)
        for place, work in enumerate(s.works):
            yield from self._locks_to_store(s, place, work) if work.bundle else self._commits(s, place, work)
        yield from self._happens(s)

    # -- clocks, crashes, retention, restores -----------------------------------------------------------------

    def _happens(self, s: State) -> Steps:
        if not self.scope.any_time:
            for second in self.scope.clock:
                if second == s.now + 1 or (self.scope.steps_back and second == s.now - 1):
                    yield ("the clock shows", second), s._replace(now=second), None
        for process, held in enumerate(s.held):
            if held:
                yield (
                    ("2 s pass on process", process),
                    s._replace(held=with_item(s.held, process, False)),
                    None,
                )
            # Without open work a crash loses only polls, as if they had not begun, and holds.
            if self.scope.crashes and s.works:
                yield ("process crashes:", process), self._crash(s, process), None
        if self.scope.retention:
            yield from self._forgets(s)
        if self.scope.backups and s.backup is None:
            yield ("backup",), s._replace(backup=s.boxes), None
        elif s.backup:
            for now in self._readings(s):
                yield ("backup is put back at", now), self._restore(s, now), None

    def _crash(self, s: State, process: int) -> State:
        """Uncommitted work, polls under way and the memory of holds are gone. Process 0 has the writers."""
        starts = self.scope.clients
        works = tuple(
            work
            for work in s.works
            if (starts[work.answers[0][0]].process if work.answers and not work.added else 0) != process
        )
        for place, start in enumerate(starts):
            if start.process == process:
                s = with_poll(s, place, None)
        s = s._replace(works=works, held=with_item(s.held, process, False))
        return without_phantoms(s, self.scope)

    def _forgets(self, s: State) -> Steps:
        for place, box in enumerate(s.boxes):
            if box.messages and self._free(s, place):
                left = box.messages[1:]
                row = self.rules.after_retention(box.row, left)
                after = s._replace(boxes=with_item(s.boxes, place, box._replace(row=row)))
                after = left_with(after, self.scope, place, left)
                yield ("retention deletes", box.messages[0]), pruned(after, self.scope, place), None

    def _restore(self, s: State, now: int) -> State:
        """Rule 8. What was stored after the backup is lost, and nobody is owed it."""
        boxes = []
        for box in s.backup or ():
            row = box.row
            if self.rules.moves_mailboxes_ahead and (row.last >= now or row.sealed >= now):
                row = row._replace(sealed=max(row.last, row.sealed) + self.scope.leap)
            boxes.append(box._replace(row=row))
        clients = tuple(client._replace(poll=None) for client in s.clients)
        floor = now + self.scope.leap if self.rules.lifts_floor else s.floor
        restored = State(s.now, tuple(boxes), (), clients, (False,) * len(s.held), floor, ())
        return without_phantoms(restored, self.scope)

    # -- writers ------------------------------------------------------------------------------------------------

    def _room(self, s: State) -> int:
        """How many more messages this world may have."""
        begun = sum(box.made for box in s.boxes) + sum(len(w.added) + len(w.bundle) for w in s.works)
        room = self.scope.messages - begun
        if s.backup:
            room = min(room, self.scope.after_backup - begun + sum(box.made for box in s.backup))
        return room

    def _stores(self, s: State) -> Steps:
        """A writer opens a transaction, or joins the one that is open (group commit)."""
        room = self._room(s)
        for bundle in self.scope.bundles:
            if len(bundle) > room:
                continue
            if self.scope.group_commit:
                work = s.works[0] if s.works else self._group(s)
                for now in self._readings(s):
                    filled = self._filled(s, work._replace(bundle=bundle), now)
                    yield ("store", bundle, "at", now), s._replace(works=(filled,)), None
            elif self.rules.writer_locks_first:
                opened = s._replace(works=(*s.works, Work(bundle, ())))
                yield from self._locks_to_store(opened, len(s.works), opened.works[-1])
            else:
                rows = tuple((box, s.boxes[box].row) for box in sorted({box for box, _ in bundle}))
                opened = s._replace(works=(*s.works, Work(bundle, (), stale=rows)))
                yield ("read rows", rows, "to store", bundle), opened, None

    def _locks_to_store(self, s: State, place: int, work: Work) -> Steps:
        """The next row is locked; with the last one the messages are inserted."""
        order = self.rules.lock_order([box for box, _ in work.bundle])
        box = order[len(work.rows)]
        if not self._free(s, box):
            return
        row = dict(work.stale).get(box, s.boxes[box].row)
        work = work._replace(rows=(*work.rows, (box, row)))
        if len(work.rows) < len(order):
            label = ("lock row", box, "to store", work.bundle)
            yield label, s._replace(works=with_item(s.works, place, work)), None
            return
        for now in self._readings(s):
            works = with_item(s.works, place, self._filled(s, work, now))
            yield ("lock, store", work.bundle, "at", now), s._replace(works=works), None

    def _filled(self, s: State, work: Work, now: int) -> Work:
        rows, added = dict(work.rows), list(work.added)
        for box, incoming in work.bundle:
            rows[box] = self.rules.stamp(rows[box], now, s.floor, self.scope)
            number = s.boxes[box].made + sum(place == box for place, _ in added)
            added.append((box, Message(rows[box].last, number, incoming)))
        return Work((), tuple(rows.items()), tuple(added), work.answers)

    def _commits(self, s: State, place: int, work: Work) -> Steps:
        """The work is on disk; then each of its answers arrives or gets lost."""
        s = s._replace(works=s.works[:place] + s.works[place + 1 :])
        branches: list[Step] = [(("commit",), *self._stored(s, work))]
        for client, answer, now in work.answers:
            branches = [after for step in branches for after in self._answers(step, client, answer, now)]
        yield from branches

    def _stored(self, s: State, work: Work) -> tuple[State, str | None]:
        boxes, clients, broken = list(s.boxes), list(s.clients), None
        for place, changed in work.rows:
            new = tuple(m for box, m in work.added if box == place)
            old = boxes[place]
            # A writer sets `last` alone: a seal that it has not seen stays.
            row = changed._replace(sealed=max(changed.sealed, old.row.sealed))
            boxes[place] = Box(row, old.made + len(new), tuple(sorted(old.messages + new)))
            for who, start in enumerate(self.scope.clients):
                if start.box == place and new:
                    clients[who], lost = owe(clients[who], new, start.received_only)
                    broken = broken or lost
        s = s._replace(boxes=tuple(boxes), clients=tuple(clients))
        for place, _ in work.rows:
            s = pruned(s, self.scope, place)
        return s, broken
