"""The filter options that `list`, `watch`, `purge` and what works in bulk share, and what they select."""

import functools
from collections.abc import Callable
from typing import Any

import click

from slotd import v1
from slotd.cli.arguments import complete_states, label, name, state
from slotd.cli.completion import complete_groups, complete_job_ids, complete_kinds, complete_queues, complete_schedules
from slotd.requests import FilterFields


def selected(
    job_ids: tuple[str, ...] = (),
    queues: tuple[str, ...] = (),
    kinds: tuple[str, ...] = (),
    states: tuple[v1.JobState.ValueType, ...] = (),
    labels: tuple[tuple[str, str], ...] = (),
    groups: tuple[str, ...] = (),
    schedules: tuple[str, ...] = (),
    depends_on: tuple[str, ...] = (),
) -> FilterFields:
    """The filter that the client takes; what is empty is left out of it, so that it matches all."""
    found = FilterFields()
    if job_ids:
        found["job_ids"] = job_ids
    if queues:
        found["queues"] = queues
    if kinds:
        found["kinds"] = kinds
    if states:
        found["states"] = states
    if labels:
        found["labels"] = dict(labels)
    if groups:
        found["groups"] = groups
    if schedules:
        found["schedules"] = schedules
    if depends_on:
        found["depends_on"] = depends_on
    return found


def selection_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the filter options; the command gets them as FilterFields named `selection`.

    A command's own argument `ids` is added to the ids of `--id`.
    """

    @click.option(
        "--id",
        "job_ids",
        type=name,
        metavar="ID",
        multiple=True,
        shell_complete=complete_job_ids,
        help="Only these jobs.",
    )
    @click.option(
        "-q",
        "--queue",
        "queues",
        type=name,
        metavar="NAME",
        multiple=True,
        shell_complete=complete_queues,
        help="Only jobs of these queues.",
    )
    @click.option(
        "-k",
        "--kind",
        "kinds",
        type=name,
        metavar="KIND",
        multiple=True,
        shell_complete=complete_kinds,
        help="Only jobs of these kinds.",
    )
    @click.option(
        "-s",
        "--state",
        "states",
        type=state,
        metavar="STATE",
        multiple=True,
        shell_complete=complete_states,
        help="Only jobs in these states: scheduled, blocked, queued, running, succeeded, failed, cancelled.",
    )
    @click.option(
        "-l",
        "--label",
        "labels",
        type=label,
        metavar="KEY=VALUE",
        multiple=True,
        help="Only jobs with all of these labels.",
    )
    @click.option(
        "-g",
        "--group",
        "groups",
        type=name,
        metavar="NAME",
        multiple=True,
        shell_complete=complete_groups,
        help="Only jobs of these groups.",
    )
    @click.option(
        "--schedule",
        "schedules",
        type=name,
        metavar="NAME",
        multiple=True,
        shell_complete=complete_schedules,
        help="Only jobs that these schedules made.",
    )
    @click.option(
        "--depends-on",
        "depends_on",
        type=name,
        metavar="ID",
        multiple=True,
        shell_complete=complete_job_ids,
        help="Only jobs that depend on these.",
    )
    @functools.wraps(command)
    def wrapper(
        *args: Any,
        job_ids: tuple[str, ...],
        queues: tuple[str, ...],
        kinds: tuple[str, ...],
        states: tuple[v1.JobState.ValueType, ...],
        labels: tuple[tuple[str, str], ...],
        groups: tuple[str, ...],
        schedules: tuple[str, ...],
        depends_on: tuple[str, ...],
        ids: tuple[str, ...] = (),
        **rest: Any,
    ) -> None:
        selection = selected((*job_ids, *ids), queues, kinds, states, labels, groups, schedules, depends_on)
        command(*args, selection=selection, **rest)

    return wrapper
