"""/metrics counts every answer, also of polls that are answered on the short way."""

from __future__ import annotations

import pytest

from tests.http.site import ALL_MESSAGES, MESSAGES, Site, login


def answers(site: Site, path: str) -> float:
    """How many answers with HTTP 200 this path has given."""
    head = f'rejoinder_http_answers_total{{path="{path}",status="200"}} '
    lines = site.get("/metrics").body.decode().splitlines()
    return sum(float(line.removeprefix(head)) for line in lines if line.startswith(head))


@pytest.mark.parametrize("path", [ALL_MESSAGES, MESSAGES])
def test_every_poll_is_counted(fresh_site: Site, path: str) -> None:
    fresh_site.user()
    before = answers(fresh_site, path)
    for _ in range(5):
        assert fresh_site.get(path, {**login(), "since": "0"}).json["status"] == 0
    assert answers(fresh_site, path) - before == 5


def test_the_memory_that_sqlite_uses_is_told(fresh_site: Site) -> None:
    """Beside the process's own: page caches grow with the file, up to their bound."""
    lines = fresh_site.get("/metrics").body.decode().splitlines()
    (said,) = [line.split()[1] for line in lines if line.startswith("rejoinder_sqlite_bytes ")]
    # Of PostgreSQL it tells what else this process has open.
    assert float(said) > 0 or not fresh_site.url.startswith("sqlite")
