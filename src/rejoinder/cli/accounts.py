"""rejoinder reseller, customer, user."""

from __future__ import annotations

import click

from rejoinder.cli.call import Call, example, on_database
from rejoinder.cli.kinds import BILLING, ROTATION, Credits, customer_option
from rejoinder.cli.nouns import Filter, Noun, add_common
from rejoinder.cli.passwords import with_password
from rejoinder.cli.smpp_accounts import user_smpp
from rejoinder.flow.operator import accounts, lookup, values
from rejoinder.flow.operator.accounts import NewCustomer, NewReseller, NewUser
from rejoinder.flow.ports import Record, Tx


@click.group()
def reseller() -> None:
    """Resellers: whom you sell to; each has customers."""


@click.group()
def customer() -> None:
    """Customers of resellers: they own credits and numbers."""


@click.group()
def user() -> None:
    """Users of customers: they call the API, each has a mailbox."""


@reseller.command("add", epilog=example("rejoinder reseller add acme --password s3cret --credits 10000"))
@click.argument("name")
@click.option("--billing", type=BILLING, default="pre_paid", show_default=True)
@click.option("--credits", "amount", type=Credits(), default="0", help="From the operator's account.")
@click.option("--free-credits", type=Credits(), default="0", help="What a new customer of it may be granted.")
@click.option("--default-customer-billing", type=BILLING, default="pre_paid", show_default=True)
@click.option("--require-activation", is_flag=True, help="Users it creates over the API start inactive.")
@on_database
@with_password
def add_reseller(
    call: Call,
    name: str,
    password_hash: str,
    billing: str,
    amount: int,
    free_credits: int,
    default_customer_billing: str,
    require_activation: bool,
) -> None:
    """Add a reseller."""
    new = NewReseller(
        name=values.reseller_name("name", name),
        password_hash=password_hash,
        billing=billing,
        credits=amount,
        free_credits=free_credits,
        default_customer_billing=default_customer_billing,
        require_activation=require_activation,
    )
    call.done("reseller", call.change(lambda tx, now: accounts.add_reseller(tx, new, now)), "added {}")


@customer.command("add", epilog=example("rejoinder customer add shop --reseller acme --credits 500"))
@click.argument("name")
@click.option("--reseller", "owner", required=True, metavar="NAME")
@click.option("--billing", type=BILLING, default="pre_paid", show_default=True)
@click.option("--credits", "amount", type=Credits(), default="0", help="From the operator's account.")
@click.option("--rotation", type=ROTATION, default="max_rotation", show_default=True)
@on_database
def add_customer(call: Call, name: str, owner: str, billing: str, amount: int, rotation: str) -> None:
    """Add a customer to a reseller."""
    new = NewCustomer(name=values.name("name", name), billing=billing, credits=amount, rotation=rotation)

    async def added(tx: Tx, now: int) -> Record:
        return await accounts.add_customer(tx, await lookup.one(tx, "reseller", owner), new, now)

    call.done("customer", call.change(added), "added {}")


@user.command("add", epilog=example("rejoinder user add 1234321@acme --customer shop --password s3cret"))
@click.argument("username")
@customer_option()
@click.option("--inactive", is_flag=True, help="Not to be used before `rejoinder user activate`.")
@on_database
@with_password
def add_user(
    call: Call,
    username: str,
    customer: str,
    password_hash: str,
    inactive: bool,
) -> None:
    """Add a user, with its mailbox, to a customer."""
    new = NewUser(
        username=values.name("username", username),
        password_hash=password_hash,
        activated=not inactive,
    )

    async def added(tx: Tx, now: int) -> Record:
        return await accounts.add_user(tx, await lookup.one(tx, "customer", customer), new, now)

    call.done("user", call.change(added), "added {}")


# Beside the others of `user`; its options are many.
user.add_command(user_smpp)


@reseller.command("password", epilog=example("rejoinder reseller password acme"))
@click.argument("name")
@on_database
@with_password
def reseller_password(call: Call, name: str, password_hash: str) -> None:
    """Give a reseller a new password."""
    columns = {"password_hash": password_hash}
    changed = call.change(lambda tx, _: accounts.change_reseller(tx, name, columns))
    call.done("reseller", changed, "{} has a new password")


@user.command("password", epilog=example("rejoinder user password 1234321@acme --password-file secret.txt"))
@click.argument("username")
@on_database
@with_password
def user_password(call: Call, username: str, password_hash: str) -> None:
    """Give a user a new password, which is never an expired one."""
    columns = {"password_hash": password_hash, "password_expired": False}
    changed = call.change(lambda tx, _: accounts.change_user(tx, username, columns))
    call.done("user", changed, "{} has a new password")


# For each word: what the user is then, the column and its value.
_SWITCHES = {
    "activate": ("activated", "activated", True, "Let a user that was added inactive use the API."),
    "block": ("blocked", "blocked", True, "Block a user; unblock takes it back."),
    "unblock": ("unblocked", "blocked", False, "Take a block back."),
    "expire-password": (
        "without a valid password until it gets a new one",
        "password_expired",
        True,
        "Refuse a user's password from now on, until it gets a new one.",
    ),
    "disable": ("disabled", "disabled", True, "Disable a user; enable takes it back."),
    "enable": ("enabled", "disabled", False, "Enable a user that was disabled."),
}


def _add_switch(word: str, done: str, column: str, value: bool, sentence: str) -> None:
    @user.command(word, help=sentence, epilog=example(f"rejoinder user {word} 1234321@acme"))
    @click.argument("username")
    @on_database
    def switch(call: Call, username: str) -> None:
        changed = call.change(lambda tx, _: accounts.change_user(tx, username, {column: value}))
        call.done("user", changed, f"{{}} is {done}")


for _word, _switch in _SWITCHES.items():
    _add_switch(_word, *_switch)

add_common(
    reseller,
    Noun(
        "reseller",
        "NAME",
        "acme",
        ("id", "name", "state", "billing", "credits"),
        "free_credits=10 require_activation=true",
        accounts.change_reseller,
    ),
)
add_common(
    customer,
    Noun(
        "customer",
        "[RESELLER/]NAME",
        "acme/shop",
        ("id", "name", "reseller", "state", "billing", "credits", "rotation"),
        "rotation=conversation email=desk@shop.example",
        accounts.change_customer,
        filters=(Filter("reseller", "reseller_id"),),
    ),
)
add_common(
    user,
    Noun(
        "user",
        "USERNAME",
        "1234321@acme",
        ("id", "name", "customer", "reseller", "state", "source_address"),
        "sourceAddress=SHOP passwordExpired=true",
        accounts.change_user,
        filters=(Filter("customer", "customer_id"),),
    ),
)
