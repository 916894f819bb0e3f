"""docs/configuration.md, written from where settings are declared: `python -m rejoinder.cli.reference`."""

from __future__ import annotations

from rejoinder import config
from rejoinder.carriers.registry import describe

_CARRIERS = """
## Carriers

`rejoinder carrier add NAME --kind KIND --set KEY=VALUE …`; a running server takes a change over within a second.
Secret settings are never shown again. A simulator's settings may also stand for one handset:
`number.<NUMBER>.<key>`.
"""


def page() -> str:
    """The whole page as Markdown."""
    lines = [config.as_markdown(), _CARRIERS]
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
