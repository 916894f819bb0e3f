"""What a poll, a send and a log-in cost with a thousand users, and with a million, each in a store of its own.

The same number of users is active in both, spread over all, each of a customer of its own. For log-ins a new server is
started each time, and nobody logs in twice. Refuses answers of another size, and sends that are not accepted.
"""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice

from bench.crowd import crowd
from bench.databases import Database
from bench.fill import Mailbox, fill
from bench.load import Load
from bench.measure import measured, megabytes
from bench.process import Server
from bench.results import Figure, costs, figure, rates
from bench.scenarios.polls import KINDS, PAGE, check_answer, page_paths
from bench.scenarios.run import (
    Contender,
    Outcome,
    Run,
    Samples,
    Scenario,
    alternate,
    polling,
    same_answers,
    sample,
)
from bench.scenarios.sending import TEXTS, Call, credentials, ours, send_by
from bench.server import ALL_MESSAGES, Answer, get, numbers_and_carrier, poll_path, serving
from bench.texts import encoded

SMALL = 1_000
ACTIVE = 100
MESSAGES = 400
# As many as the active ones and a thousand users leave, and argon2 lets one core do.
LOGINS_A_SECOND, FEWEST_LOGINS, AT_ONCE = 30, 40, 8
LONG_AGO = 1_700_000_000
AT_MOST = 1.2
MESSAGES_A_SECOND = "1"
STORES = ("sqlite", "postgres")


@dataclass(frozen=True, slots=True)
class _Crowd:
    """A store with so many users, and the mailboxes of the active ones by their place among all."""

    users: int
    database: Database
    mailboxes: dict[int, Mailbox]

    def name(self, kind: str) -> str:
        return f"{kind}, {self.users:,} users"


def _places(users: int, count: int) -> list[int]:
    """So many of the users, spread over all."""
    return list(range(0, users, users // count))


def _filled(run: Run, store: str, users: int, stack: contextlib.ExitStack) -> _Crowd:
    run.tell(f"{users:,} users on {store}")
    database = stack.enter_context(run.shelf.database(store))
    first = crowd(database, users)
    places = _places(users, ACTIVE)
    filled = fill(database, [first + place for place in places], MESSAGES, run.now())
    numbers_and_carrier(database, throughput=MESSAGES_A_SECOND)
    return _Crowd(users, database, dict(zip(places, filled, strict=True)))


def _polling(run: Run, kind: str, one: _Crowd, server: Server) -> Contender:
    paths = page_paths(kind, one.mailboxes)
    for path in paths:
        check_answer(server, path, 0 if kind == "empty" else PAGE)
    return polling(run, one.name(f"{kind} poll"), server, paths, one.database)


def _sending(run: Run, one: _Crowd, server: Server) -> Contender:
    """Texts of all active users by turns."""
    texts = encoded(TEXTS).split()
    users = islice(cycle(one.mailboxes), TEXTS)
    file = run.new_folder() / "texts"
    file.write_text("".join(f"{text}&{credentials(user)}\n" for text, user in zip(texts, users, strict=True)))
    call: Call = ours("encoding=auto")

    def load(seconds: float) -> Load:
        return send_by(run, call, server.url, file, seconds)

    return Contender(one.name("sends"), load, [server.pid, *one.database.processes])


def _active(run: Run, store: str, crowds: list[_Crowd]) -> tuple[Samples, list[float]]:
    """Polls and sends of the active users; the servers' memory after them."""
    samples: Samples = {}
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(serving(one.database, run.new_folder() / "log")) for one in crowds]
        pairs = list(zip(crowds, servers, strict=True))
        for kind in KINDS:
            contenders = [_polling(run, kind, *pair) for pair in pairs]
            samples |= alternate(run, contenders, f"{kind} poll on {store}")
        samples |= alternate(run, [_sending(run, *pair) for pair in pairs], f"sends accepted on {store}")
        memory = [megabytes(server.pid) for server in servers]
    return samples, memory


def _logins(run: Run, store: str, crowds: list[_Crowd]) -> tuple[Samples, list[list[float]]]:
    """Log-ins, each the first of its user, and the memory of each crowd's servers after them."""
    samples: Samples = {one.name("log-ins"): [] for one in crowds}
    memory: list[list[float]] = [[] for _ in crowds]
    count = max(FEWEST_LOGINS, round(LOGINS_A_SECOND * run.seconds))
    for number in range(1, run.rounds + 1):
        for one, megabytes_after in zip(crowds, memory, strict=True):
            run.tell(f"log-ins on {store}: round {number} of {run.rounds}, {one.users:,} users")
            with serving(one.database, run.new_folder() / "log") as server:
                first, *paths = _login_paths(one, count + 1)
                answer = get(server.url, first)
                done = measured(
                    partial(_log_in, server, paths, answer), [server.pid, *one.database.processes]
                )
                megabytes_after.append(megabytes(server.pid))
            samples[one.name("log-ins")].append(sample(done, count))
    return samples, memory


def _login_paths(one: _Crowd, count: int) -> list[str]:
    """Empty polls of so many users who are not active, spread over all."""
    places = [place for place in _places(one.users, 2 * count) if place not in one.mailboxes]
    return [poll_path(ALL_MESSAGES, place, LONG_AGO) for place in places[:count]]


def _log_in(server: Server, paths: list[str], wanted: Answer) -> Load:
    """All of them, a few at a time; each answered as wanted. Raises `Faulty`."""
    begun = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(partial(get, server.url), paths))
    for answer in answers:
        same_answers(answer, wanted)
    size = sum(len(answer.head) + len(answer.body) for answer in answers)
    return Load(len(answers), size, time.monotonic() - begun, 0.0, 0.0, 0, len(answers))


def _run(run: Run, store: str) -> Outcome:
    with contextlib.ExitStack() as stack:
        crowds = [_filled(run, store, users, stack) for users in (SMALL, run.million)]
        samples, memory = _active(run, store, crowds)
        logins, memories = _logins(run, store, crowds)
    samples |= logins
    small, large = crowds
    figures: list[Figure] = []
    for kind in (*(f"{kind} poll" for kind in KINDS), "sends", "log-ins"):
        few, many = samples[small.name(kind)], samples[large.name(kind)]
        name = f"{kind}, {large.users:,} users: cost with {small.users:,}"
        figures += [rates(small.name(kind), few), costs(name, many, few, at_most=AT_MOST)]
    after = [many / few for few, many in zip(*memories, strict=True)]
    name = f"memory, {large.users:,} users: of that with {small.users:,}"
    figures += [
        figure(f"{name}, after polls and sends", "×", [memory[1] / memory[0]], at_most=AT_MOST),
        figure(f"{name}, after log-ins", "×", after, at_most=AT_MOST),
    ]
    return Outcome(figures, samples)


SCENARIOS = [
    Scenario(
        f"users-{store}",
        f"polls, sends and log-ins with a million users against a thousand, on {store}",
        partial(_run, store=store),
    )
    for store in STORES
]
