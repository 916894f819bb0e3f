"""Empty polls and polls of 100 messages against nginx serving the same bytes to the same requests.

Fifty users with a thousand messages each take turns, so that neither the cursor nor the page is always the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import msgspec

from bench import nginx
from bench.fill import Mailbox, fill
from bench.load import Faulty
from bench.process import Server
from bench.results import Figure, rates, ratios
from bench.scenarios.run import Outcome, Run, Samples, Scenario, alternate, polling
from bench.server import ALL_MESSAGES, accounts, get, poll_path, serving

USERS = 50
COUNT = 1_000
PAGE = 100
# What has to be reached, of nginx's requests per CPU-second: (empty, 100 messages).
TO_REACH = {"sqlite": (0.60, 0.08), "postgres": (0.12, 0.045)}
KINDS = ("empty", "100 messages")


def page_paths(kind: str, mailboxes: Mapping[int, Mailbox]) -> list[str]:
    """The polls of these users, by their place, that are answered by nothing, or by 100 messages with more to come."""
    return [
        poll_path(ALL_MESSAGES, place, mailbox.last if kind == "empty" else mailbox.since(2 * (turn % 100)))
        for turn, (place, mailbox) in enumerate(mailboxes.items())
    ]


def check_answer(server: Server, path: str, messages: int) -> None:
    """Raise `Faulty` unless the poll is answered by so many messages."""
    answer = msgspec.json.decode(get(server.url, path).body)
    found = len(answer["incomingMessages"]) + len(answer["outgoingMessages"])
    if answer["status"] != 0 or found != messages or answer["hasMoreMessages"] is not bool(messages):
        raise Faulty(f"{path.partition('?')[0]} answered {found} messages, status {answer['status']}")


def _run(run: Run, store: str) -> Outcome:
    samples: Samples = {}
    with run.shelf.database(store) as database:
        run.tell(f"filling {USERS} mailboxes on {store}")
        mailboxes = fill(database, accounts(database, USERS), COUNT, run.now())
        with serving(database, run.new_folder() / "log") as server:
            for kind in KINDS:
                paths = page_paths(kind, dict(enumerate(mailboxes)))
                for path in paths:
                    check_answer(server, path, 0 if kind == "empty" else PAGE)
                contenders = [polling(run, f"ours, {kind}", server, paths, database)]
                if run.nginx is None:
                    samples |= alternate(run, contenders, f"{kind} poll on {store}")
                    continue
                body = get(server.url, paths[0]).body
                with nginx.serving(run.nginx, run.new_folder(), ALL_MESSAGES, body) as static:
                    contenders.insert(0, polling(run, f"nginx, {kind}", static, paths))
                    samples |= alternate(run, contenders, f"{kind} poll on {store}")
    return Outcome([figure for kind in KINDS for figure in _figures(store, kind, samples)], samples)


def _figures(store: str, kind: str, samples: Samples) -> list[Figure]:
    ours, theirs = samples[f"ours, {kind}"], samples.get(f"nginx, {kind}")
    if theirs is None:
        return [rates(f"{kind} poll", ours)]
    at_least = TO_REACH[store][KINDS.index(kind)]
    return [
        ratios(f"{kind} poll, of nginx", ours, theirs, at_least=at_least),
        rates(f"{kind} poll", ours),
        rates(f"{kind} poll, nginx", theirs),
    ]


SCENARIOS = [
    Scenario(
        f"polls-{store}",
        f"allMessages on {store}: an empty poll and one of 100 messages, against nginx serving the same bytes",
        partial(_run, store=store),
    )
    for store in TO_REACH
]
