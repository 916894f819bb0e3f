"""docs/howto/move-over.md, its commands run as they stand, after the README's accounts."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.tables import ROOT
from tests.docs.test_tour import ran, tour

BLOCK = re.compile(r"^```\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_the_commands_of_the_page_run_as_they_stand(tmp_path: Path) -> None:
    page = (ROOT / "docs/howto/move-over.md").read_text(encoding="utf-8")
    blocks = BLOCK.findall(page)
    assert len(blocks) == 6
    # As many a program writes it: without an end of the last line.
    (tmp_path / "users.csv").write_text("bert@acme,secret4\ncarl@acme,secret5")
    (tmp_path / "prices.csv").write_text("prefix,price\n49,0.075\n")
    accounts = [line for line in tour()[0][1].splitlines() if line.startswith("rejoinder ")]
    accounts = [line for line in accounts if not line.startswith(("rejoinder serve", "rejoinder route"))]
    commands = [
        f"export PATH={ROOT}/.venv/bin:$PATH",
        *accounts,
        "rejoinder carrier add other --kind simulator",
    ]
    script = "\n".join([*commands, *blocks, "rejoinder user list --json"])
    listed = ran(script, tmp_path)
    assert "bert@acme" in listed
    assert "carl@acme" in listed
