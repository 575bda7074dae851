"""The commands that change jobs: update, cancel, retry, delete, purge."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import click

import slotd
from slotd import v1
from slotd.cli import bulk, documents, text
from slotd.cli.arguments import Nothing, after, duration, label, moment, name, or_none, setting
from slotd.cli.completion import complete_job_ids, complete_queues
from slotd.cli.errors import Status, failure
from slotd.cli.jobs import show_job
from slotd.cli.selection import selection_options
from slotd.cli.session import Session, shared_options
from slotd.requests import KEEP, FilterFields

Decorated = TypeVar("Decorated", bound=Callable[..., None])


@click.command()
@click.argument("job_id", type=name, metavar="ID", shell_complete=complete_job_ids)
@click.option("--priority", type=click.IntRange(-1000, 1000), metavar="N", help="Higher ones go first; -1000 to 1000.")
@click.option(
    "-l",
    "--label",
    "labels",
    type=label,
    metavar="KEY=VALUE",
    multiple=True,
    help="A label, in place of all that it has; may be given again.",
)
@click.option("--no-labels", is_flag=True, help="Take its labels away.")
@click.option(
    "-q", "--queue", type=name, metavar="NAME", shell_complete=complete_queues, help="The queue to move it to."
)
@click.option("--at", type=or_none(moment), metavar="TIME|none", help="Not before this time; none: now.")
@click.option("--delay", type=duration, help="Not before so long from now.")
@click.option(
    "--revision", type=click.IntRange(min=1), metavar="N", help="Only if it has not changed since this revision."
)
@shared_options()
@click.pass_obj
def update(
    session: Session,
    *,
    job_id: str,
    priority: int | None,
    labels: tuple[tuple[str, str], ...],
    no_labels: bool,
    queue: str | None,
    at: datetime | Nothing | None,
    delay: timedelta | None,
    revision: int | None,
) -> None:
    """Change a job that waits."""
    if at is not None and delay is not None:
        raise click.UsageError("--at and --delay exclude each other")
    if labels and no_labels:
        raise click.UsageError("--label and --no-labels exclude each other")
    if priority is None and queue is None and at is None and delay is None and not labels and not no_labels:
        raise click.UsageError("nothing to change: give --priority, --label, --no-labels, --queue, --at or --delay")
    job = session.client.update(
        job_id,
        priority=KEEP if priority is None else priority,
        schedule_time=setting(at) if delay is None else after(session.now(), delay),
        labels=dict(labels) if labels or no_labels else KEEP,
        queue=KEEP if queue is None else queue,
        revision=revision or 0,
    )
    show_job(session, job)


def which_options(command: Decorated) -> Decorated:
    """The filter options, as `selection`, and those about doing it in bulk: `everything`, `dry_run` and `yes`."""
    command = click.option("-y", "--yes", is_flag=True, help="Don't ask.")(command)
    command = click.option("--dry-run", is_flag=True, help="Only count those that match.")(command)
    command = click.option("--all", "everything", is_flag=True, help="All there are.")(command)
    command = selection_options(command)  # type: ignore[assignment]
    return click.argument("jobs", type=name, metavar="[ID]...", nargs=-1, shell_complete=complete_job_ids)(command)


@click.command()
@which_options
@shared_options()
@click.pass_obj
def cancel(
    session: Session, *, jobs: tuple[str, ...], selection: FilterFields, everything: bool, dry_run: bool, yes: bool
) -> None:
    """Cancel jobs, those of the IDs or all that match; running ones are asked to stop.

    \b
    slotd cancel 0198c1a2-…
    slotd cancel --kind thumbnail --state queued --dry-run

    On a terminal it says how many match and asks first.
    """
    if _by_id(jobs, selection, everything, dry_run):
        _each(session, jobs, session.client.cancel)
        return

    def change(count_only: bool) -> int:
        return session.client.bulk_cancel(**selection, validate_only=count_only)

    bulk.in_bulk(session, bulk.CANCEL, change, _matching(selection), dry_run=dry_run, yes=yes)


@click.command()
@which_options
@click.option("--dependents", is_flag=True, help="Those too that failed because of it; with IDs only.")
@shared_options()
@click.pass_obj
def retry(
    session: Session,
    *,
    jobs: tuple[str, ...],
    selection: FilterFields,
    everything: bool,
    dry_run: bool,
    yes: bool,
    dependents: bool,
) -> None:
    """Put failed or cancelled jobs back, with fresh attempts: those of the IDs or all that match.

    On a terminal it says how many match and asks first.
    """
    if _by_id(jobs, selection, everything, dry_run):
        _each(session, jobs, lambda job_id: session.client.retry(job_id, dependents=dependents))
        return
    if dependents:
        raise click.UsageError("--dependents goes with IDs")

    def change(count_only: bool) -> int:
        return session.client.bulk_retry(**selection, validate_only=count_only)

    bulk.in_bulk(session, bulk.RETRY, change, _matching(selection), dry_run=dry_run, yes=yes)


@click.command()
@which_options
@click.option("--force", is_flag=True, help="Cancel those first that have not ended.")
@shared_options()
@click.pass_obj
def delete(
    session: Session,
    *,
    jobs: tuple[str, ...],
    selection: FilterFields,
    everything: bool,
    dry_run: bool,
    yes: bool,
    force: bool,
) -> None:
    """Delete jobs that have ended, those of the IDs or all that match.

    On a terminal it says how many match and asks first.
    """
    if _by_id(jobs, selection, everything, dry_run):
        _each(session, jobs, lambda job_id: session.client.delete(job_id, force=force))
        return

    def change(count_only: bool) -> int:
        return session.client.bulk_delete(**selection, force=force, validate_only=count_only)

    words = bulk.FORCE_DELETE if force else bulk.DELETE
    bulk.in_bulk(session, words, change, _matching(selection), dry_run=dry_run, yes=yes)


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

    def change(count_only: bool) -> int:
        return session.client.purge(**selection, validate_only=count_only)

    bulk.in_bulk(session, bulk.PURGE, change, _matching(selection), dry_run=dry_run, yes=yes)


def _by_id(ids: tuple[str, ...], selection: FilterFields, everything: bool, dry_run: bool) -> bool:
    """Whether IDs say which jobs. Raises UsageError unless they, or options, or --all do, and only one of the three."""
    if ids and (selection or everything or dry_run):
        raise click.UsageError("say which jobs by their IDs or by options, not by both")
    if selection and everything:
        raise click.UsageError("--all leaves no room for other options")
    if not ids and not selection and not everything:
        raise click.UsageError("say which jobs: by their IDs, by options such as --state, or by --all")
    return bool(ids)


def _matching(selection: FilterFields) -> str:
    return "all that match" if selection else "all of them"


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
