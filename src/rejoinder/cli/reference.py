"""docs/configuration.md, written from where settings are declared: `python -m rejoinder.cli.reference`."""

from __future__ import annotations

from rejoinder.carriers.registry import describe
from rejoinder.config import ENVIRONMENT_PREFIX, SETTINGS

_SETTINGS = f"""# Configuration

Settings come from a TOML file (`--config FILE` of any command, or REJOINDER_CONFIG), are overruled by
environment variables ({ENVIRONMENT_PREFIX}NAME in capitals), and those by options of the command line. What
counts messages, calls or connections counts those of one server: several servers on one database each have the
whole of it.

| key | default | meaning |
|---|---|---|
"""
_CARRIERS = """
## Carriers

`rejoinder carrier add NAME --kind KIND --set KEY=VALUE …`; a running server takes a change over within a second.
Secret settings are never shown again. A simulator's settings may also stand for one handset:
`number.<NUMBER>.<key>`.
"""


def page() -> str:
    """The whole page as Markdown."""
    lines = [_SETTINGS, *(f"| `{s.name}` | `{s.default}` | {s.help} |\n" for s in SETTINGS), _CARRIERS]
    for kind in ("simulator", "http", "smpp"):
        lines += [f"\n### Kind `{kind}`\n\n", "| key | default | meaning |\n", "|---|---|---|\n"]
        for setting in describe(kind):
            default = (
                "required" if setting.default is None else f"`{setting.default}`" if setting.default else ""
            )
            secret = " (secret)" if setting.secret else ""
            lines.append(f"| `{setting.name}` | {_cell(default)} | {_cell(setting.help)}{secret} |\n")
    return "".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    print(page(), end="")
