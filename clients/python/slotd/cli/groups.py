"""The commands about groups of jobs."""

import click
from rich.progress_bar import ProgressBar
from rich.table import Table

from slotd import v1
from slotd.cli import bulk, documents, tables
from slotd.cli.arguments import name
from slotd.cli.completion import complete_groups
from slotd.cli.session import Session, shared_options
from slotd.cli.suggesting import Suggesting

_STATES = ("scheduled", "blocked", "queued", "running", "succeeded", "failed", "cancelled")
_GROUP = (
    tables.Column("GROUP"),
    tables.Column("JOBS", right=True),
    tables.Column("ENDED", right=True),
    *(tables.Column(state.upper(), right=True) for state in _STATES),
)
_BAR = 40


@click.group(cls=Suggesting)
@shared_options()
def group() -> None:
    """Show or cancel the jobs of a group."""


@group.command(name="show")
@click.argument("name", type=name, metavar="NAME", shell_complete=complete_groups)
@shared_options()
@click.pass_obj
def group_show(session: Session, *, name: str) -> None:
    """Show how far a group has come: its jobs by state.

    `slotd watch --group NAME` follows them, `slotd list --group NAME` lists them.
    """
    found = session.client.get_group(name)
    if session.json:
        session.print(documents.text(documents.document(found)))
        return
    _show(session, found.group)


def _show(session: Session, group: v1.Group) -> None:
    row = (group.name, str(group.jobs), str(group.progress.done), *(str(getattr(group, state)) for state in _STATES))
    tables.draw(session.console, _GROUP, [row])
    if session.console.is_terminal and group.progress.total:
        bar = Table.grid(padding=(0, 1))
        bar.add_column(width=_BAR)
        share = group.progress.done / group.progress.total
        bar.add_row(
            ProgressBar(total=group.progress.total, completed=group.progress.done, width=_BAR),
            # Rounded down: 100% is said only when all have ended.
            f"{int(share * 100)}%",
        )
        session.console.print(bar)


@group.command(name="cancel")
@click.argument("name", type=name, metavar="NAME", shell_complete=complete_groups)
@click.option("--dry-run", is_flag=True, help="Only count them.")
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
@shared_options()
@click.pass_obj
def group_cancel(session: Session, *, name: str, dry_run: bool, yes: bool) -> None:
    """Cancel all jobs of a group that have not ended.

    On a terminal it says how many there are and asks first.
    """

    def change(count_only: bool) -> int:
        return session.client.cancel_group(name, validate_only=count_only)

    bulk.in_bulk(session, bulk.CANCEL, change, f"all of group {name}", dry_run=dry_run, yes=yes)
