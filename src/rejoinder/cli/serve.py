"""rejoinder serve."""

from __future__ import annotations

import click

from rejoinder.cli.call import DEFAULT_DATABASE, example, refusals


@click.command(
    epilog=example("rejoinder serve --database sqlite:///rejoinder.db --listen 127.0.0.1:8080"),
)
@click.option("--config", metavar="FILE", help="Settings in TOML (docs/configuration.md).")
@click.option(
    "--database",
    metavar="URL",
    envvar="REJOINDER_DATABASE",
    show_envvar=True,
    help=f"Overrides the file's; without either {DEFAULT_DATABASE}.",
)
@click.option("--listen", metavar="HOST:PORT", help="Overrides the file's; without either 127.0.0.1:8080.")
def serve(config: str | None, database: str | None, listen: str | None) -> None:
    """Run the message centre until SIGTERM."""
    # The server's modules are many: only this command loads them.
    from rejoinder import app
    from rejoinder.config import load

    with refusals():
        app.run(load(config, {"database": database, "listen": listen}))
