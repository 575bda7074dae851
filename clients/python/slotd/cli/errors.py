"""What the command says, and with which status it ends, when something goes wrong."""

from enum import IntEnum
from typing import IO, Any

import click

import slotd


class Status(IntEnum):
    """The exit statuses."""

    OK = 0
    JOB_FAILED = 1
    """The job that was waited for FAILED or was CANCELLED."""
    USAGE = 2
    """The command line is wrong; nothing was asked of the service."""
    REFUSED = 3
    """There is no such job, queue, group or schedule, or the service refused."""
    NO_SERVICE = 4
    """No service answers at the address, or it can't take the request now."""
    TIMED_OUT = 124
    """`wait --timeout` passed; the same number as of timeout(1)."""
    INTERRUPTED = 130
    """Ctrl-C: 128 and the signal's number, as shells do."""
    BROKEN_PIPE = 141
    """Who read the output went away: 128 and SIGPIPE."""


class Failure(click.ClickException):
    """An end with a message; `lines` follow it, indented, one each."""

    def __init__(self, message: str, status: Status, lines: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.lines = lines
        self.status = status

    @property
    def exit_code(self) -> int:  # type: ignore[override]
        """What click ends the process with."""
        return int(self.status)

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the message and its lines to `file`, by default standard error."""
        for line in (f"Error: {self.message}", *(f"  {line}" for line in self.lines)):
            click.echo(line, file=file, err=file is None)


def failure(error: slotd.Error, address: str) -> Failure:
    """Translate what a call to the service at `address` raised."""
    match error:
        case slotd.Unavailable(connected=False):
            return Failure(f"no service at {address}: start one with `slotd serve`", Status.NO_SERVICE)
        case slotd.Unavailable():
            return Failure(_with_hint(error), Status.NO_SERVICE, ("try again in a moment",))
        case slotd.DeadlineExceeded():
            return Failure(f"the service at {address} did not answer in time", Status.NO_SERVICE)
        case slotd.InvalidArgument() if error.field_violations:
            lines = tuple(f"{field}: {wrong}" for field, wrong in error.field_violations.items())
            return Failure("the service refused the request", Status.REFUSED, lines)
        case slotd.RevisionMismatch():
            return Failure(_with_hint(error), Status.REFUSED, ("somebody changed it meanwhile: look, and try again",))
        case slotd.AlreadyExists() if error.reason == "REQUEST_ID_REUSED":
            return Failure(_with_hint(error), Status.REFUSED, (f"the first job is {error.job_id}",))
        case slotd.CursorExpired():
            return Failure(
                _with_hint(error), Status.REFUSED, ("watch without --since begins with the jobs as they are",)
            )
        case slotd.ResourceExhausted() if error.retry_after:
            return Failure(_with_hint(error), Status.REFUSED, (f"try again in {error.retry_after:g} s",))
        case _:
            return Failure(_with_hint(error), Status.REFUSED)


def _with_hint(error: slotd.Error) -> str:
    message = error.message or f"the service answered {error.code.name}"
    return f"{message} ({error.reason})" if error.reason else message
