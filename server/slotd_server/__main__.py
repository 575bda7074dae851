"""`slotd serve`, also as `python -m slotd_server`. Its flags are the settings."""

import asyncio
import gc
import os
import sys
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import click

from slotd_server.app import StartError
from slotd_server.logs import configure_logs
from slotd_server.process import run
from slotd_server.settings import Settings, SettingsError, load

_GARBAGE = (20_000, 50, 50)
"""`gc.set_threshold`: 700, 10, 10 by default."""


def _with_flags(command: Callable[..., None]) -> Callable[..., None]:
    for entry in reversed(fields(Settings)):
        several = isinstance(entry.default, tuple)
        shown = f" [default: {entry.default}]" if entry.default not in ("", ()) else ""
        command = click.option(
            f"--{entry.metadata['flag'] or entry.name.replace('_', '-')}",
            entry.name,
            type=str if several else entry.type,
            multiple=several,
            help=f"{entry.metadata['what']} (SLOTD_{entry.name.upper()}){shown}",
        )(command)
    return command


@click.command()
@click.argument("modules", nargs=-1, metavar="[MODULE …]")
@click.option(
    "--config", metavar="FILE", help="a TOML file of settings; environment and flags go over it (SLOTD_CONFIG)"
)
@_with_flags
def serve(modules: tuple[str, ...], config: str | None, **flags: Any) -> None:
    """Start the service. Each MODULE, a dotted name or a .py file, registers handlers.

    Prints one line once it answers: "slotd listening on HOST:PORT". SIGTERM or SIGINT drains and stops it, twice at
    once; SIGHUP reads the number of slots anew.
    """

    def settings() -> Settings:
        return load(flags, os.environ, config or os.environ.get("SLOTD_CONFIG"))

    try:
        chosen = settings()
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    configure_logs(chosen.log_level, chosen.log_format)
    # Jobs, events and messages are values without cycles, and most die young: by default a fifth of a busy service's
    # time goes into looking for garbage among them.
    gc.freeze()
    gc.set_threshold(*_GARBAGE)
    try:
        status = asyncio.run(run(chosen, modules, settings))
    except StartError as error:
        raise click.ClickException(str(error)) from error
    sys.stdout.flush()
    sys.stderr.flush()
    # A handler that did not stop still has its thread, and nothing that it does may hold up the end.
    os._exit(status)


if __name__ == "__main__":
    serve()
