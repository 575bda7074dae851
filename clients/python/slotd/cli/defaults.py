"""The options that say what jobs of a queue get by default."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import click

import slotd
from slotd import v1
from slotd.cli.arguments import NONE, Nothing, duration, or_none
from slotd.client import Client
from slotd.jobspec import duration as span


def _number(convert: Callable[[Any, None, None], Any]) -> Callable[[str], Any]:
    return or_none(lambda typed: convert(typed, None, None))


_OF_JOBS: dict[str, tuple[Callable[[str], Any], str, str]] = {
    "priority": (_number(click.IntRange(-1000, 1000).convert), "N", "Their priority."),
    "timeout": (or_none(duration), "DURATION", "The longest that one attempt may take."),
    "queue_timeout": (or_none(duration), "DURATION", "The longest that one may wait for its first start."),
    "retention": (or_none(duration), "DURATION", "How long one is kept once it has ended."),
}
_OF_RETRY: dict[str, tuple[Callable[[str], Any], str, str]] = {
    "max_attempts": (_number(click.IntRange(1, 10_000).convert), "N", "Attempts in all; 1 never retries."),
    "initial_backoff": (or_none(duration), "DURATION", "The wait before the second attempt."),
    "max_backoff": (or_none(duration), "DURATION", "No wait is longer."),
    "multiplier": (_number(click.FloatRange(1).convert), "X", "Each wait is the one before times this."),
    "jitter": (
        _number(click.FloatRange(0, 1).convert),
        "X",
        "Each wait is changed at random by up to this share.",
    ),
}


@dataclass(frozen=True)
class Defaults:
    """The options that were given, by field of QueueDefaults and of its RetryPolicy. False where there are none."""

    given: dict[str, timedelta | float | Nothing]

    def __bool__(self) -> bool:
        return bool(self.given)

    def applied(self, client: Client, queue: str) -> v1.QueueDefaults:
        """The queue's present defaults with these on top: the service takes them only as a whole."""
        try:
            found = client.get_queue(queue).defaults
        except slotd.NotFound:
            found = v1.QueueDefaults()
        for name, value in self.given.items():
            _set(found.retry if name in _OF_RETRY else found, name, value)
        if found.retry == v1.RetryPolicy():
            found.ClearField("retry")
        return found


def _set(message: v1.QueueDefaults | v1.RetryPolicy, name: Any, value: timedelta | float | Nothing) -> None:
    if value is NONE:
        message.ClearField(name)
    elif isinstance(value, timedelta):
        getattr(message, name).CopyFrom(span(value))
    else:
        setattr(message, name, value)


def defaults_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--default-…`; the command gets them as `defaults`."""

    @functools.wraps(command)
    def wrapper(*args: Any, **rest: Any) -> None:
        values = {name: rest.pop(f"default_{name}") for name in (*_OF_JOBS, *_OF_RETRY)}
        command(*args, defaults=Defaults({name: value for name, value in values.items() if value is not None}), **rest)

    for name, (parse, form, meaning) in reversed((_OF_JOBS | _OF_RETRY).items()):
        option = f"--default-{name.replace('_', '-')}"
        words = f"For jobs that don't say: {meaning[0].lower()}{meaning[1:]}"
        wrapper = click.option(option, type=parse, metavar=f"{form}|none", help=words)(wrapper)
    return wrapper
