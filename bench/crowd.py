"""Accounts by the million, by SQL: users `user0@bench` and on, ten to a customer, all with one password.

It refuses nothing: the columns are those of store/sql/, and another set fails loudly.
"""

from __future__ import annotations

from bench.databases import Database
from bench.fill import series
from bench.server import CUSTOMER, accounts, mailboxes

USERS_A_CUSTOMER = 10


def crowd(database: Database, users: int) -> int:
    """So many users of a tenth as many post-paid customers of one reseller; the id of the first, the others' follow.

    Raises RuntimeError when their ids have gaps.
    """
    accounts(database, 1)
    customers = series(database, 1, users // USERS_A_CUSTOMER - 1)
    account = int(database.run("SELECT max(id) FROM credit_account"))
    customer, user = database.run(
        f"SELECT c.id, u.id FROM customer c JOIN user_account u ON u.customer_id = c.id WHERE c.name = '{CUSTOMER}'"
    ).split("|")
    database.run(
        "INSERT INTO credit_account (owner, billing) "
        f"{customers} SELECT 'customer', 'post_paid' FROM q ORDER BY n"
    )
    database.run(
        "INSERT INTO customer (reseller_id, name, credit_account_id, created_at) "
        f"{customers} SELECT c.reseller_id, 'customer' || n, {account} + n, c.created_at "
        f"FROM q CROSS JOIN customer c WHERE c.id = {customer} ORDER BY n"
    )
    database.run(
        "INSERT INTO user_account (customer_id, username, password_hash, created_at) "
        f"{series(database, 1, users - 1)} SELECT {customer} + n / {USERS_A_CUSTOMER}, 'user' || n || '@bench', "
        f"u.password_hash, u.created_at FROM q CROSS JOIN user_account u WHERE u.id = {user} ORDER BY n"
    )
    mailboxes(database)
    database.settle()
    found = database.run("SELECT min(id), max(id), count(*) FROM user_account")
    if found != f"{user}|{int(user) + users - 1}|{users}":
        raise RuntimeError(f"{users} users are wanted, and there are {found}")
    return int(user)
