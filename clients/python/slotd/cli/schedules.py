"""The commands about schedules, which make jobs at set times."""

import functools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import click
from rich.console import Console

import slotd
from slotd import v1
from slotd.cli import details, documents, tables, text
from slotd.cli.arguments import OVERLAPS, Nothing, duration, moment, name, or_none, setting
from slotd.cli.completion import complete_kinds, complete_schedules
from slotd.cli.payloads import payload as read_payload
from slotd.cli.payloads import payload_options
from slotd.cli.session import Session, shared_options
from slotd.cli.specs import spec_options
from slotd.cli.suggesting import Suggesting
from slotd.jobspec import SpecFields
from slotd.schedule_requests import ScheduleFields

_SCHEDULES = (
    tables.Column("SCHEDULE"),
    tables.Column("WHEN"),
    tables.Column("KIND"),
    tables.Column("NEXT", whole=True),
    tables.Column("LAST", whole=True, spare=True),
    tables.Column("FIRED", right=True),
    tables.Column("SKIPPED", right=True, spare=True),
)


@click.command()
@shared_options()
@click.pass_obj
def schedules(session: Session) -> None:
    """List the schedules, with their next firings."""
    found = session.client.list_schedules()
    if session.json:
        for line in documents.array(found):
            session.print(line)
    else:
        tables.draw(session.console, _SCHEDULES, map(_row, found), empty="no schedules yet")


def _row(found: v1.Schedule) -> tables.Row:
    return (
        text.printable(found.name),
        _when(found),
        text.printable(found.spec.kind),
        "paused" if found.paused else text.local(found.next_fire_times[0]) if found.next_fire_times else "never",
        text.local(found.last_fire_time) if found.HasField("last_fire_time") else "-",
        str(found.fire_count),
        str(found.skip_count),
    )


def _when(found: v1.Schedule) -> str:
    if not found.cron:
        return f"every {text.span(found.interval)}"
    return text.printable(f"{found.cron} {found.time_zone}".rstrip())


@click.group(cls=Suggesting)
@shared_options()
def schedule() -> None:
    """Make, show or change one schedule."""


def timing_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say when it fires; the command gets what was given as ScheduleFields named `timing`."""

    @click.option(
        "--cron", metavar="FIELDS", help="Minute, hour, day of month, month, day of week: '30 2 * * mon-fri'."
    )
    @click.option("--every", type=duration, help="The time between two firings, instead of --cron.")
    @click.option("--time-zone", type=or_none(name), metavar="ZONE|none", help="Of --cron: Europe/Berlin; none: UTC.")
    @click.option(
        "--overlap",
        type=click.Choice(OVERLAPS, case_sensitive=False),
        help="What a firing does while an earlier job has not ended.  [default: skip]",
    )
    @click.option(
        "--catch-up",
        type=or_none(duration),
        metavar="DURATION|none",
        help="After a downtime, make up for firings missed by no more.  [default: 1h]",
    )
    @click.option(
        "--jitter", type=or_none(duration), metavar="DURATION|none", help="Put each firing off by up to this."
    )
    @click.option("--start", type=or_none(moment), metavar="TIME|none", help="Nothing fires before.")
    @click.option("--end", type=or_none(moment), metavar="TIME|none", help="Nothing fires after.")
    @functools.wraps(command)
    def wrapper(
        *args: Any,
        cron: str | None,
        every: timedelta | None,
        time_zone: str | Nothing | None,
        overlap: str | None,
        catch_up: timedelta | Nothing | None,
        jitter: timedelta | Nothing | None,
        start: datetime | Nothing | None,
        end: datetime | Nothing | None,
        **rest: Any,
    ) -> None:
        if cron is not None and every is not None:
            raise click.UsageError("--cron and --every exclude each other")
        options = {
            "cron": cron,
            "interval": every,
            "time_zone": time_zone,
            "overlap": overlap,
            "catch_up_window": catch_up,
            "jitter": jitter,
            "start_time": start,
            "end_time": end,
        }
        given = {field: setting(value) for field, value in options.items() if value is not None}
        command(*args, timing=given, **rest)

    return wrapper


@schedule.command(name="create")
@click.argument("name", type=name, metavar="NAME")
@click.argument("kind", type=name, metavar="KIND", shell_complete=complete_kinds)
@click.argument("payload", metavar="[JSON]", required=False)
@timing_options
@click.option("--paused", is_flag=True, help="Fire only when triggered, until it is resumed.")
@spec_options
@payload_options
@click.option("--validate-only", is_flag=True, help="Only check it, and show when it would fire.")
@shared_options()
@click.pass_obj
def schedule_create(
    session: Session,
    *,
    name: str,
    kind: str,
    payload: str | None,
    timing: ScheduleFields,
    paused: bool,
    fields: SpecFields,
    path: str | None,
    content_type: str | None,
    validate_only: bool,
) -> None:
    """Make a schedule, which submits a job of KIND, with JSON as its payload, at each firing.

    \b
    slotd schedule create nightly report '{"of": "day"}' --cron '0 3 * * *' --time-zone Europe/Berlin
    slotd schedule create poll fetch --every 5m --overlap queue_one
    """
    if "cron" not in timing and "interval" not in timing:
        raise click.UsageError("say when it fires: --cron or --every")
    spec = slotd.spec(kind, read_payload(payload, path, content_type), **fields)
    timing["paused"] = paused
    _show(session, session.client.create_schedule(name, spec, validate_only=validate_only, **timing))


@schedule.command(name="show")
@click.argument("name", type=name, metavar="NAME", shell_complete=complete_schedules)
@shared_options()
@click.pass_obj
def schedule_show(session: Session, *, name: str) -> None:
    """Show a schedule: its job, its next firings, and the newest jobs that it made."""
    _show(session, session.client.get_schedule(name))


@schedule.command(name="update")
@click.argument("name", type=name, metavar="NAME", shell_complete=complete_schedules)
@timing_options
@click.option("-k", "--kind", type=name, metavar="KIND", shell_complete=complete_kinds, help="The kind of its jobs.")
@click.option("--payload", metavar="JSON", help="Their payload.")
@spec_options
@payload_options
@shared_options()
@click.pass_obj
def schedule_update(
    session: Session,
    *,
    name: str,
    timing: ScheduleFields,
    kind: str | None,
    payload: str | None,
    fields: SpecFields,
    path: str | None,
    content_type: str | None,
) -> None:
    """Change a schedule; what is not said stays as it is."""
    data = read_payload(payload, path, content_type)
    if kind is None and data is None and not fields:
        if not timing:
            raise click.UsageError("nothing to change: see slotd schedule update --help")
        _show(session, session.client.update_schedule(name, **timing))
        return
    # The service takes the job only as a whole.
    found = session.client.get_schedule(name)
    changes = slotd.spec(kind or found.spec.kind, data, **fields)
    spec = _changed(found.spec, changes)
    _show(session, session.client.update_schedule(name, spec=spec, revision=found.revision, **timing))


def _changed(spec: v1.JobSpec, changes: v1.JobSpec) -> v1.JobSpec:
    """The spec with what `changes` says in place of what it said; of `retry` field by field."""
    changed = v1.JobSpec()
    changed.CopyFrom(spec)
    for field, _ in changes.ListFields():
        if field.name != "retry":
            changed.ClearField(field.name)  # type: ignore[arg-type]
    changed.MergeFrom(changes)
    return changed


@schedule.command(name="delete")
@click.argument("name", type=name, metavar="NAME", shell_complete=complete_schedules)
@shared_options()
@click.pass_obj
def schedule_delete(session: Session, *, name: str) -> None:
    """Delete a schedule; the jobs that it made stay."""
    session.client.delete_schedule(name)
    session.print(
        documents.text({"name": name, "deleted": True}) if session.json else f"{text.printable(name)} deleted"
    )


@schedule.command(name="pause")
@click.argument("name", type=name, metavar="NAME", shell_complete=complete_schedules)
@shared_options()
@click.pass_obj
def schedule_pause(session: Session, *, name: str) -> None:
    """Stop firing."""
    _show(session, session.client.pause_schedule(name))


@schedule.command(name="resume")
@click.argument("name", type=name, metavar="NAME", shell_complete=complete_schedules)
@shared_options()
@click.pass_obj
def schedule_resume(session: Session, *, name: str) -> None:
    """Fire again, from now on."""
    _show(session, session.client.resume_schedule(name))


@schedule.command(name="trigger")
@click.argument("name", type=name, metavar="NAME", shell_complete=complete_schedules)
@click.option("--request-id", metavar="ID", help="Makes it safe to repeat the command: one job for one id.")
@shared_options()
@click.pass_obj
def schedule_trigger(session: Session, *, name: str, request_id: str | None) -> None:
    """Fire now; prints the job's id."""
    job = session.client.trigger_schedule(name, request_id=request_id)
    session.print(documents.text(documents.document(job)) if session.json else job.id)


def _show(session: Session, found: v1.Schedule) -> None:
    if session.json:
        session.print(documents.text(documents.document(found)))
    else:
        _fields(session.console, found, session.now())


def _fields(console: Console, found: v1.Schedule, now: datetime) -> None:
    spec = found.spec
    tables.fields(
        console,
        [
            ("schedule", text.printable(found.name)),
            ("when", _when(found)),
            ("paused", "yes" if found.paused else ""),
            ("overlap", _overlap(found.overlap)),
            ("catch-up", text.span(found.catch_up_window) if found.HasField("catch_up_window") else ""),
            ("jitter", text.span(found.jitter) if found.HasField("jitter") else ""),
            ("start", text.when(found.start_time, now) if found.HasField("start_time") else ""),
            ("end", text.when(found.end_time, now) if found.HasField("end_time") else ""),
            ("kind", text.printable(spec.kind)),
            ("queue", text.printable(spec.queue)),
            ("max attempts", str(spec.retry.max_attempts) if spec.retry.max_attempts else ""),
            *details.asked_for(spec),
            ("fired", str(found.fire_count)),
            ("skipped", str(found.skip_count) if found.skip_count else ""),
            ("last", text.when(found.last_fire_time, now) if found.HasField("last_fire_time") else ""),
            *(("next", text.when(time, now)) for time in found.next_fire_times),
            *(("job", job_id) for job_id in found.recent_job_ids),
        ],
    )


def _overlap(policy: v1.OverlapPolicy.ValueType) -> str:
    if policy not in v1.OverlapPolicy.values():
        return str(policy)
    # Not set means SKIP.
    return v1.OverlapPolicy.Name(policy or v1.OVERLAP_POLICY_SKIP).removeprefix("OVERLAP_POLICY_").lower()
