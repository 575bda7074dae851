"""The commands that change jobs: cancel, retry, delete, purge."""

import sys
from collections.abc import Callable

import click

import slotd
from slotd import v1
from slotd.cli import documents, text
from slotd.cli.arguments import name
from slotd.cli.completion import complete_job_ids
from slotd.cli.errors import Status, failure
from slotd.cli.selection import selection_options
from slotd.cli.session import Session, shared_options
from slotd.requests import FilterFields


@click.command()
@click.argument("ids", type=name, metavar="ID...", nargs=-1, required=True, shell_complete=complete_job_ids)
@shared_options()
@click.pass_obj
def cancel(session: Session, *, ids: tuple[str, ...]) -> None:
    """Cancel jobs; running ones are asked to stop."""
    _each(session, ids, session.client.cancel)


@click.command()
@click.argument("ids", type=name, metavar="ID...", nargs=-1, required=True, shell_complete=complete_job_ids)
@shared_options()
@click.pass_obj
def retry(session: Session, *, ids: tuple[str, ...]) -> None:
    """Put failed or cancelled jobs back, with fresh attempts."""
    _each(session, ids, session.client.retry)


@click.command()
@click.argument("ids", type=name, metavar="ID...", nargs=-1, required=True, shell_complete=complete_job_ids)
@click.option("--force", is_flag=True, help="Cancel those first that have not ended.")
@shared_options()
@click.pass_obj
def delete(session: Session, *, ids: tuple[str, ...], force: bool) -> None:
    """Delete jobs that have ended."""

    def change(job_id: str) -> None:
        session.client.delete(job_id, force=force)

    _each(session, ids, change)


def _each(session: Session, ids: tuple[str, ...], change: Callable[[str], v1.Job | None]) -> None:
    """Change one after the other. One that is refused does not keep the others from it; a service that is gone does."""
    refused = False
    for job_id in ids:
        try:
            job = change(job_id)
        except slotd.Error as error:
            ended = failure(error, session.address)
            if ended.status != Status.REFUSED or len(ids) == 1:
                raise
            ended.show()
            refused = True
            continue
        if session.json:
            found = documents.document(job) if job else {"id": job_id, "deleted": True}
            session.print(documents.text(found) if len(ids) == 1 else documents.line(found))
        else:
            session.print(f"{text.printable(job_id)} {_became(job)}")
    if refused:
        click.get_current_context().exit(int(Status.REFUSED))


def _became(job: v1.Job | None) -> str:
    if job is None:
        return "deleted"
    if job.cancel_requested and job.state not in text.TERMINAL:
        return f"{text.state_name(job.state)}, asked to stop"
    return text.state_name(job.state)


@click.command()
@selection_options
@click.option("--dry-run", is_flag=True, help="Only count them.")
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
@shared_options()
@click.pass_obj
def purge(session: Session, *, selection: FilterFields, dry_run: bool, yes: bool) -> None:
    """Delete all jobs that have ended and match.

    On a terminal it says how many there are and asks first.
    """
    if not dry_run and not yes and sys.stdin.isatty() and sys.stderr.isatty():
        count = session.client.purge(**selection, validate_only=True)
        every = "all that match" if selection else "all of them"
        # The question goes to standard error: standard output is the answer's.
        if count and not click.confirm(f"Delete {_jobs(count)} that ended, {every}?", err=True):
            session.note("nothing was deleted")
            return
    count = session.client.purge(**selection, validate_only=dry_run)
    if session.json:
        session.print(documents.line({"purge_count": count, "validate_only": dry_run}))
    else:
        session.print(f"{_jobs(count)} would be deleted" if dry_run else f"{_jobs(count)} deleted")


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"
