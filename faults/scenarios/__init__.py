"""The harnesses by name: what each disturbs, how often the whole of it is, and what takes its protection out."""

from __future__ import annotations

from faults.run import Scenario
from faults.scenarios import fairness, overload
from faults.scenarios.first_send import FIRST_SENDS
from faults.scenarios.fuzz_http import FUZZ_HTTP
from faults.scenarios.fuzz_pdus import FUZZ_PDUS
from faults.scenarios.fuzz_smpp import FUZZ_SMPP
from faults.scenarios.kill import KILL_POSTGRES, KILL_SQLITE
from faults.scenarios.links import LINKS
from faults.scenarios.power import POWER_LOSS
from faults.scenarios.promotion import PROMOTION
from faults.scenarios.pushes import PUSHES
from faults.scenarios.slow import SLOW
from faults.scenarios.soak import SOAK
from faults.scenarios.trouble import BAD_DISK, CLOCK_STEPS, RESTARTS

# The longest is begun first.
_EVERY = (
    SOAK,
    *(KILL_SQLITE, KILL_POSTGRES, POWER_LOSS, RESTARTS, PROMOTION, BAD_DISK, CLOCK_STEPS),
    *(*FIRST_SENDS, PUSHES, *LINKS, FUZZ_PDUS, FUZZ_HTTP, FUZZ_SMPP),
    *(*overload.SCENARIOS, *fairness.SCENARIOS, SLOW),
)
ALL: dict[str, Scenario] = {one.name: one for one in _EVERY}
