"""SMPP accounts as the operator makes them and as a bind finds them, on both stores."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from rejoinder.errors import NotFound, Refused
from rejoinder.flow.operator import smpp
from rejoinder.flow.operator.accounts import change_user, changing
from rejoinder.flow.ports import Record, SmppAccount
from tests.centre import Centre

NEW: Mapping[str, object] = {"system_id": "shop", "password_hash": "-"}


async def put(centre: Centre, username: str, changes: Mapping[str, object]) -> Record:
    return await changing(centre.store, lambda tx: smpp.put_account(tx, username, changes))


async def test_a_bind_finds_whose_name_it_is_and_what_it_may_do(centre: Centre) -> None:
    user = await centre.account("anna@shop")
    await put(centre, "anna@shop", {**NEW, "throughput": 50, "allow_ip": "192.0.2.0/24"})
    await changing(centre.store, lambda tx: change_user(tx, "anna@shop", {"idempotent_reference": True}))
    assert await centre.store.read.directory.smpp_account("shop") == SmppAccount(
        user.id, "anna@shop", "shop", "-", True, True, 4, 100, 50, "192.0.2.0/24", "parts", "gsm", 0
    )
    assert await centre.store.read.directory.smpp_account("Shop") is None


async def test_a_second_call_changes_only_what_it_names(centre: Centre) -> None:
    await centre.account("anna@shop")
    await put(centre, "anna@shop", {**NEW, "max_binds": 2})
    changed = await put(centre, "anna@shop", {"enabled": False})
    assert (changed["enabled"], changed["max_binds"], changed["system_id"]) == (False, 2, "shop")


async def test_a_name_belongs_to_one_user(centre: Centre) -> None:
    await centre.account("anna@shop")
    await centre.account("bert@shop")
    await put(centre, "anna@shop", NEW)
    with pytest.raises(Refused, match="another user binds under this system_id"):
        await put(centre, "bert@shop", NEW)
    await put(centre, "anna@shop", NEW)  # her own again is no clash


@pytest.mark.parametrize("missing", ["system_id", "password_hash"])
async def test_a_new_account_needs_a_name_and_a_password(centre: Centre, missing: str) -> None:
    await centre.account("anna@shop")
    with pytest.raises(Refused, match="a new SMPP account needs --"):
        await put(centre, "anna@shop", {key: value for key, value in NEW.items() if key != missing})
    assert await centre.sql("SELECT 1 FROM smpp_account") == []


async def test_an_account_is_shown_with_its_user_and_goes_when_it_is_removed(centre: Centre) -> None:
    await centre.account("anna@shop")
    await put(centre, "anna@shop", NEW)
    (shown,) = await centre.store.read.registry.find("user", {"username": "anna@shop"})
    assert shown["smpp_system_id"] == "shop"
    assert (await smpp.account(centre.store.read, "anna@shop"))["system_id"] == "shop"
    await changing(centre.store, lambda tx: smpp.remove_account(tx, "anna@shop"))
    (shown,) = await centre.store.read.registry.find("user", {"username": "anna@shop"})
    assert shown["smpp_system_id"] is None
    with pytest.raises(NotFound):
        await smpp.account(centre.store.read, "anna@shop")


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (["192.0.2.7"], "192.0.2.7/32"),
        (["192.0.2.7/24", "2001:db8::/32"], "192.0.2.0/24 2001:db8::/32"),
        (["10.0.0.0/8,10.0.0.0/8"], "10.0.0.0/8"),
        ([""], ""),
    ],
)
def test_networks_are_stored_in_one_spelling(given: list[str], stored: str) -> None:
    assert smpp.networks("--allow-ip", given) == stored


@pytest.mark.parametrize("value", ["", "two words", "x" * 64, "käse", "a\tb"])
def test_a_name_or_password_that_no_bind_can_carry_is_refused(value: str) -> None:
    with pytest.raises(Refused, match="--system-id"):
        smpp.system_id("--system-id", value)
    with pytest.raises(Refused, match="password"):
        smpp.password("password", value)


@pytest.mark.parametrize("value", ["x" * 63, "a", "sh()p!"])
def test_a_name_or_password_that_a_bind_can_carry_is_taken(value: str) -> None:
    assert smpp.system_id("--system-id", value) == smpp.password("password", value) == value


@pytest.mark.parametrize(("value", "tag"), [("0x1400", 0x1400), ("16383", 0x3FFF), ("0", 0)])
def test_the_tag_of_the_answered_message_is_one_of_a_centres_own(value: str, tag: int) -> None:
    assert smpp.origin_tag("--origin-tag", value) == tag


@pytest.mark.parametrize("value", ["0x1E", "0x4000", "tag", "-1", ""])
def test_a_tag_that_the_specification_has_for_others_is_refused(value: str) -> None:
    with pytest.raises(Refused, match="--origin-tag must be"):
        smpp.origin_tag("--origin-tag", value)


@pytest.mark.parametrize("value", ["here", "10.0.0.0/40", "10.0.0.1-10.0.0.9"])
def test_what_is_no_network_is_refused(value: str) -> None:
    with pytest.raises(Refused, match="--allow-ip must be a network"):
        smpp.networks("--allow-ip", [value])
