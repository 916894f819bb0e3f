"""The README's five minutes with curl, run as they stand."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.docs.tables import ROOT
from tests.docs.test_pages import FENCE, alike
from tests.journeys.served import environment, serving

PATIENCE = 30
SHOWN_ID = "6a1b…"


def tour() -> list[tuple[str, str]]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("## Five minutes with curl\n")[1].split("\n## ")[0]
    assert section.count("```") % 2 == 0
    return FENCE.findall(section)


def ran(code: str, folder: Path) -> str:
    done = subprocess.run(
        ["/bin/sh", "-ec", code],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        env=environment(folder),
    )
    said = done.stderr.splitlines()
    assert done.returncode == 0, code
    assert not [line for line in said if not line.endswith(" is a new database")], code
    return done.stdout


def soon(ask: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    """The first answer that is as it should be; the last one when there is none in time."""
    ends = time.monotonic() + PATIENCE
    while not good(answer := ask()) and time.monotonic() < ends:
        time.sleep(0.05)  # the server is a process with a clock of its own
    return answer


def fits(shown: Any, got: Any) -> bool:
    try:
        alike(shown, got)
    except AssertionError:
        return False
    return True


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here, which the tour calls")
def test_the_readmes_tour_runs_as_it_stands(tmp_path: Path) -> None:
    blocks = tour()
    (_, accounts), *rest = blocks
    export, *lines = accounts.strip().splitlines()
    assert lines.pop() == "rejoinder serve &"
    # Its place and its database are this test's own.
    path = re.sub(r" REJOINDER_DATABASE=\S+", "", export).replace("$PWD", str(ROOT))
    ran("\n".join([path, *lines]), tmp_path)
    document = ""
    with serving(tmp_path) as url:
        for at, (language, code) in enumerate(rest):
            if language == "json":
                continue
            command = path + "\n" + code.replace("localhost:8080", url.removeprefix("http://"))
            command = command.replace(SHOWN_ID, document)
            if not code.startswith("curl"):
                ran(command, tmp_path)
                continue
            shown = json.loads(rest[at + 1][1])
            asked = [command, tmp_path]
            if "sendSingle2" in code:
                got = json.loads(ran(command, tmp_path))
                document = got["documentId"]
            else:
                got = soon(lambda asked=asked: json.loads(ran(*asked)), lambda got, s=shown: fits(s, got))
            alike(shown, got)
    assert len(document) == 24
    assert sum(language == "json" for language, _ in blocks) == 4
