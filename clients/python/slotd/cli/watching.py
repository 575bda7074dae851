"""`slotd watch`: what happens to jobs, as it happens."""

import click

from slotd import v1
from slotd.cli.arguments import name
from slotd.cli.completion import complete_job_ids
from slotd.cli.following import as_json, as_lines, follow
from slotd.cli.live import Board
from slotd.cli.selection import selection_options
from slotd.cli.session import Session, shared_options
from slotd.requests import FilterFields


@click.command()
@click.argument("ids", type=name, metavar="[ID]...", nargs=-1, shell_complete=complete_job_ids)
@selection_options
@click.option("--since", metavar="CURSOR", help="Begin after this position, which an earlier watch gave.")
@click.option("--latest", is_flag=True, help="Skip steps in between when they come faster than they are read.")
@click.option(
    "--progress/--no-progress", default=None, help="Tell of progress and output too.  [default: on a terminal]"
)
@shared_options()
@click.pass_obj
def watch(
    session: Session,
    *,
    selection: FilterFields,
    since: str | None,
    latest: bool,
    progress: bool | None,
) -> None:
    """Show jobs as they are, then what happens to them.

    With IDs it ends when all of them have ended, else with Ctrl-C. On a terminal it is a live table; in a pipe, a line
    for each event; with -o json, a JSON object for each event.
    """
    events = session.client.stream(
        **selection,
        cursor=since or "",
        delivery=v1.DELIVERY_LATEST if latest else v1.DELIVERY_EVERY,
        include_progress=session.live if progress is None else progress,
    )
    try:
        if session.live:
            with Board(session.console, session.now) as board:
                follow(events, board.show)
        else:
            follow(events, as_json(session) if session.json else as_lines(session))
    except KeyboardInterrupt:
        if events.cursor:
            session.note(f"go on from here: slotd watch --since {events.cursor}")
        raise
    finally:
        events.close()
