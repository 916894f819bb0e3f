"""/healthz, /readyz and /metrics: what machines that watch over the server ask."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rejoinder.errors import StoreUnavailable
from tests.http.calls import BY_PATH
from tests.http.site import POOL, SEND, Site, store_fails

AWAY = StoreUnavailable("the database is away")


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    empty_site.user()
    empty_site.carrier("a-carrier-that-is-down")
    empty_site.pool(POOL[0])
    return empty_site


def test_healthz_is_200_while_the_process_lives(site: Site) -> None:
    assert site.get("/healthz").http_status == 200
    with store_fails(site, AWAY):
        assert site.get("/healthz").http_status == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_load_balancers_may_ask_with_head(site: Site, path: str) -> None:
    reply = site.request("HEAD", path)
    assert (reply.http_status, reply.body) == (200, b"")
    with store_fails(site, AWAY):
        assert site.request("HEAD", path).http_status == (200 if path == "/healthz" else 503)


def test_readyz_is_200_and_names_the_carriers_whatever_their_state(site: Site) -> None:
    reply = site.get("/readyz")
    assert reply.http_status == 200
    assert "a-carrier-that-is-down" in reply.body.decode()
    assert isinstance(reply.json, dict)


def test_readyz_is_503_while_the_database_is_away(site: Site) -> None:
    with store_fails(site, AWAY):
        assert site.get("/readyz").http_status == 503
    assert site.get("/readyz").http_status == 200


def metrics(site: Site) -> dict[str, float]:
    reply = site.get("/metrics")
    assert reply.http_status == 200
    assert reply.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(reply.body.decode())
    return {
        sample.name: sample.value for family in families for sample in family.samples if not sample.labels
    }


def test_metrics_count_the_pool_numbers_that_were_used_again(site: Site) -> None:
    before = metrics(site)["reply_pairs_reused_total"]
    for _ in range(3):
        assert site.post(SEND, BY_PATH[SEND].good).code == 10
    assert metrics(site)["reply_pairs_reused_total"] == before + 2


def test_metrics_have_a_help_text_each(site: Site) -> None:
    families = list(text_string_to_metric_families(site.get("/metrics").body.decode()))
    assert families
    assert [family.name for family in families if not family.documentation] == []
