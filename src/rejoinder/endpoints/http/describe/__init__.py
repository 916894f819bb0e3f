"""What each operation is, in the contract's words: its parameters, the answers it may give, their codes.

Pure data for the OpenAPI document, a module per group of calls. Each parameter stands here once, for query and
form alike; values may be described narrower than they are taken (an empty optional parameter is an absent one).
Refuses (ValueError) a path or shape that two groups describe.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from rejoinder.endpoints.http.describe import mailbox, messages, networks, operators, resellers
from rejoinder.endpoints.http.describe.schema import Call, Delivery, Description, Look, Parameter, Schema

__all__ = ["DESCRIPTIONS", "SHAPES", "Call", "Delivery", "Description", "Look", "Parameter", "Schema"]

T = TypeVar("T")


def joined(tables: Iterable[Mapping[str, T]]) -> Mapping[str, T]:
    """One table of several. ValueError for a name that stands in two."""
    whole: dict[str, T] = {}
    for table in tables:
        if twice := sorted(whole.keys() & table.keys()):
            raise ValueError(f"described twice: {', '.join(twice)}")
        whole |= table
    return whole


_GROUPS = (mailbox, messages, resellers, networks, operators)

DESCRIPTIONS: Mapping[str, Description] = joined(group.DESCRIPTIONS for group in _GROUPS)
"""By path."""
SHAPES: Mapping[str, Schema] = joined(group.SHAPES for group in _GROUPS)
"""The shapes of all answers, by name, as the document's components."""
