"""rejoinder smsc: a simulated SMSC for people who test their own clients."""

from __future__ import annotations

import asyncio
import tempfile
from typing import TYPE_CHECKING

import click

from rejoinder.cli.call import Refusal, example, pairs, refusals
from rejoinder.cli.networks import check_settings
from rejoinder.errors import ConfigInvalid
from rejoinder.flow.operator import fields, smpp, starter
from rejoinder.flow.passwords import hash_password
from rejoinder.flow.ports import Tx

if TYPE_CHECKING:
    from rejoinder.config import Config

USERNAME = "smsc@starter"
# Nothing in its way unless it is asked for.
_LIMITS = {"max_binds": 100, "window_size": 1000, "throughput": 0}
# The server's settings by the options that they are given with here.
_OPTIONS = {"listen": "--http", "smpp_listen": "--listen"}


@click.command(
    epilog=example(
        "rejoinder smsc",
        "rejoinder smsc --reply 'You said: {{text}}' --delay 2 --throughput 10",
        "rejoinder smsc --set reject_percent=5 --set number.61255588885.receipts=never",
    )
)
@click.option(
    "--listen", metavar="HOST:PORT", default="127.0.0.1:2775", show_default=True, help="Port 0: a free one."
)
@click.option("--system-id", metavar="S", default="smsc", show_default=True, help="The name to bind with.")
@click.option("--password", metavar="P", default="secret", show_default=True, help="Its password.")
@click.option(
    "--reply", metavar="TEXT", help="What every handset answers; {{text}} is what it got. Default: nothing."
)
@click.option(
    "--delay", metavar="SECONDS", help="Until a handset has a message: its receipt and its reply (0)."
)
@click.option("--receipts", metavar="after|before|twice|never", help="When receipts come (after the answer).")
@click.option("--throughput", type=int, metavar="N", help="Submits a second; more are throttled (no limit).")
@click.option(
    "--window", type=int, metavar="N", help="Submits under way on a bind; more are throttled (1000)."
)
@click.option("--alphabet", type=click.Choice(smpp.ALPHABETS), help="What data_coding 0 means (gsm).")
@click.option(
    "--long-mo", type=click.Choice(smpp.LONG_MO), help="A long reply comes in parts, or whole (parts)."
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any setting of the simulator.")
@click.option(
    "--http", metavar="HOST:PORT", default="127.0.0.1:0", help="Where its HTTP API listens (a free port)."
)
@click.option("--tls-cert", metavar="FILE", help="A certificate (PEM): it then speaks TLS only.")
@click.option("--tls-key", metavar="FILE", help="The certificate's key, where it is another file.")
def smsc(
    listen: str, system_id: str, password: str, settings: tuple[str, ...], **given: str | int | None
) -> None:
    """Run a simulated SMSC to test your own SMPP client against, until Ctrl-C.

    It takes every sender and every recipient, costs nothing, and keeps nothing: what was stored is gone when it
    ends. The answers, the receipts and the limits are those of the real server.
    """
    from rejoinder import app

    with refusals(), tempfile.TemporaryDirectory(prefix="rejoinder-smsc-") as folder:
        url = f"sqlite:///{folder}/smsc.db"
        account = _account(system_id, password, given)
        network = {fields.snake_case(key): value for key, value in pairs(settings) if value}
        network |= {key: str(given[key]) for key in ("reply", "delay", "receipts") if given[key] is not None}
        overrides = {"database": url, "listen": given["http"], "smpp_listen": listen}
        overrides |= {f"smpp_{key}": given[key] for key in ("tls_cert", "tls_key")}
        config = _config(overrides)
        asyncio.run(_prepare(url, account, network))
        click.echo(f"Bind with system_id {system_id} and password {password}; Ctrl-C ends it.")
        app.run(config)


def _config(overrides: dict[str, str | int | None]) -> Config:
    """The server's settings. Raises ConfigInvalid, Refusal: under the option's name, where it has another one."""
    from rejoinder.config import load

    try:
        return load(None, overrides)
    except ConfigInvalid as error:
        if error.parameter not in _OPTIONS:
            raise
        raise Refusal(error.sentence.replace(error.parameter, _OPTIONS[error.parameter], 1)) from error


def _account(system_id: str, password: str, given: dict[str, str | int | None]) -> dict[str, object]:
    """The columns of the one SMPP account."""
    columns: dict[str, object] = {
        **_LIMITS,
        "system_id": smpp.system_id("--system-id", system_id),
        "password_hash": hash_password(smpp.password("--password", password)),
    }
    for option, column in (("throughput", "throughput"), ("window", "window_size")):
        number = given[option]
        if isinstance(number, int):
            columns[column] = smpp.within(column, f"--{option}", number)
    for option, column in (("alphabet", "default_alphabet"), ("long_mo", "long_mo")):
        if given[option] is not None:
            columns[column] = given[option]
    return columns


async def _prepare(url: str, account: dict[str, object], network: dict[str, str]) -> None:
    """Makes the database with the account and the network. Raises ConfigInvalid, Refused."""
    from rejoinder.clock import SystemClock
    from rejoinder.flow.operator.accounts import changing
    from rejoinder.store import open_store

    async def made(tx: Tx) -> None:
        await starter.set_up(
            tx, USERNAME, starter.Network("simulator", network, check_settings), clock.wall_us()
        )
        await starter.any_sender(tx)
        await smpp.put_account(tx, USERNAME, account)

    clock = SystemClock()
    store = await open_store(url, clock)
    try:
        await changing(store, made)
    finally:
        await store.close()
