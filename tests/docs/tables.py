"""The tables of docs/api, made from the API's own description; run as a module it writes them into the pages.

    python -m tests.docs.tables

A page holds `<!-- described: PATH -->` and `<!-- end -->`; all between is made. What is [ours] stands here, from
the contract, since a description does not say whose rule a thing is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from rejoinder.endpoints.http.describe import DESCRIPTIONS, SHAPES, Call, Delivery, Look, Parameter
from rejoinder.endpoints.http.describe.schema import meaning
from rejoinder.endpoints.http.responses import Family
from rejoinder.message.codes import AccountCode, MessageError
from rejoinder.message.status import TABLE, Status
from tests.schema.table import OPERATIONS

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs/api"
CODES = re.compile(r"(<!-- codes: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
BLOCK = re.compile(r"(<!-- described: (\S+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)

OURS_PARAMETERS = frozenset({"clientRef", "validity", "scheduleAt", "wait"})
OURS_CODES = frozenset({-111, -112, -120, -130})
OURS_CALLS = frozenset(
    {
        "user/unreadFinalStatuses", "user/activate", "user/sendActivationCode", "message/sendMultiple",
        "message/cancel", "inbound", "receipt", "healthz", "readyz", "metrics", "openapi", "docs",
    }
)  # fmt: skip


def described(path: str) -> str:
    """All that is between the marks of a path, from its description."""
    said = DESCRIPTIONS[path]
    ours = " [ours]" if {path.removeprefix("/services/rest/"), said.name} & OURS_CALLS else ""
    methods = " or ".join(f"`{method.upper()}`" for method in sorted(OPERATIONS[path]))
    lines = [f"{methods} `{path}`{ours}: {said.summary[0].lower()}{said.summary[1:]}.", ""]
    match said:
        case Call():
            lines += [*_parameters(said.parameters), *_answers(said), *_codes(said)]
        case Delivery():
            lines += [*_parameters(said.fields)]
        case Look():
            lines += _looks(said)
    return "\n".join(lines).rstrip() + "\n"


def _parameters(parameters: Any) -> Iterator[str]:
    yield from ("| parameter | required | |", "|---|:--:|---|")
    for one in cast("list[Parameter]", parameters):
        ours = " [ours]" if one.name in OURS_PARAMETERS else ""
        yield f"| `{one.name}`{ours} | {'yes' if one.required else 'no'} | {_cell(one.meaning)}{_values(one.schema)} |"
    yield ""


def _values(schema: Mapping[str, Any]) -> str:
    """The values that a parameter takes, where they are few, and what it is when absent."""
    said = ""
    if "enum" in schema:
        said += " One of " + ", ".join(f"`{value}`" for value in schema["enum"]) + "."
    if "minimum" in schema and "maximum" in schema:
        said += f" From {schema['minimum']} to {schema['maximum']}."
    if "maxLength" in schema:
        said += f" At most {schema['maxLength']} characters."
    if "default" in schema:
        said += f" Default: `{schema['default']}`."
    return said


def _answers(call: Call) -> Iterator[str]:
    yield from ("| answer | |", "|---|---|")
    for name in call.answers:
        for field, meaning_ in _fields("", SHAPES[name]):
            yield f"| `{field}` | {meaning_} |"
        if name != call.answers[-1]:
            yield "| *or* | |"
    yield ""


def _fields(before: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, said in schema["properties"].items():
        yield f"{before}{name}", _cell(_type(said) + said.get("description", ""))
        items = said.get("items", {})
        if "$ref" in items:
            yield from _fields(f"{before}{name}[].", SHAPES[items["$ref"].rsplit("/")[-1]])
        for number, other in enumerate(items.get("oneOf", [items] if "properties" in items else [])):
            rows = list(_fields(f"{before}{name}[].", other))
            yield from rows if number == 0 else [row for row in rows if row[0].endswith(".error")]


def _type(said: Mapping[str, Any]) -> str:
    kinds = said.get("type", "value")
    word = " or ".join(kinds) if isinstance(kinds, list) else kinds
    constant = f", `{said['const']!r}`".replace("'", '"') if "const" in said else ""
    return f"{word}{constant}. "


def _codes(call: Call) -> Iterator[str]:
    yield from (f"| `{call.family.value}` of a refusal | |", "|--:|---|")
    codes = sorted(call.codes, key=lambda code: (code < 0, abs(code)))
    internal = 9999 if call.family is Family.ACCOUNT else -999
    for code in [*codes, internal]:
        said = meaning(code) if code in codes else "internal error"
        yield f"| {int(code)} | {said}{' [ours]' if code in OURS_CODES else ''} |"
    yield ""


def _looks(look: Look) -> Iterator[str]:
    yield from ("| HTTP | answer |", "|--:|---|")
    for status, name in look.answers.items():
        fields = (
            [f"`{field}`" for field, _ in _fields("", SHAPES[name])] if "properties" in SHAPES[name] else []
        )
        yield f"| {status} | `{look.media_type}` {', '.join(fields)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").strip()


# What the contract says of a status beside its word; and which parts of that are ours.
_STATUSES = {
    Status.UNKNOWN: "unknown id",
    Status.REROUTING: "the first choice of carrier failed, another is being tried",
    Status.DELIVERED: "the receipt says delivered",
    Status.EXPIRED: "not delivered in time",
    Status.DELETED: "deleted by the network; also cancelled [ours]",
    Status.UNDELIVERABLE: "the network cannot deliver it",
    Status.REJECTED: "rejected by the network; also refused by every carrier [ours]",
    Status.SUBMITTED: "accepted from the customer, not yet handed to a network",
    Status.SENT: "handed to the network, no receipt yet",
    Status.NO_ROUTE: "no route. At submission: answered at once; routes gone later: refunded",
    Status.SOURCE_NOT_ALLOWED: "source address not allowed. At submission: answered at once",
    Status.CONTENT_BLOCKED: "content filter: reserved",
    Status.INVALID_CONTENT: "text lacks the originator's name: reserved",
}


def codes(kind: str) -> str:
    """The overview's table of one kind of codes."""
    if kind == "statuses":
        rows = ["| code | priority | final | word | |", "|--:|--:|:--:|---|---|"]
        for status in Status:
            row = TABLE[status]
            ours = " [ours]" if status is Status.REROUTING else ""
            final = "yes" if row.final else "no"
            rows.append(
                f"| {int(status)} | {row.priority}{ours} | {final} | {row.word} | {_STATUSES[status]} |"
            )
        return "\n".join(rows) + "\n"
    known = AccountCode if kind == "account" else MessageError
    rows = ["| code | |", "|--:|---|"]
    rows += [f"| {int(one)} | {one.meaning}{' [ours]' if one in OURS_CODES else ''} |" for one in known]
    return "\n".join(rows) + "\n"


def renewed(page: str) -> str:
    """The page with its tables made anew."""
    page = BLOCK.sub(lambda found: f"{found[1]}{described(found[2])}{found[4]}", page)
    return CODES.sub(lambda found: f"{found[1]}{codes(found[2])}{found[4]}", page)


def paths_of(page: str) -> list[str]:
    return [found[2] for found in BLOCK.finditer(page)]


if __name__ == "__main__":
    for file in sorted(PAGES.glob("*.md")):
        file.write_text(renewed(file.read_text(encoding="utf-8")), encoding="utf-8")
