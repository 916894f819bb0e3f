"""Which harnesses `python -m faults --only` means."""

from __future__ import annotations

import click
import pytest

from faults.__main__ import _chosen
from faults.scenarios import ALL


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("carrier-cuts",), {"carrier-cuts"}),
        (("carrier-cuts-",), {"carrier-cuts-postgres"}),
        (("kill",), {"kill-sqlite", "kill-postgres"}),
        (("soak", "kill-sqlite"), {"soak", "kill-sqlite"}),
        ((), set(ALL)),
    ],
)
def test_a_name_means_that_harness_and_another_word_all_that_begin_so(
    words: tuple[str, ...], names: set[str]
) -> None:
    assert {one.name for one in _chosen(words)} == names


def test_a_word_that_begins_no_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(click.BadParameter, match="kill-sqlite"):
        _chosen(("nothing",))
