"""A storm of connections is accepted in a few turns of the event loop, not one a turn."""

from __future__ import annotations

import asyncio
import socket

import uvloop

from rejoinder.endpoints.listen import ACCEPTS_A_TURN, BACKLOG, listen, often

STORM = 160


async def _turns_until_all_are_accepted(sockets: list[socket.socket]) -> int:
    loop = asyncio.get_running_loop()
    accepted: list[asyncio.BaseTransport] = []

    class Door(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            accepted.append(transport)

    address = sockets[0].getsockname()
    servers = [await loop.create_server(Door, sock=one, backlog=BACKLOG) for one in sockets]
    callers = [socket.create_connection(address, timeout=20) for _ in range(STORM)]
    turns = 0
    while len(accepted) < STORM:
        turns += 1
        await asyncio.sleep(0)
    for caller in callers:
        caller.close()
    for transport in accepted:
        transport.close()
    for server in servers:
        server.close()
    await asyncio.sleep(0)
    return turns


def test_a_storm_of_connections_is_accepted_many_a_turn() -> None:
    listener = listen("127.0.0.1", 0)
    turns = uvloop.run(_turns_until_all_are_accepted(often(listener)))
    assert turns <= 3 * STORM // ACCEPTS_A_TURN


def test_a_single_listening_socket_accepts_one_a_turn_which_is_why() -> None:
    listener = listen("127.0.0.1", 0)
    assert uvloop.run(_turns_until_all_are_accepted([listener])) > STORM // 2
