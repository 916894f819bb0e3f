"""One served centre with accounts in every state, a carrier with a token, and messages in every direction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.centre import HANDSET
from tests.http.resellers import Trade, inactive_users
from tests.http.site import PASSWORD_HASH, POOL, Site

TOKEN = "token-of-the-carrier"


@dataclass(frozen=True)
class Peopled:
    """The site, the ids of messages, one of anna's own, one of somebody else's, and the id of her customer."""

    site: Site
    own: str
    foreign: str
    customer: str


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peopled]:
    with Site(f"sqlite:///{tmp_path_factory.mktemp('site') / 'centre.db'}") as site:
        anna, bob = site.user(), site.user("bob@shop")
        site.user("blocked@shop", blocked=True)
        site.user("disabled@shop", disabled=True)
        site.user("sleeping@shop", activated=False)
        inactive_users(site)
        site.user("expired@shop", password_expired=True)
        site.user("poor@street", customer="street", credits=0)
        carrier = site.carrier(token=TOKEN)
        site.carrier("mute", prefix="999")
        site.pool(*POOL)
        own = site.run(site.centre.send(anna))
        site.run(site.centre.deliver(carrier))
        site.run(site.centre.reply(carrier, HANDSET, site.run(site.centre.sender_of(own.id))))
        foreign = site.run(site.centre.send(bob, recipient="61255588886"))
        site.sql("UPDATE reseller SET password_hash = $1", PASSWORD_HASH)
        site.changed()
        yield Peopled(site, own.id, foreign.id, Trade(site).customer_id("shop"))


@pytest.fixture(scope="module")
def site(peopled: Peopled) -> Site:
    return peopled.site
