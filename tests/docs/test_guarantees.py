"""docs/guarantees.md says what the results say, and nothing that they don't."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from faults import guarantees, results
from faults.results import Part
from faults.scenarios import ALL

NAME = "postgres-promotion"
WHOLE = ALL[NAME].whole


def page() -> str:
    return guarantees.PAGE.read_text("utf-8")


def test_every_figure_is_that_of_the_results() -> None:
    """Else: `python -m faults table` writes them anew."""
    assert guarantees.renewed(page()) == page()


def test_a_figure_that_was_typed_is_found() -> None:
    for mark in re.findall(r"<!-- figure: .*? -->", page()):
        typed = page().replace(mark, f"{mark}12,345 ", 1)
        assert guarantees.renewed(typed) == page()


def test_numbers_stand_in_marks_alone() -> None:
    """What a promise allows may stand in its sentence; what was measured has a unit or a count behind it."""
    outside = re.sub(r"<!-- figure: .*?<!-- end -->", "", page(), flags=re.DOTALL)
    assert re.findall(r"\d[\d,.]* (?:per|of|ms|s|MB|×|messages/s)\b", outside) == []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    return tmp_path


def ran(folder: Path, *parts: tuple[int, bool, str]) -> None:
    """Parts of a harness: how much, whether it held, at which commit."""
    lines = [
        msgspec.json.encode(
            Part(
                NAME,
                count,
                7,
                commit,
                "2026-01-01",
                "here",
                1.0,
                held,
                {"lost": 0, "slowest_return_s": count / 10},
            )
        )
        for count, held, commit in parts
    ]
    (folder / f"{NAME}.jsonl").write_bytes(b"\n".join(lines) + b"\n")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([], f"not yet run: 0 of {WHOLE}"),
        ([(5, True, "abc"), (5, True, "abc")], f"not yet run: 10 of {WHOLE}"),
        ([(WHOLE, True, "abc"), (5, True, "abc")], f"held: {WHOLE} of {WHOLE}"),
        ([(WHOLE, True, "abc*")], f"not yet run: 0 of {WHOLE}"),
        ([(WHOLE, True, "abc"), (1, False, "abd")], "**broken** at abd (seed 7)"),
        ([(WHOLE, True, "abc"), (1, False, "abd"), (3, True, "abe")], f"not yet run: 3 of {WHOLE}"),
        ([(WHOLE, True, "abc"), (1, False, "abd*")], f"held: {WHOLE} of {WHOLE}"),
    ],
)
def test_a_harness_has_held_when_its_parts_add_up_and_none_broke_since(
    folder: Path, parts: list[tuple[int, bool, str]], said: str
) -> None:
    ran(folder, *parts) if parts else None
    assert guarantees.held(NAME) == said


def test_a_run_that_broke_says_which_promise_did_and_which_held(folder: Path) -> None:
    found = {"asserted": ["nothing_lost", "refused_p99"], "missed": ["refused_p99"]}
    part = Part(NAME, 60, 7, "abd", "2026-01-01", "here", 1.0, False, found)
    (folder / f"{NAME}.jsonl").write_bytes(msgspec.json.encode(part) + b"\n")
    assert guarantees.held(NAME) == "**broken** at abd (seed 7): refused p99 (what held: nothing lost)"


def test_counts_are_those_of_the_whole_and_seconds_the_slowest(folder: Path) -> None:
    ran(folder, (WHOLE - 1, True, "abc"))
    assert guarantees.counted(NAME, "lost") == "not yet run"
    ran(folder, (WHOLE - 1, True, "abc"), (1, True, "abd"))
    assert guarantees.counted(NAME, "lost") == "0"
    assert guarantees.counted(NAME, "slowest_return_s") == f"{(WHOLE - 1) / 10:.2f} s"
    assert f"| held: {WHOLE} of {WHOLE} | slowest return {(WHOLE - 1) / 10:.2f} s; 0 lost |" in (
        guarantees.table_of_faults()
    )


@pytest.mark.parametrize(
    "mark",
    [
        "faults / no-such-harness",
        "bench / accepts-sqlite / no such figure / per second",
        "table of wishes",
    ],
)
def test_a_mark_that_means_nothing_is_refused(mark: str) -> None:
    with pytest.raises(LookupError):
        guarantees.renewed(f"<!-- figure: {mark} --><!-- end -->")


def test_every_harness_is_in_the_document() -> None:
    assert [name for name in ALL if f"| `{name}` |" not in page()] == []
