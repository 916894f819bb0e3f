"""Resellers over HTTP: good requests of each call of contract §9, and a site with what they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rejoinder.flow.operator import accounts, lookup
from rejoinder.flow.operator.accounts import NewCustomer, NewReseller, NewUser, changing
from rejoinder.flow.operator.shown import account_id
from rejoinder.flow.passwords import hash_password
from rejoinder.flow.ports import Record, Tx
from tests.centre import HANDSET
from tests.http.site import PASSWORD_HASH, REST, Reply, Site

ADD_CREDITS = f"{REST}/admin/addCredits"
BALANCE = f"{REST}/admin/balance"
CREATE_BOTH = f"{REST}/customer-user/create"
CREATE_CUSTOMER = f"{REST}/customer/create"
CREATE_USER = f"{REST}/user/create"
ACTIVATE = f"{REST}/user/activate"
SEND_CODE = f"{REST}/user/sendActivationCode"
CREDIT = 1000
SECRET = "correct-horse-battery"  # PASSWORD of site.py: both are hashed once


@dataclass(frozen=True)
class Trade:
    """A site with resellers: what tests do to it, and what they see of it."""

    site: Site

    def reseller(self, name: str = "acme", **fields: object) -> Record:
        new = NewReseller(name=name, password_hash=PASSWORD_HASH, **fields)  # type: ignore[arg-type]  # tests give the right ones
        return self._change(lambda tx, now: accounts.add_reseller(tx, new, now))

    def customer(self, name: str, reseller: str = "acme", **fields: object) -> Record:
        async def work(tx: Tx, now: int) -> Record:
            owner = await lookup.one(tx, "reseller", reseller)
            return await accounts.add_customer(tx, owner, NewCustomer(name=name, **fields), now)  # type: ignore[arg-type]  # as above

        return self._change(work)

    def user(self, username: str, customer: str, **fields: object) -> Record:
        async def work(tx: Tx, now: int) -> Record:
            new = NewUser(username=username, password_hash=PASSWORD_HASH, **fields)  # type: ignore[arg-type]  # as above
            return await accounts.add_user(tx, await lookup.one(tx, "customer", customer), new, now)

        return self._change(work)

    def _change(self, work) -> Record:  # type: ignore[no-untyped-def]  # a journey in a transaction
        now = self.site.centre.clock.wall_us()
        made: Record = self.site.run(changing(self.site.centre.store, lambda tx: work(tx, now)))
        self.site.changed()
        return made

    def set(self, kind: str, name: str, **columns: object) -> None:
        """Columns of a reseller (by name), as the database holds them."""
        for column, value in columns.items():
            self.site.sql(f"UPDATE {kind} SET {column} = $2 WHERE name = $1", name, value)
        self.site.changed()

    def record(self, kind: str, name: str) -> Record:
        return self.site.run(lookup.one(self.site.centre.store.read, kind, name))  # type: ignore[arg-type]  # a kind's word

    def there(self, kind: str, **where: object) -> bool:
        return bool(self.site.run(self.site.centre.store.read.registry.find(kind, where)))  # type: ignore[arg-type]  # as above

    def credits(self, kind: str, name: str) -> int:
        return int(self.record(kind, name)["balance"])

    def customer_id(self, name: str) -> str:
        return account_id(self.record("customer", name))

    def ledger(self) -> list[tuple[object, ...]]:
        return self.site.sql("SELECT payer_id, payee_id, amount, reason FROM ledger_entry ORDER BY id")

    def post(self, path: str, params: Mapping[str, str | bytes | None]) -> Reply:
        """A POST; parameters that are None are left out."""
        reply = self.site.post(path, {name: value for name, value in params.items() if value is not None})
        assert reply.http_status == 200
        return reply


def good(
    trade: Trade, path: str, reseller: str = "acme", customer: str = "shop"
) -> dict[str, str | bytes | None]:
    """A request that succeeds, with names that are new in each."""
    new = f"n{len(trade.site.sql('SELECT id FROM customer')) + len(trade.site.sql('SELECT id FROM user_account'))}"
    named = {"resellerName": reseller, "resellerPassword": SECRET}
    admin = {"reseller": reseller, "password": SECRET, "customer": customer}
    match path:
        case _ if path == ADD_CREDITS:
            return {**admin, "creditsToAdd": "1"}
        case _ if path == BALANCE:
            return {**admin}
        case _ if path == CREATE_BOTH:
            user = {"username": f"{new}@{reseller}", "password": "new", "customer": new}
            return {**user, **named, "applyFreeCredits": "false"}
        case _ if path == CREATE_CUSTOMER:
            return {"name": new, **named, "billingType": "PRE_PAID"}
        case _:
            user = {
                "username": f"{new}@{reseller}",
                "password": "new",
                "email": "a@b.example",
                "phoneNumber": "+61 1",
            }
            return {**user, **named, "customerId": trade.customer_id(f"{reseller}/{customer}")}


def inactive_users(site: Site) -> None:
    """coming@shop, who can be sent a code, and coded@shop, whose code is 123456; customer shop is made before."""
    site.user("coming@shop", activated=False, phone_number=HANDSET)
    coded = site.user("coded@shop", activated=False)
    # With so many tries left that no test uses them up.
    site.sql(
        "INSERT INTO activation_code (user_id, code_hash, made_at, expires_at, tries) VALUES ($1, $2, 0, $3, -1000000)",
        coded.id,
        hash_password("123456"),
        2**62,
    )
