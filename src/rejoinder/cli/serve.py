"""rejoinder serve."""

from __future__ import annotations

import os

import click

from rejoinder.cli.call import DEFAULT_DATABASE, example, refusals


@click.command(
    epilog=example("rejoinder serve --database sqlite:///rejoinder.db --listen 127.0.0.1:8080"),
)
@click.option(
    "--config",
    metavar="FILE",
    envvar="REJOINDER_CONFIG",
    show_envvar=True,
    help="Settings in TOML (docs/configuration.md).",
)
@click.option(
    "--database",
    metavar="URL",
    envvar="REJOINDER_DATABASE",
    show_envvar=True,
    help=f"Overrides the file's; without either {DEFAULT_DATABASE}.",
)
@click.option("--listen", metavar="HOST:PORT", help="Overrides the file's; without either 127.0.0.1:8080.")
@click.option("--smpp-listen", metavar="HOST:PORT", help="Also let users bind over SMPP there.")
@click.option(
    "--smpp-tls-cert", metavar="FILE", help="The SMPP server's certificate (PEM): it speaks TLS only."
)
@click.option("--smpp-tls-key", metavar="FILE", help="The certificate's key, where it is another file (PEM).")
def serve(config: str | None, **given: str | None) -> None:
    """Run the message centre until SIGTERM."""
    # The server's modules are many: only this command loads them.
    from rejoinder import app
    from rejoinder.config import load, strangers

    with refusals():
        settings = load(config, given)
        for name in strangers(os.environ):
            click.echo(f"rejoinder: {name} is no setting; it is ignored", err=True)
        app.run(settings)
