"""The command tree: which commands there are, and how every one of them ends."""

import importlib
import io
import os
import sys
from typing import Any

import click

import slotd
from slotd.cli import (
    changes,
    completion,
    groups,
    health,
    jobs,
    queues,
    schedules,
    submitting,
    top,
    watching,
    worker,
    workers,
)
from slotd.cli.errors import Failure, Status, failure
from slotd.cli.session import current, shared_options
from slotd.cli.suggesting import Suggesting


class Root(Suggesting):
    """The group above all commands: turns what they raise into words and exit statuses."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Raises Failure, UsageError or Exit, and nothing else that is expected to happen."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            # Where the locale can't write a character, its escape is better than no answer.
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            result = super().invoke(ctx)
            # What is still in the buffer fails here, if it fails, and not while the interpreter shuts down.
            sys.stdout.flush()
            return result
        except slotd.Error as error:
            raise failure(error, current(ctx).address) from error
        except UnicodeEncodeError as error:
            raise click.UsageError(f"not UTF-8: {error.object.encode(errors='surrogateescape')!r}") from None
        except (KeyboardInterrupt, click.Abort):
            click.echo(err=True)
            raise click.exceptions.Exit(Status.INTERRUPTED) from None
        except BrokenPipeError:
            # Who read the output has what it wants. Nothing may be written there again, not even at the exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(Status.BROKEN_PIPE) from None


class ServerCommand(click.Command):
    """A stand-in for a command of the service's own, which is imported only when it is called."""

    def __init__(self, name: str, module: str, short_help: str) -> None:
        super().__init__(name, short_help=short_help, add_help_option=False)
        self._module = module

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the real command. Raises Failure where the service isn't installed."""
        try:
            command: click.Command = getattr(importlib.import_module(self._module), self.name or "")
        except ModuleNotFoundError as missing:
            message = f"this command needs the module {missing.name}: install 'slotd[server]'"
            raise Failure(message, Status.USAGE) from missing
        return command.make_context(info_name, args, parent=parent, **extra)


@click.group(
    cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True}
)
@shared_options(root=True)
@click.version_option(package_name="slotd", prog_name="slotd")
@click.pass_context
def root(ctx: click.Context) -> None:
    """Jobs over gRPC: start the service, give it jobs, see what becomes of them.

    \b
    slotd serve handlers.py
    slotd submit thumbnail '{"path": "cat.png"}' --wait
    slotd watch

    Exit status: 0; 1 the job failed; 2 bad usage; 3 not found or refused; 4 no service there.
    """
    current(ctx)


for command in (
    ServerCommand("serve", "slotd_server.__main__", "Start the service, with the handlers of modules."),
    ServerCommand("migrate", "slotd_server.upkeep", "Bring a store to this version's schema."),
    ServerCommand("copy", "slotd_server.upkeep", "Copy a store to another engine, and verify it."),
    worker.worker,
    submitting.submit,
    jobs.get,
    jobs.list_,
    watching.watch,
    top.top,
    jobs.wait,
    jobs.output,
    changes.update,
    changes.cancel,
    changes.retry,
    changes.delete,
    changes.purge,
    groups.group,
    schedules.schedules,
    schedules.schedule,
    queues.queues,
    queues.queue,
    queues.slots,
    queues.stats,
    queues.servers,
    health.health,
    workers.workers,
    completion.completion,
):
    root.add_command(command)
