"""Where a command's password comes from: the option, a file, or a prompt that doesn't show it.

Refuses to go on without one (a usage error), and never repeats it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, TextIO, TypeVar

import click

from rejoinder.flow.operator import values
from rejoinder.flow.passwords import hash_password

T = TypeVar("T")


_option = click.option("--password", metavar="P", help="Without it: from --password-file, or asked for.")
_file_option = click.option(
    "--password-file",
    # Some editors put a byte order mark before it.
    type=click.File("r", encoding="utf-8-sig"),
    metavar="FILE",
    help="A file whose first line is the password; - is standard input.",
)


def with_password(command: Callable[..., T]) -> Callable[..., T]:
    """Gives a command --password and --password-file, and hands it `password_hash`."""

    @_option
    @_file_option
    @wraps(command)
    def called(*args: Any, password: str | None, password_file: TextIO | None, **kwargs: Any) -> T:
        given = values.password("password", _given(password, password_file))
        return command(*args, password_hash=hash_password(given), **kwargs)

    return called


def with_optional_password(
    check: Callable[[str, str], str],
) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """The same for a command that may go without one: `password_hash` is None then. `check`: what a password is."""

    def given_to(command: Callable[..., T]) -> Callable[..., T]:
        @click.option("--password", metavar="P")
        @_file_option
        @wraps(command)
        def called(*args: Any, password: str | None, password_file: TextIO | None, **kwargs: Any) -> T:
            if password is None and password_file is None:
                return command(*args, password_hash=None, **kwargs)
            given = check("password", _given(password, password_file))
            return command(*args, password_hash=hash_password(given), **kwargs)

        return called

    return given_to


def _given(password: str | None, password_file: TextIO | None) -> str:
    if password is not None and password_file is not None:
        raise click.UsageError("give --password or --password-file, not both")
    if password is not None:
        return password
    if password_file is not None:
        try:
            return password_file.readline().rstrip("\r\n")
        except UnicodeDecodeError:
            raise click.UsageError("the password file is not UTF-8") from None
    if not sys.stdin.isatty():
        raise click.UsageError("a password is needed: --password or --password-file")
    prompted: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return prompted
