"""Programs from Debian's archive (wrk, nginx, Kannel), unpacked below .cache/ with the libraries that they lack.

It refuses to touch the system: no root, no installation, package lists in a private folder when the system has none.
What can't be had raises `Unavailable` with the reason.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_SECONDS = 180.0

# A missing library and the packages that carry it, the first that the archive knows is taken; the names differ
# between releases.
LIBRARIES: dict[str, tuple[str, ...]] = {
    "libluajit-5.1.so.2": ("libluajit2-5.1-2", "libluajit-5.1-2"),
    "libpcre2-8.so.0": ("libpcre2-8-0",),
    "libssl.so.3": ("libssl3", "libssl3t64"),
    "libcrypto.so.3": ("libssl3", "libssl3t64"),
    "libcrypt.so.1": ("libcrypt1",),
    "libz.so.1": ("zlib1g",),
    "libgcc_s.so.1": ("libgcc-s1",),
    "libmariadb.so.3": ("libmariadb3",),
    "libpcreposix.so.3": ("libpcre3",),
    "libpcre.so.3": ("libpcre3",),
    "libhiredis.so.0.14": ("libhiredis0.14",),
    "libct.so.4": ("libct4",),
    "libpam.so.0": ("libpam0g",),
    "libaudit.so.1": ("libaudit1",),
    "libcap-ng.so.0": ("libcap-ng0",),
    "libpq.so.5": ("libpq5",),
    "libsqlite3.so.0": ("libsqlite3-0",),
    "libxml2.so.2": ("libxml2",),
    "libicuuc.so.72": ("libicu72",),
    "libicudata.so.72": ("libicu72",),
    "liblzma.so.5": ("liblzma5",),
    "libzstd.so.1": ("libzstd1",),
    "libldap-2.5.so.0": ("libldap-2.5-0",),
    "liblber-2.5.so.0": ("libldap-2.5-0",),
    "libsasl2.so.2": ("libsasl2-2",),
    "libgssapi_krb5.so.2": ("libgssapi-krb5-2",),
    "libkrb5.so.3": ("libkrb5-3",),
    "libk5crypto.so.3": ("libk5crypto3",),
    "libkrb5support.so.0": ("libkrb5support0",),
    "libcom_err.so.2": ("libcom-err2",),
    "libkeyutils.so.1": ("libkeyutils1",),
    "libgnutls.so.30": ("libgnutls30",),
    "libp11-kit.so.0": ("libp11-kit0",),
    "libidn2.so.0": ("libidn2-0",),
    "libunistring.so.2": ("libunistring2",),
    "libtasn1.so.6": ("libtasn1-6",),
    "libnettle.so.8": ("libnettle8",),
    "libhogweed.so.6": ("libhogweed6",),
    "libgmp.so.10": ("libgmp10",),
    "libffi.so.8": ("libffi8",),
}
VERSION = re.compile(r"\d[\w.+-]*")
NOT_FOUND = re.compile(r"^\s*(\S+) => not found", re.MULTILINE)


class Unavailable(Exception):
    """Something that a measurement needs can't be had; the message says what and why."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program ready to run: its file, the environment that it needs, its version."""

    path: Path
    environment: dict[str, str]
    version: str


class Archive:
    """Fetches and unpacks packages into one folder; what is there is not fetched again."""

    def __init__(self, folder: Path) -> None:
        self._archives = folder / "archives"
        self._lists = folder / "apt"
        self._root = folder / "root"
        for made in (self._archives, self._root):
            made.mkdir(parents=True, exist_ok=True)

    def tool(self, package: str, program: str, version_flag: str) -> Tool:
        """The program of a package: unpacked before, unpacked now, or else the system's own. Else `Unavailable`."""
        path = self._root / program
        if not path.exists():
            try:
                self._unpack(package)
            except Unavailable:
                installed = shutil.which(path.name)
                if installed is None:
                    raise
                path = Path(installed)
        self._complete(path)
        environment = self._environment()
        said = subprocess.run(
            [path, version_flag], env=environment, capture_output=True, text=True, timeout=30, check=False
        )
        # wrk ends with 1 after it has told its version.
        first = (said.stdout + said.stderr).strip().split("\n")[0]
        version = VERSION.search(first)
        if package not in first.lower() or version is None:
            raise Unavailable(f"{path} does not run: {first}")
        return Tool(path, environment, version[0])

    def unpacked(self, package: str, file: str) -> Path:
        """The folder in which a package without programs is unpacked; `file` is one of its files. Else `Unavailable`."""
        if not (self._root / file).exists():
            self._unpack(package)
        return self._root

    def _complete(self, path: Path) -> None:
        """Bring the shared libraries that neither the system nor the folder has."""
        for _ in range(len(LIBRARIES)):
            listed = subprocess.run(
                ["ldd", path],
                env=self._environment(),
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            ).stdout
            missing = NOT_FOUND.findall(listed)
            if not missing:
                return
            packages = LIBRARIES.get(missing[0])
            if packages is None:
                raise Unavailable(f"{path.name} lacks {missing[0]}, which no package known here carries")
            self._unpack(*packages)
        raise Unavailable(f"the libraries of {path.name} can't be completed")

    def _unpack(self, *candidates: str) -> None:
        """Fetch the first package that can be had and unpack it."""
        reasons = []
        for package in candidates:
            file, reason = self._fetched(package)
            if file is None:
                reasons.append(reason)
                continue
            subprocess.run(["dpkg", "-x", file, self._root], check=True, timeout=TIMEOUT_SECONDS)
            return
        raise Unavailable(f"{candidates[0]} can't be had from Debian's archive: {'; '.join(reasons)}")

    def _fetched(self, package: str) -> tuple[Path | None, str]:
        """The package's file, or the reason why there is none."""
        if not (shutil.which("apt-get") and shutil.which("dpkg")):
            return None, "no apt-get here: this is no Debian"
        before = next(self._archives.glob(f"{package}_*.deb"), None)
        if before is not None:
            return before, ""
        done = self._apt("download", package)
        said = done.stderr
        if done.returncode:
            # The system's lists are missing (a bare container) or stale (the file they name is gone).
            (self._lists / "lists" / "partial").mkdir(parents=True, exist_ok=True)
            # Without the mode apt ends with 0 though it fetched nothing, and the reason would be lost. One source
            # that fails need not be the one that matters.
            update = self._apt("update", "-o", "APT::Update::Error-Mode=any", *self._private())
            done = self._apt("download", package, *self._private())
            said = update.stderr or done.stderr
        file = next(self._archives.glob(f"{package}_*.deb"), None)
        lines = said.strip().splitlines() or ["apt-get gave no reason"]
        return file, "" if file else lines[0]

    def _apt(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        # The sandbox user `_apt` could not write here; without it root fetches as root.
        sandbox = ["-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else []
        return subprocess.run(
            ["apt-get", "-qq", *sandbox, command, *arguments],
            cwd=self._archives,
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )

    def _private(self) -> list[str]:
        """Options that keep apt's lists, caches and locks below our folder; sources and keys stay the system's."""
        values = {
            "Dir::State": self._lists,
            "Dir::State::lists": self._lists / "lists",
            "Dir::State::status": "/var/lib/dpkg/status",
            "Dir::Cache": self._lists / "cache",
            "Debug::NoLocking": "1",
        }
        return [word for name, value in values.items() for word in ("-o", f"{name}={value}")]

    def _environment(self) -> dict[str, str]:
        folders = [
            str(folder) for part in ("lib", "usr/lib") for folder in (self._root / part).glob("*-linux-*")
        ]
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LD_LIBRARY_PATH": ":".join(folders),
            "LC_ALL": "C",
        }


def wrk(cache: Path) -> Tool:
    """The load generator. Raises `Unavailable`."""
    return Archive(cache / "debian").tool("wrk", "usr/bin/wrk", "-v")


def nginx(cache: Path) -> Tool:
    """The web server that we are measured against. Raises `Unavailable`."""
    return Archive(cache / "debian").tool("nginx", "usr/sbin/nginx", "-v")


def kannel(cache: Path, box: str) -> Tool:
    """The SMS gateway's `bearerbox` or `smsbox`. Raises `Unavailable`."""
    return Archive(cache / "debian").tool("kannel", f"usr/sbin/{box}", "--version")
