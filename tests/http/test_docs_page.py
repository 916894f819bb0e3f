"""The page at /docs: whole without the internet, strict about what it loads, kept by browsers by its hash."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from tests.http.site import Reply, Site

VENDORED = files("rejoinder.endpoints.http") / "try_it"
PAGE = "/docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(f"sqlite:///{tmp_path_factory.mktemp('site') / 'centre.db'}") as site:
        yield site


class Addresses(HTMLParser):
    """Every address that a page names, and its inline scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.found += [value for name, value in attrs if name in ("src", "href") and value]
        if (
            tag == "style"
            or (tag == "script" and "src" not in names)
            or any(n.startswith("on") for n in names)
        ):
            self.inline.append(tag)


def addresses(page: Reply) -> Addresses:
    parser = Addresses()
    parser.feed(page.body.decode())
    return parser


def parts(site: Site) -> list[str]:
    """The path and query of everything that the page loads from this server."""
    found = addresses(site.get(PAGE)).found
    return [urljoin(PAGE, one) for one in found if not one.startswith("data:")]


def ask(site: Site, address: str, headers: dict[str, str] | None = None) -> Reply:
    path, _, query = address.partition("?")
    return site.request("GET", path, query.encode(), None, headers)


def test_every_part_of_the_page_is_served_with_its_type(site: Site) -> None:
    types = {".css": "text/css", ".js": "text/javascript", ".json": "application/json"}
    asked = parts(site)
    assert len(asked) == 5
    for address in asked:
        reply = ask(site, address)
        assert reply.http_status == 200, address
        assert reply.headers["content-type"].startswith(types[Path(urlsplit(address).path).suffix])
        assert len(reply.body) == int(reply.headers["content-length"]) > 0


def test_the_page_loads_the_description_of_this_server(site: Site) -> None:
    script = next(one for one in parts(site) if "page.js" in one)
    url = re.search(rb'url: "([^"]+)"', ask(site, script).body)
    assert url is not None
    assert urljoin(PAGE, url[1].decode()) == "/openapi.json"
    assert site.get("/openapi.json").json["openapi"] == "3.1.0"


def test_nothing_of_it_comes_from_elsewhere(site: Site) -> None:
    page = site.get(PAGE)
    found = addresses(page)
    assert found.inline == []
    assert all(not urlsplit(one).netloc and urlsplit(one).scheme in ("", "data") for one in found.found)
    for address in parts(site):
        body = ask(site, address).body
        if ".css" in address:
            assert b"@import" not in body
            assert set(re.findall(rb"url\(\"?([a-z]+:)", body)) <= {b"data:"}
    policy = dict(piece.strip().split(" ", 1) for piece in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["img-src"] == "'self' data:"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert {policy[name] for name in ("frame-ancestors", "base-uri", "form-action")} == {"'none'"}
    assert "unsafe" not in page.headers["content-security-policy"]


def test_the_page_is_asked_for_each_time_and_its_parts_are_kept(site: Site) -> None:
    page = site.get(PAGE)
    assert page.headers["cache-control"] == "no-cache"
    for address in (PAGE, *(one for one in parts(site) if one.startswith("/docs/"))):
        reply = ask(site, address)
        assert hashlib.sha256(reply.body).hexdigest().startswith(reply.headers["etag"].strip('"'))
        assert reply.headers["x-content-type-options"] == "nosniff"
        if address != PAGE:
            assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert reply.headers["etag"].strip('"') == urlsplit(address).query, "a new file is a new address"
        for tag in (reply.headers["etag"], f'"other", W/{reply.headers["etag"]}', "*"):
            again = ask(site, address, {"If-None-Match": tag})
            assert (again.http_status, again.body) == (304, b"")
            assert again.headers["etag"] == reply.headers["etag"]
        assert ask(site, address, {"If-None-Match": '"other"'}).http_status == 200


@pytest.mark.parametrize(
    "path",
    ["/docs/", "/docsx", "/docs/page.html", "/docs/../app.py", "/docs/%2e%2e/app.py", "/docs/README.md"],
)
def test_no_other_file_is_served(site: Site, path: str) -> None:
    reply = site.get(path)
    assert (reply.http_status, reply.code) == (404, 2)


def test_what_others_published_is_unchanged() -> None:
    """README.md names each file of theirs with its hash; there is none beside them and ours."""
    said = dict(
        re.findall(
            r"^\| (\S+) \| \S+ \| ([0-9a-f]{64}) \|$", (VENDORED / "README.md").read_text(), re.MULTILINE
        )
    )
    found = {one.name: one for one in VENDORED.iterdir()}
    assert set(found) == {*said, "README.md", "page.html", "page.css", "page.js"}
    for name, wanted in said.items():
        assert hashlib.sha256(found[name].read_bytes()).hexdigest() == wanted
