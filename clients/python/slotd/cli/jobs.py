"""The commands that read jobs: get, list, wait, output."""

import sys
from base64 import b64encode
from datetime import timedelta
from encodings import utf_8
from itertools import islice

import click

from slotd import v1
from slotd.cli import details, documents, tables, text
from slotd.cli.arguments import duration, name
from slotd.cli.completion import complete_job_ids
from slotd.cli.errors import Failure, Status
from slotd.cli.selection import selection_options
from slotd.cli.session import Session, shared_options
from slotd.cli.submitting import conclude, end_with
from slotd.requests import FilterFields

_LIMIT = 50
_PAGE = 500


@click.command()
@click.argument("job_id", type=name, metavar="ID", shell_complete=complete_job_ids)
@shared_options()
@click.pass_obj
def get(session: Session, *, job_id: str) -> None:
    """Show a job in full: its request, its attempts, its result."""
    show_job(session, session.client.get(job_id))


def show_job(session: Session, job: v1.Job) -> None:
    """Write a job in full."""
    if session.json:
        session.print(documents.text(documents.document(job)))
    else:
        details.show(session.console, job, session.now())


@click.command(name="list")
@selection_options
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help=f"At most so many.  [default: {_LIMIT}]")
@click.option("--all", "everything", is_flag=True, help="All that match.")
@shared_options()
@click.pass_obj
def list_(session: Session, *, selection: FilterFields, limit: int | None, everything: bool) -> None:
    """List jobs, newest first."""
    if everything and limit is not None:
        raise click.UsageError("--limit and --all exclude each other")
    most = None if everything else limit or _LIMIT
    found = iter(session.client.list(**selection, page_size=_PAGE if most is None else min(most + 1, _PAGE)))
    jobs = islice(found, most)
    if session.json:
        for line in documents.array(jobs):
            session.print(line)
    else:
        tables.jobs(session.console, jobs, session.now())
    if session.console.is_terminal and next(found, None) is not None:
        session.note(f"the newest {most}; --limit N or --all shows more")


@click.command()
@click.argument("job_id", type=name, metavar="ID", shell_complete=complete_job_ids)
@click.option("--timeout", type=duration, help="Wait so long at most; then the exit status is 124.")
@shared_options()
@click.pass_obj
def wait(session: Session, *, job_id: str, timeout: timedelta | None) -> None:
    """Wait until a job has ended, and say how.

    The exit status is 0 if it succeeded and 1 if it failed or was cancelled.
    """
    job = session.client.wait(job_id, timeout=timeout)
    if session.json:
        session.print(documents.text(documents.document(job)))
    elif job.state in text.TERMINAL:
        conclude(session, job)
    if job.state not in text.TERMINAL:
        raise Failure(f"job {job.id} is still {text.state_name(job.state)}", Status.TIMED_OUT)
    end_with(job)


@click.command()
@click.argument("job_id", type=name, metavar="ID", shell_complete=complete_job_ids)
@click.option("-f", "--follow", is_flag=True, help="Go on until the job has ended.")
@click.option("--offset", type=click.IntRange(0, 2**63 - 1), default=0, metavar="N", help="Begin at this byte.")
@shared_options()
@click.pass_obj
def output(session: Session, *, job_id: str, follow: bool, offset: int) -> None:
    """Write what a job wrote, byte for byte.

    With -o json, a JSON object for each piece: its offset, its data in base64, and its text.
    """
    # A character may lie across two pieces; the decoder keeps its first half for the next.
    decoder = utf_8.IncrementalDecoder("replace")
    pieces = session.client.read_output(job_id, offset=offset, follow=follow)
    for data in pieces:
        if session.json:
            piece = {"offset": offset, "data": b64encode(data).decode(), "text": decoder.decode(data)}
            session.print(documents.line(piece))
        else:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        offset += len(data)
    if pieces.truncated:
        session.note("it wrote more than is kept: this is the beginning")
