"""`slotd submit`: a new job, and what becomes of it."""

import sys
from datetime import datetime, timedelta
from pathlib import Path

import click

import slotd
from slotd import v1
from slotd.cli import details, documents, text
from slotd.cli.arguments import checked_json, duration, label, moment, name
from slotd.cli.completion import complete_kinds, complete_queues
from slotd.cli.errors import Failure, Status
from slotd.cli.following import as_json, as_lines, follow
from slotd.cli.live import Bar
from slotd.cli.session import Session, shared_options

_JSON = "application/json"


@click.command()
@click.argument("kind", type=name, metavar="KIND", shell_complete=complete_kinds)
@click.argument("payload", metavar="[JSON]", required=False)
@click.option("--wait", is_flag=True, help="Follow the job to its end; exit status 1 unless it succeeded.")
@click.option("-q", "--queue", type=name, metavar="NAME", shell_complete=complete_queues, help="The queue it waits in.")
@click.option("--priority", type=click.IntRange(-1000, 1000), metavar="N", help="Higher ones go first; -1000 to 1000.")
@click.option(
    "-l", "--label", "labels", type=label, metavar="KEY=VALUE", multiple=True, help="A label; may be given again."
)
@click.option(
    "--at", type=moment, metavar="TIME", help="Not before this time: 2030-01-31T18:30, local unless it has an offset."
)
@click.option("--delay", type=duration, help="Not before so long from now: seconds, or 30s, 5m, 2h, 1d.")
@click.option("--timeout", type=duration, help="The longest that one attempt may take.")
@click.option("--max-attempts", type=click.IntRange(1, 10_000), metavar="N", help="Attempts in all; 1 never retries.")
@click.option("--queue-timeout", type=duration, help="The longest that it may wait for its first start.")
@click.option("--retention", type=duration, help="How long it is kept once it has ended.")
@click.option("--request-id", metavar="ID", help="Makes it safe to repeat the command: one job for one id.")
@click.option(
    "--file",
    "path",
    type=click.Path(allow_dash=True, dir_okay=False),
    metavar="PATH",
    help="Take the payload from a file; - is standard input.",
)
@click.option("--content-type", metavar="TYPE", help=f"What the payload is.  [default: {_JSON}]")
@click.option("--validate-only", is_flag=True, help="Only say whether it would be taken; show what it would be.")
@shared_options()
@click.pass_obj
def submit(
    session: Session,
    *,
    kind: str,
    payload: str | None,
    wait: bool,
    queue: str | None,
    priority: int | None,
    labels: tuple[tuple[str, str], ...],
    at: datetime | None,
    delay: timedelta | None,
    timeout: timedelta | None,
    max_attempts: int | None,
    queue_timeout: timedelta | None,
    retention: timedelta | None,
    request_id: str | None,
    path: str | None,
    content_type: str | None,
    validate_only: bool,
) -> None:
    """Submit a job of KIND, with JSON as its payload.

    Prints the job's id once the job is stored. With --wait it shows how the job goes on, and then its result.

    \b
    slotd submit thumbnail '{"path": "cat.png"}' --wait
    slotd submit report --delay 1h --label team=blue
    slotd submit import --file rows.csv --content-type text/csv
    """
    if at is not None and delay is not None:
        raise click.UsageError("--at and --delay exclude each other")
    if wait and validate_only:
        raise click.UsageError("--wait and --validate-only exclude each other")
    spec = slotd.spec(
        kind,
        _payload(payload, path, content_type),
        queue=queue,
        priority=priority,
        labels=dict(labels) or None,
        schedule_time=at if delay is None else _after(session.now(), delay),
        timeout=timeout,
        max_attempts=max_attempts,
        queue_timeout=queue_timeout,
        retention=retention,
    )
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


def _payload(argument: str | None, path: str | None, content_type: str | None) -> v1.Payload | None:
    if argument is not None and path is not None:
        raise click.UsageError("the payload comes from the argument or from --file, not from both")
    if argument is None and path is None:
        if content_type is not None:
            raise click.UsageError("--content-type needs a payload: the argument JSON, or --file")
        return None
    form = content_type or _JSON
    source = "the payload" if path is None else "standard input" if path == "-" else path
    data = argument.encode(errors="surrogateescape") if argument is not None else _read(path or "")
    if form.partition(";")[0].strip().lower() == _JSON:
        try:
            written = data.decode()
        except UnicodeDecodeError as error:
            raise click.UsageError(f"{source} isn't JSON: byte {error.start} is not UTF-8") from None
        checked_json(written, source)
    return v1.Payload(content_type=form, data=data)


def _read(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror or error}") from None


def _after(now: datetime, delay: timedelta) -> datetime:
    try:
        return now + delay
    except OverflowError:
        raise click.UsageError("--delay leads beyond the year 9999") from None


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
