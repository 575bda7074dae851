"""The commands about queues, slots, counters and servers."""

from datetime import datetime

import click

from slotd import v1
from slotd.cli import documents, tables, text
from slotd.cli.arguments import NONE, Nothing, limit, name, or_none, rate, setting
from slotd.cli.completion import complete_queues
from slotd.cli.defaults import Defaults, defaults_options
from slotd.cli.session import Session, shared_options
from slotd.cli.suggesting import Suggesting
from slotd.requests import KEEP

_QUEUES = (
    tables.Column("QUEUE"),
    tables.Column("SLOTS", right=True),
    tables.Column("PAUSED"),
    tables.Column("MAX QUEUED", right=True, spare=True),
    tables.Column("RUNNING", right=True),
    tables.Column("QUEUED", right=True),
    tables.Column("SCHEDULED", right=True, spare=True),
    tables.Column("BLOCKED", right=True, spare=True),
    tables.Column("SUCCEEDED", right=True),
    tables.Column("FAILED", right=True),
    tables.Column("CANCELLED", right=True, spare=True),
)

_HOLDERS = (
    tables.Column("ID", whole=True),
    tables.Column("ATTEMPT", right=True),
    tables.Column("KIND"),
    tables.Column("QUEUE"),
    tables.Column("HELD FOR", right=True, whole=True),
    tables.Column("STATE", whole=True, state=True),
    tables.Column("WORKER"),
)

_POOLS = (
    tables.Column("SLOTS OF"),
    tables.Column("SLOTS", right=True),
    tables.Column("FREE", right=True),
    tables.Column("RUNNING", right=True),
    tables.Column("ZOMBIE", right=True),
    tables.Column("WORKER", whole=True),
)

_QUEUE_SLOTS = (
    tables.Column("QUEUE"),
    tables.Column("SLOTS", right=True),
    tables.Column("RUNNING", right=True),
    tables.Column("ZOMBIE", right=True),
)

_SERVERS = (
    tables.Column("NAME"),
    tables.Column("ADDRESS"),
    tables.Column("SLOTS", right=True),
    tables.Column("RUNNING", right=True),
    tables.Column("ZOMBIE", right=True, spare=True),
    tables.Column("UP FOR", right=True, whole=True),
    tables.Column("RENEWED", right=True, whole=True),
    tables.Column("LEASE", right=True, spare=True),
    tables.Column("DRAINING"),
    tables.Column("VERSION", spare=True),
    tables.Column("SERVER", whole=True),
    tables.Column("LOCAL"),
)

_NOW = ("scheduled", "blocked", "queued", "running", "succeeded", "failed", "cancelled")
_EVER = ("submitted", "started", "retried", "completed", "deleted")


@click.command()
@shared_options()
@click.pass_obj
def queues(session: Session) -> None:
    """List the queues, with their limits and counters."""
    found = list(session.client.list_queues())
    if session.json:
        for line in documents.array(found):
            session.print(line)
    else:
        tables.draw(session.console, _QUEUES, map(_queue_row, found), empty="no queues yet")


@click.group(cls=Suggesting)
@shared_options()
def queue() -> None:
    """Show or change one queue."""


@queue.command(name="get")
@click.argument("name", type=name, metavar="NAME", shell_complete=complete_queues)
@shared_options()
@click.pass_obj
def queue_get(session: Session, *, name: str) -> None:
    """Show a queue."""
    _show_queue(session, session.client.get_queue(name))


@queue.command(name="update")
@click.argument("name", type=name, metavar="NAME", shell_complete=complete_queues)
@click.option(
    "--slots",
    type=limit(2**31 - 1),
    metavar="N|none",
    help="How many of its jobs run at once; none: as many as the server has slots.",
)
@click.option("--pause/--resume", "paused", default=None, help="Start none of its jobs, or start them again.")
@click.option(
    "--max-queued", type=limit(2**63 - 1), metavar="N|none", help="How many of its jobs may wait; none: no limit."
)
@click.option(
    "--slots-per-key",
    type=limit(2**31 - 1),
    metavar="N|none",
    help="How many of its jobs with the same --key run at once; none: no limit.",
)
@click.option(
    "--rate",
    type=or_none(rate),
    metavar="RATE|none",
    help="How many of its jobs start in a time: 10 (a second), 30/m, 100/h; none: no limit.",
)
@click.option(
    "--burst", type=click.IntRange(1, 1_000_000), metavar="N", help="With --rate: how many start at once after a pause."
)
@click.option(
    "--retain-count",
    type=limit(2**63 - 1),
    metavar="N|none",
    help="How many of its succeeded and cancelled jobs are kept; none: no limit.",
)
@defaults_options
@shared_options()
@click.pass_obj
def queue_update(
    session: Session,
    *,
    name: str,
    slots: int | Nothing | None,
    paused: bool | None,
    max_queued: int | Nothing | None,
    slots_per_key: int | Nothing | None,
    rate: float | Nothing | None,
    burst: int | None,
    retain_count: int | Nothing | None,
    defaults: Defaults,
) -> None:
    """Change a queue's limits, and what its jobs get by default; a queue that is not there yet is made.

    \b
    slotd queue update video --slots 3 --max-queued 1000
    slotd queue update mail --rate 30/m --burst 5 --default-max-attempts 10
    slotd queue update tenants --slots-per-key 3
    """
    if burst is not None and (rate is None or rate is NONE):
        raise click.UsageError("--burst goes with --rate")
    limits = (slots, paused, max_queued, slots_per_key, rate, retain_count)
    if all(value is None for value in limits) and not defaults:
        raise click.UsageError("nothing to change: see slotd queue update --help")
    pace = setting(rate)
    found = session.client.update_queue(
        name,
        slots=setting(slots),
        paused=setting(paused),
        max_queued=setting(max_queued),
        defaults=defaults.applied(session.client, name) if defaults else KEEP,
        slots_per_key=setting(slots_per_key),
        rate_limit=v1.RateLimit(starts_per_second=pace, burst=burst or 0) if isinstance(pace, float) else pace,
        retain_count=setting(retain_count),
    )
    _show_queue(session, found)


def _show_queue(session: Session, found: v1.Queue) -> None:
    if session.json:
        session.print(documents.text(documents.document(found)))
        return
    tables.draw(session.console, _QUEUES, [_queue_row(found)])
    more = [pair for pair in _settings(found) if pair[1]]
    if more:
        session.print()
        tables.fields(session.console, more)


def _settings(found: v1.Queue) -> list[tuple[str, str]]:
    """What the table has no room for."""
    defaults, limit = found.defaults, found.rate_limit
    retry = defaults.retry
    return [
        ("slots per key", str(found.slots_per_key) if found.HasField("slots_per_key") else ""),
        ("rate", f"{limit.starts_per_second:g}/s, burst {max(limit.burst, 1)}" if found.HasField("rate_limit") else ""),
        ("retain count", str(found.retain_count) if found.HasField("retain_count") else ""),
        ("default priority", str(defaults.priority) if defaults.HasField("priority") else ""),
        ("default timeout", text.span(defaults.timeout) if defaults.HasField("timeout") else ""),
        ("default max attempts", str(retry.max_attempts) if retry.max_attempts else ""),
        ("default initial backoff", text.span(retry.initial_backoff) if retry.HasField("initial_backoff") else ""),
        ("default max backoff", text.span(retry.max_backoff) if retry.HasField("max_backoff") else ""),
        ("default multiplier", f"{retry.multiplier:g}" if retry.multiplier else ""),
        ("default jitter", f"{retry.jitter:g}" if retry.HasField("jitter") else ""),
        ("default queue timeout", text.span(defaults.queue_timeout) if defaults.HasField("queue_timeout") else ""),
        ("default retention", text.span(defaults.retention) if defaults.HasField("retention") else ""),
    ]


def _queue_row(found: v1.Queue) -> tables.Row:
    counters = found.counters
    return (
        text.printable(found.name),
        str(found.slots) if found.HasField("slots") else "-",
        "paused" if found.paused else "",
        str(found.max_queued) if found.HasField("max_queued") else "-",
        *(
            str(count)
            for count in (
                counters.running,
                counters.queued,
                counters.scheduled,
                counters.blocked,
                counters.succeeded,
                counters.failed,
                counters.cancelled,
            )
        ),
    )


@click.command()
@click.option("--resize", type=click.IntRange(0, 10_000), metavar="N", help="Change the server's pool; 0 pauses it.")
@shared_options()
@click.pass_obj
def slots(session: Session, *, resize: int | None) -> None:
    """Show the slots and who holds them; resize the pool."""
    if resize is not None:
        session.client.update_slots(resize)
    found = session.client.list_slots()
    if session.json:
        session.print(documents.text(documents.document(found)))
        return
    line = f"{found.slots} slots: {found.free} free, {found.running} running, {found.zombie} zombie"
    own = found.pools[0] if found.pools else found
    session.print(line + (f" (shrinking to {found.limit})" if found.limit < own.slots else ""))
    now = session.now()
    names = {pool.worker: pool.name or pool.worker for pool in found.pools}
    if found.holders:
        session.print()
        tables.draw(
            session.console,
            _HOLDERS,
            (
                (
                    holder.job_id,
                    str(holder.attempt),
                    text.printable(holder.kind),
                    text.printable(holder.queue),
                    text.length(now - text.moment(holder.start_time)),
                    "ZOMBIE" if holder.zombie else "RUNNING",
                    text.printable(names.get(holder.worker, "")),
                )
                for holder in found.holders
            ),
        )
    if len(found.pools) > 1:
        session.print()
        tables.draw(session.console, _POOLS, (_pool_row(pool) for pool in found.pools))
    if found.queues:
        session.print()
        tables.draw(
            session.console,
            _QUEUE_SLOTS,
            (
                (
                    text.printable(part.queue),
                    str(part.slots) if part.HasField("slots") else "-",
                    str(part.running),
                    str(part.zombie),
                )
                for part in found.queues
            ),
        )


@click.command()
@shared_options()
@click.pass_obj
def stats(session: Session) -> None:
    """Show the counters, now and ever, by queue and by kind."""
    found = session.client.get_stats()
    if session.json:
        session.print(documents.text(documents.document(found)))
        return
    parts = [("all", found.counters)]
    parts += [(f"queue {name}", found.queues[name]) for name in sorted(found.queues)]
    parts += [(f"kind {name}", found.kinds[name]) for name in sorted(found.kinds)]
    # Two tables: all counters beside each other are wider than most terminals.
    for title, names in (("NOW", _NOW), ("EVER", _EVER)):
        if title == "EVER":
            session.print()
        columns = (tables.Column(title), *(tables.Column(name.upper(), right=True) for name in names))
        tables.draw(
            session.console,
            columns,
            ((text.printable(of), *(str(getattr(counters, name)) for name in names)) for of, counters in parts),
        )


def _pool_row(pool: v1.PoolSlots) -> tables.Row:
    name = text.printable(pool.name) if pool.worker else "the server itself"
    return (name, str(pool.slots), str(pool.free), str(pool.running), str(pool.zombie), text.printable(pool.worker))


@click.command()
@shared_options()
@click.pass_obj
def servers(session: Session) -> None:
    """List the servers that share the store: their slots and leases."""
    found = session.client.list_servers()
    if session.json:
        for line in documents.array(found):
            session.print(line)
        return
    now = session.now()
    tables.draw(session.console, _SERVERS, (_server_row(one, now) for one in found))


def _server_row(found: v1.Server, now: datetime) -> tables.Row:
    return (
        text.printable(found.name),
        text.printable(found.address),
        str(found.slots),
        str(found.running),
        str(found.zombie),
        text.length(now - text.moment(found.start_time)),
        f"{text.length(now - text.moment(found.renew_time))} ago" if found.HasField("renew_time") else "-",
        text.span(found.lease) if found.HasField("lease") else "-",
        "draining" if found.draining else "",
        text.printable(found.version),
        text.printable(found.id),
        "local" if found.local else "",
    )
