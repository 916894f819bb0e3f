"""The least that a centre needs to send and receive: a reseller, its customer, a user, one carrier for everything.

For centres that stand by themselves (`rejoinder smsc`, tests). Refuses what the single steps refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rejoinder.flow.operator import accounts, networks, numbers
from rejoinder.flow.operator.accounts import NewCustomer, NewReseller, NewUser
from rejoinder.flow.operator.networks import CheckSettings
from rejoinder.flow.operator.values import ANY_SENDER
from rejoinder.flow.ports import Record, Tx
from rejoinder.message.model import Billing

# No password has this hash: nobody logs in with it.
NO_PASSWORD = "-"  # noqa: S105  # it is none
RESELLER, CUSTOMER, CARRIER = "starter", "starter", "network"


@dataclass(frozen=True, slots=True)
class Network:
    """The one carrier: its kind and settings, and what checks them."""

    kind: str
    settings: Mapping[str, str]
    check: CheckSettings


async def set_up(tx: Tx, username: str, network: Network, now: int) -> Record:
    """Makes all of it, post-paid, so that nothing runs out; gives back the user. Raises ConfigInvalid, Refused."""
    post_paid = str(Billing.POST_PAID)
    new = NewReseller(
        name=RESELLER,
        password_hash=NO_PASSWORD,
        billing=post_paid,
        default_customer_billing=post_paid,
    )
    reseller = await accounts.add_reseller(tx, new, now)
    customer = await accounts.add_customer(tx, reseller, NewCustomer(name=CUSTOMER, billing=post_paid), now)
    user = await accounts.add_user(tx, customer, NewUser(username=username, password_hash=NO_PASSWORD), now)
    await networks.add_carrier(tx, CARRIER, network.kind, network.settings, network.check)
    await networks.add_route(tx, "", CARRIER, {})
    return user


async def any_sender(tx: Tx) -> None:
    """Its customer may send under every sender."""
    await numbers.allow_sender(tx, ANY_SENDER, CUSTOMER)
