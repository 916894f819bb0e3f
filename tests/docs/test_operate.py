"""docs/howto/operate.md: every metric there is, no other; log events, links and commands that exist."""

from __future__ import annotations

import re

from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from rejoinder import observe
from tests.docs.tables import ROOT

PAGE = (ROOT / "docs/howto/operate.md").read_text(encoding="utf-8")
SOURCE = ROOT / "src/rejoinder"


def shown_as(metric: MetricWrapperBase) -> str:
    name = metric.describe()[0].name
    labels = ",".join(metric._labelnames)
    return f"{name}{'_total' if isinstance(metric, Counter) else ''}{'{' + labels + '}' if labels else ''}"


def test_the_table_has_every_metric_with_its_labels_and_no_other() -> None:
    table = PAGE.split("<!-- metrics -->")[1].split("<!-- end -->")[0]
    told = [name for row in table.splitlines()[3:] for name in re.findall(r"`([^`]*)`", row.split(" | ")[0])]
    there = [shown_as(one) for one in vars(observe).values() if isinstance(one, MetricWrapperBase)]
    assert sorted(told) == sorted(there)


def test_every_log_event_that_it_names_is_written_somewhere() -> None:
    table = PAGE.split("| event | means |")[1].split("\n\n")[0]
    code = "".join(file.read_text(encoding="utf-8") for file in SOURCE.rglob("*.py"))
    events = [name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+_\w+|database)`", row)]
    events = [name for name in events if name != "status_map"]
    assert len(events) > 9
    assert [name for name in events if f'"{name}"' not in code] == []
