"""The options that say what job it is to be, which `submit` and `schedule` share."""

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import click

from slotd import v1
from slotd.cli.arguments import claim, duration, label, name
from slotd.cli.completion import complete_groups, complete_queues
from slotd.jobspec import SpecFields


def spec_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options; the command gets those that were given as SpecFields named `fields`."""

    @click.option(
        "-q", "--queue", type=name, metavar="NAME", shell_complete=complete_queues, help="The queue it waits in."
    )
    @click.option(
        "--priority", type=click.IntRange(-1000, 1000), metavar="N", help="Higher ones go first; -1000 to 1000."
    )
    @click.option(
        "-l", "--label", "labels", type=label, metavar="KEY=VALUE", multiple=True, help="A label; may be given again."
    )
    @click.option("--timeout", type=duration, help="The longest that one attempt may take.")
    @click.option(
        "--max-attempts", type=click.IntRange(1, 10_000), metavar="N", help="Attempts in all; 1 never retries."
    )
    @click.option("--queue-timeout", type=duration, help="The longest that it may wait for its first start.")
    @click.option("--retention", type=duration, help="How long it is kept once it has ended.")
    @click.option(
        "--resource",
        "resources",
        type=claim,
        metavar="NAME[:shared]",
        multiple=True,
        help="What it holds while it runs, alone or shared; may be given again. repo/* is all below repo.",
    )
    @click.option(
        "-g", "--group", type=name, metavar="NAME", shell_complete=complete_groups, help="The group it belongs to."
    )
    @click.option(
        "--key", type=name, metavar="KEY", help="Whose job it is, for the queue's --slots-per-key; keys take turns."
    )
    @functools.wraps(command)
    def wrapper(
        *args: Any,
        queue: str | None,
        priority: int | None,
        labels: tuple[tuple[str, str], ...],
        timeout: timedelta | None,
        max_attempts: int | None,
        queue_timeout: timedelta | None,
        retention: timedelta | None,
        resources: tuple[v1.ResourceClaim, ...],
        group: str | None,
        key: str | None,
        **rest: Any,
    ) -> None:
        every = SpecFields(
            queue=queue,
            priority=priority,
            labels=dict(labels) or None,
            timeout=timeout,
            max_attempts=max_attempts,
            queue_timeout=queue_timeout,
            retention=retention,
            resources=resources or None,
            group=group,
            concurrency_key=key,
        )
        command(*args, fields=given(every), **rest)

    return wrapper


def given(fields: SpecFields) -> SpecFields:
    """The fields without those that say nothing."""
    return cast(SpecFields, {name: value for name, value in fields.items() if value is not None})
