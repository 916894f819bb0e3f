"""bench/README.md against the benches: the table is made from the results, and no scenario goes undescribed."""

from __future__ import annotations

import re

from bench import results
from bench.scenarios import ALL

ROW = re.compile(r"^\| (`[^|]*`) \| ", re.MULTILINE)


def test_the_table_of_figures_is_the_one_that_the_results_make() -> None:
    text = results.README.read_text()
    _, _, rest = text.partition(results.BEGIN)
    table, end, _ = rest.partition(results.END)
    assert end
    assert table.strip() == results.table(results.load(results.FOLDER))


def _kind(name: str) -> str:
    return re.sub("-(sqlite|postgres|…)$", "", name)


def test_every_scenario_is_described() -> None:
    _, _, text = results.README.read_text().partition("## The scenarios")
    described = {
        name.removesuffix("-…") for cell in ROW.findall(text) for name in re.findall(r"`([^`]+)`", cell)
    }
    kinds = {name.removesuffix("-sqlite").removesuffix("-postgres") for name in ALL}
    assert {name.removesuffix("-sqlite").removesuffix("-postgres") for name in described} == kinds


def test_every_result_is_of_a_scenario_that_is_there() -> None:
    assert {result.scenario for result in results.load(results.FOLDER)} <= set(ALL)
