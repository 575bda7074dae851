"""`slotd workers`."""

from datetime import datetime

import click

from slotd import v1
from slotd.cli import documents, tables, text
from slotd.cli.session import Session, shared_options

_WORKERS = (
    tables.Column("NAME"),
    tables.Column("KINDS"),
    tables.Column("SLOTS", right=True),
    tables.Column("RUNNING", right=True),
    tables.Column("ZOMBIE", right=True, spare=True),
    tables.Column("UP FOR", right=True, whole=True),
    tables.Column("STATE"),
    tables.Column("CLIENT", spare=True),
    tables.Column("SERVER", spare=True),
    tables.Column("WORKER", whole=True),
)


@click.command()
@click.option("--drain", metavar="WORKER", help="Ask this one to end what it runs, take nothing more, and leave.")
@shared_options()
@click.pass_obj
def workers(session: Session, *, drain: str | None) -> None:
    """List the workers: who they are, what they run, and how many slots they have."""
    found = session.client.list_workers() if drain is None else [session.client.drain_worker(drain)]
    if session.json:
        for line in documents.array(found):
            session.print(line)
        return
    now = session.now()
    tables.draw(session.console, _WORKERS, (_row(one, now) for one in found))


def _row(found: v1.Worker, now: datetime) -> tables.Row:
    return (
        text.printable(found.name),
        text.printable(", ".join(found.kinds)),
        str(found.slots),
        str(found.running),
        str(found.zombie),
        text.length(now - text.moment(found.start_time)) if found.HasField("start_time") else "-",
        _state(found),
        text.printable(found.client),
        text.printable(found.server),
        text.printable(found.id),
    )


def _state(found: v1.Worker) -> str:
    if not found.connected:
        return "away"
    return "draining" if found.draining else ""
