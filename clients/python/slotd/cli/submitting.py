"""`slotd submit`: a new job, or a batch of them, and what becomes of it."""

from datetime import datetime, timedelta

import click

import slotd
from slotd import v1
from slotd.cli import details, documents, text
from slotd.cli.arguments import CONFLICTS, after, dependency, duration, group_dependency, moment, name
from slotd.cli.batches import batch
from slotd.cli.completion import complete_groups, complete_job_ids, complete_kinds
from slotd.cli.errors import Failure, Status
from slotd.cli.following import Show, as_json, as_lines, follow
from slotd.cli.live import Bar, Board
from slotd.cli.payloads import decoded, payload_options, read, source_name
from slotd.cli.payloads import payload as read_payload
from slotd.cli.session import Session, shared_options
from slotd.cli.specs import given, spec_options
from slotd.jobspec import SpecFields
from slotd.streams import EventStream


@click.command()
@click.argument("kind", type=name, metavar="[KIND]", required=False, shell_complete=complete_kinds)
@click.argument("payload", metavar="[JSON]", required=False)
@click.option("--wait", is_flag=True, help="Follow the job to its end; exit status 1 unless it succeeded.")
@spec_options
@click.option(
    "--at", type=moment, metavar="TIME", help="Not before this time: 2030-01-31T18:30, local unless it has an offset."
)
@click.option("--delay", type=duration, help="Not before so long from now: seconds, or 30s, 5m, 2h, 1d.")
@click.option(
    "--depends-on",
    type=dependency,
    metavar="ID[:ended]",
    multiple=True,
    shell_complete=complete_job_ids,
    help="Not before this job has succeeded, or has ended; may be given again.",
)
@click.option(
    "--after-group",
    "after_groups",
    type=group_dependency,
    metavar="NAME[:ended]",
    multiple=True,
    shell_complete=complete_groups,
    help="Not before all jobs of this group have succeeded, or have ended; may be given again.",
)
@click.option(
    "--wait-for-retry", is_flag=True, help="Where what it depends on fails, wait until that is retried; else fail too."
)
@click.option("--unique-key", type=name, metavar="KEY", help="Only one job that has not ended has this key.")
@click.option("--unique-period", type=duration, help="The key stays taken for so long, also where the job ends before.")
@click.option(
    "--unique-conflict",
    type=click.Choice(CONFLICTS, case_sensitive=False),
    help="What to do when the key is taken.  [default: return_existing]",
)
@click.option("--request-id", metavar="ID", help="Makes it safe to repeat the command: one job for one id.")
@payload_options
@click.option("--validate-only", is_flag=True, help="Only say whether it would be taken; show what it would be.")
@shared_options()
@click.pass_obj
def submit(
    session: Session,
    *,
    kind: str | None,
    payload: str | None,
    wait: bool,
    fields: SpecFields,
    at: datetime | None,
    delay: timedelta | None,
    depends_on: tuple[v1.Dependency, ...],
    after_groups: tuple[v1.Dependency, ...],
    wait_for_retry: bool,
    unique_key: str | None,
    unique_period: timedelta | None,
    unique_conflict: str | None,
    request_id: str | None,
    path: str | None,
    content_type: str | None,
    validate_only: bool,
) -> None:
    """Submit a job of KIND, with JSON as its payload; or, without KIND, a batch from a file.

    Prints the job's id once the job is stored. With --wait it shows how the job goes on, and then its result.

    \b
    slotd submit thumbnail '{"path": "cat.png"}' --wait
    slotd submit report --delay 1h --label team=blue
    slotd submit import --file rows.csv --content-type text/csv
    slotd submit --file jobs.json --wait

    The file of a batch is a JSON object of jobs by names of their own, by which they may depend on each other. All are
    taken, or none:

    \b
    {"cut": {"kind": "cut", "payload": {"cloth": 3}},
     "sew": {"kind": "sew", "depends_on": ["cut"], "resources": ["machine"], "timeout": "5m"}}
    """
    if at is not None and delay is not None:
        raise click.UsageError("--at and --delay exclude each other")
    if wait and validate_only:
        raise click.UsageError("--wait and --validate-only exclude each other")
    dependencies = (*depends_on, *after_groups)
    for one in dependencies:
        one.wait_for_retry = wait_for_retry
    own = SpecFields(
        schedule_time=at if delay is None else after(session.now(), delay),
        depends_on=dependencies or None,
        unique_key=unique_key,
        unique_period=unique_period,
        unique_conflict=unique_conflict,
    )
    fields.update(given(own))
    if kind is None:
        if path is None:
            raise click.UsageError("give the KIND of the job, or --file with a batch of jobs")
        if fields or request_id is not None or content_type is not None:
            raise click.UsageError("without KIND the file is a batch: what is said of a job is said there")
        _submit_batch(session, path, wait, validate_only)
        return
    spec = slotd.spec(kind, read_payload(payload, path, content_type), **fields)
    request = v1.SubmitRequest(spec=spec, request_id=request_id or "", validate_only=validate_only)
    answer = session.client.send_submit(request)
    job = answer.job
    if wait:
        _follow_to_end(session, job, answer.cursor)
    elif session.json:
        session.print(documents.text(documents.document(job)))
    elif validate_only:
        details.show(session.console, job, session.now())
    else:
        session.print(job.id)


def _submit_batch(session: Session, path: str, wait: bool, validate_only: bool) -> None:
    source = source_name(path)
    request = batch(decoded(read(path), source), source, validate_only)
    answer = session.client.send_submit_batch(request)
    refs = [one.ref for one in request.requests]
    if wait:
        _follow_all(session, {job.id: job for job in answer.jobs})
    elif session.json:
        named = zip(refs, answer.jobs, strict=True)
        session.print(documents.text([{"ref": ref, "job": documents.document(job)} for ref, job in named]))
    elif validate_only:
        session.print(f"{text.jobs(len(answer.jobs))} would be taken")
    else:
        for ref, job in zip(refs, answer.jobs, strict=True):
            session.print(f"{job.id}  {text.printable(ref)}".rstrip())


def _follow_to_end(session: Session, job: v1.Job, cursor: str) -> None:
    events = session.client.stream(job_ids=job.id, cursor=cursor, view=v1.JOB_VIEW_FULL, include_progress=True)
    try:
        if session.live:
            with Bar(session.console, session.now, job) as bar:
                last = follow(events, bar.show)
        else:
            last = follow(events, as_json(session) if session.json else as_lines(session))
    except KeyboardInterrupt:
        session.note(f"job {job.id} goes on: `slotd watch {job.id}` follows it, `slotd cancel {job.id}` ends it")
        raise
    except slotd.Error:
        session.note(f"job {job.id} is stored; `slotd wait {job.id}` waits for it")
        raise
    finally:
        events.close()
    # Nothing happened since the answer where a repeated request id named a job that had already ended.
    ended = last.job if last else job
    if ended.state not in text.TERMINAL:
        raise Failure(f"job {job.id} was deleted before it ended", Status.REFUSED)
    if not session.json:
        conclude(session, ended)
    elif last is None:
        session.print(documents.line({"type": "EVENT_TYPE_SNAPSHOT", "job": documents.document(ended)}))
    end_with(ended)


def _follow_all(session: Session, jobs: dict[str, v1.Job]) -> None:
    # Without a cursor it begins with all of them as they are: whoever reads sees which there are.
    events = session.client.stream(job_ids=list(jobs), include_progress=session.live)
    try:
        if session.live:
            with Board(session.console, session.now) as board:
                _keep_last(events, board.show, jobs)
        else:
            _keep_last(events, as_json(session) if session.json else as_lines(session), jobs)
    except KeyboardInterrupt:
        session.note(f"{text.jobs(len(jobs))} of the batch: those that have not ended go on")
        raise
    finally:
        events.close()
    deleted = [job.id for job in jobs.values() if job.state not in text.TERMINAL]
    if deleted:
        raise Failure("jobs were deleted before they ended", Status.REFUSED, tuple(deleted))
    end_with(*jobs.values())


def _keep_last(events: EventStream, show: Show, jobs: dict[str, v1.Job]) -> None:
    """Follow the stream, and put the last copy of each job into `jobs`."""

    def keep(event: v1.JobEvent, cursor: str) -> None:
        jobs[event.job.id] = event.job
        show(event, cursor)

    follow(events, keep)


def conclude(session: Session, job: v1.Job) -> None:
    """Say how a job ended, and what came out."""
    took = text.run_time(job, session.now())
    session.console.print(
        f"{job.id} {text.state_name(job.state)}" + (f" in {took}" if took else ""),
        style=text.COLOURS.get(text.state_name(job.state), ""),
        markup=False,
        soft_wrap=True,
    )
    if job.HasField("error") and job.state != v1.JOB_STATE_SUCCEEDED:
        session.print(f"error: {text.error_line(job.error, 2000)}")
    if job.HasField("result"):
        session.print(f"result: {details.content(job.result)}")


def end_with(*jobs: v1.Job) -> None:
    """End the command with JOB_FAILED unless all jobs SUCCEEDED."""
    if any(job.state != v1.JOB_STATE_SUCCEEDED for job in jobs):
        click.get_current_context().exit(int(Status.JOB_FAILED))
