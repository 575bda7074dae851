"""What is done to many jobs at once: counted first, asked about on a terminal, and told of afterwards."""

import signal
import sys
from collections.abc import Callable
from typing import NamedTuple

import click

from slotd.cli import documents, text
from slotd.cli.session import Session


class Words(NamedTuple):
    """How to speak of it: `Cancel 3 jobs not ended yet, all of them?`, `3 jobs cancelled`. JSON has `field`."""

    verb: str
    which: str
    done: str
    field: str

    def question(self, count: int, matching: str) -> str:
        """What is asked before; `matching` says of what the jobs are all."""
        return " ".join(part for part in (self.verb, text.jobs(count), self.which) if part) + f", {matching}?"


CANCEL = Words("Cancel", "not ended yet", "cancelled", "cancel_count")
RETRY = Words("Retry", "that ended without success", "retried", "retry_count")
DELETE = Words("Delete", "that ended", "deleted", "delete_count")
FORCE_DELETE = Words("Delete", "", "deleted", "delete_count")
PURGE = Words("Delete", "that ended", "deleted", "purge_count")


def in_bulk(
    session: Session, words: Words, change: Callable[[bool], int], matching: str, *, dry_run: bool, yes: bool
) -> None:
    """Make the change, once it has been agreed to where somebody can be asked.

    `change` returns the number of jobs; with True it only counts them.
    """
    if not dry_run and not yes and sys.stdin.isatty() and sys.stderr.isatty():
        count = change(True)
        if count and not _agreed(words.question(count, matching)):
            session.note(f"nothing was {words.done}")
            return
    count = change(dry_run)
    if session.json:
        session.print(documents.line({words.field: count, "validate_only": dry_run}))
    else:
        session.print(f"{text.jobs(count)} {'would be ' if dry_run else ''}{words.done}")


def _agreed(question: str) -> bool:
    """Whether somebody says yes. Ctrl-C ends the process there and then."""
    # The kernel may hand the signal to one of gRPC's threads, and Python would see it only after the next key.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        # On standard error: standard output is the answer's.
        return click.confirm(question, err=True)
    finally:
        signal.signal(signal.SIGINT, before)
