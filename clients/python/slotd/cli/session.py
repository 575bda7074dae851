"""What one invocation of the command knows: which service, which output form, the time, where it writes."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar

import click
from rich.console import Console

from slotd.client import Client

DEFAULT_ADDRESS = "127.0.0.1:7433"

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class PipeConsole(Console):
    """A rich console that leaves a broken pipe to the caller instead of ending the process by itself."""

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError."""
        raise BrokenPipeError


@dataclass
class Session:
    """The settings that all commands share. `now` is the clock: aware times."""

    address: str = DEFAULT_ADDRESS
    output: str = "table"
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    @cached_property
    def client(self) -> Client:
        """The client, made at first use; nothing connects before the first call."""
        try:
            client = Client(self.address)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        click.get_current_context().find_root().call_on_close(client.close)
        return client

    @property
    def json(self) -> bool:
        """Whether JSON was asked for."""
        return self.output == "json"

    @cached_property
    def console(self) -> Console:
        """Standard output. Colours and live displays are for a terminal alone, whatever the environment forces."""
        terminal = sys.stdout.isatty()
        return PipeConsole(file=sys.stdout, force_terminal=terminal, highlight=False, soft_wrap=False)

    @property
    def live(self) -> bool:
        """Whether a display may move the cursor: a terminal that can, and no JSON."""
        return self.console.is_terminal and not self.console.is_dumb_terminal and not self.json

    def print(self, line: str = "") -> None:
        """Write a line to standard output, at once, so that who reads a pipe sees it when it happens."""
        click.echo(line)
        sys.stdout.flush()

    def note(self, line: str) -> None:
        """Write a line to standard error: a remark that is no part of the answer."""
        click.echo(line, err=True)


def current(ctx: click.Context) -> Session:
    """The invocation's session, made where there is none yet."""
    return ctx.find_root().ensure_object(Session)


def _set_address(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        current(ctx).address = value


def _set_output(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        current(ctx).output = value


def shared_options(root: bool = False) -> Callable[[Decorated], Decorated]:
    """`--address` and `--output-format`, which go before the command as well as after it; the later one holds."""

    def decorate(command: Decorated) -> Decorated:
        command = click.option(
            "--address",
            metavar="HOST:PORT",
            envvar="SLOTD_ADDRESS" if root else None,
            show_envvar=root,
            expose_value=False,
            is_eager=True,
            callback=_set_address,
            help=f"The service, or unix:PATH.  [default: {DEFAULT_ADDRESS}]" if root else "The service.",
        )(command)
        return click.option(
            "-o",
            "--output-format",
            type=click.Choice(["table", "json"]),
            expose_value=False,
            is_eager=True,
            callback=_set_output,
            help="How to answer.  [default: table]" if root else "How to answer.",
        )(command)

    return decorate
