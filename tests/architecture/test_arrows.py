"""The arrows between our packages, which pyproject.toml draws for import-linter, and proof that it looks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FORBIDDEN = [
    ("message.intruder", "errors"),
    ("message.intruder", "flow.journey"),
    ("message.intruder", "asyncio"),
    ("message.intruder", "time"),
    ("smpp.intruder", "clock"),
    ("smpp.intruder", "socket"),
    ("store.intruder", "carriers.network"),
    ("store.intruder", "flow.journey"),
    ("store.intruder", "smpp.pdu"),
    ("store.intruder", "endpoints.door"),
    ("carriers.intruder", "store.disk"),
    ("carriers.intruder", "flow.journey"),
    ("carriers.intruder", "asyncpg"),
    ("endpoints.intruder", "store.disk"),
    ("endpoints.intruder", "carriers.network"),
    ("flow.intruder", "store.disk"),
    ("flow.intruder", "carriers.network"),
    ("flow.intruder", "endpoints.door"),
    ("flow.intruder", "cli.command"),
    ("flow.intruder", "app"),
    ("flow.intruder", "apsw"),
    ("flow.ports.intruder", "flow.journey"),
]

ALLOWED = [
    ("smpp.newcomer", "message.value"),
    ("store.newcomer", "flow.ports"),
    ("store.newcomer", "message.value"),
    ("store.newcomer", "errors"),
    ("store.newcomer", "apsw"),
    ("carriers.newcomer", "flow.ports"),
    ("carriers.newcomer", "smpp.pdu"),
    ("endpoints.newcomer", "flow.journey"),
    ("flow.newcomer", "flow.ports"),
]

PACKAGES = frozenset({"message", "smpp", "store", "carriers", "endpoints", "flow", "cli"})
MODULES = frozenset({"app", "errors", "clock", "waits", "observe", "config"})


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """import-linter over the package in `root`/src, as it prints it for a wide terminal."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(root / "src"), "COLUMNS": "400"}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def module_file(package: Path, name: str) -> Path:
    """The file of a module below our package, made empty with its packages where it does not exist."""
    file = package.joinpath(*name.split(".")).with_suffix(".py")
    if name in PACKAGES:
        file = package / name / "__init__.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    for folder in (file.parent, *file.parent.parents):
        if folder == package:
            break
        (folder / "__init__.py").touch()
    file.touch()
    return file


def is_ours(name: str) -> bool:
    return name.partition(".")[0] in PACKAGES | MODULES


def line_of_report(importer: str, imported: str) -> str:
    return f"rejoinder.{importer} -> {f'rejoinder.{imported}' if is_ours(imported) else imported} ("


@pytest.fixture(scope="module")
def report_of_a_copy_with_intruders(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One copy with every import of the tables in it; one run over it, since each builds the graph anew."""
    root = tmp_path_factory.mktemp("arrows")
    shutil.copy(ROOT / "pyproject.toml", root)
    shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__"))
    package = root / "src" / "rejoinder"
    for importer, imported in FORBIDDEN + ALLOWED:
        line = f"import {imported}\n"
        if is_ours(imported):
            module_file(package, imported)
            line = f"import rejoinder.{imported}\n"
        with module_file(package, importer).open("a") as source:
            source.write(line)
    done = lint(root)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_every_import_follows_the_arrows() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("importer", "imported"), FORBIDDEN)
def test_a_forbidden_import_is_found(
    report_of_a_copy_with_intruders: str, importer: str, imported: str
) -> None:
    assert line_of_report(importer, imported) in report_of_a_copy_with_intruders


@pytest.mark.parametrize(("importer", "imported"), ALLOWED)
def test_an_allowed_import_is_let_pass(
    report_of_a_copy_with_intruders: str, importer: str, imported: str
) -> None:
    assert line_of_report(importer, imported) not in report_of_a_copy_with_intruders


def test_a_new_module_without_a_place_is_found(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "src" / "rejoinder" / "helpers.py").touch()
    done = lint(tmp_path)
    assert done.returncode == 1
    assert "helpers" in done.stdout
