"""The forms of values on the command line: durations, times, states, labels, ids, ties, and what may be `none`.

Each is a function from the words typed to the value; it raises click.BadParameter, which click completes with the name
of the option.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final, TypeVar

import click
from click.shell_completion import CompletionItem

import slotd
from slotd import v1
from slotd.requests import KEEP, Keep

STATES = tuple(name.removeprefix("JOB_STATE_").lower() for name in v1.JobState.keys()[1:])

CONFLICTS = tuple(name.removeprefix("UNIQUE_CONFLICT_").lower() for name in v1.UniqueConflict.keys()[1:])
OVERLAPS = tuple(name.removeprefix("OVERLAP_POLICY_").lower() for name in v1.OverlapPolicy.keys()[1:])

T = TypeVar("T")


class Nothing(Enum):
    """The type of NONE: None already is an option that was not given."""

    NONE = "none"


NONE: Final = Nothing.NONE

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
# The longest that a protobuf Duration can hold, in seconds.
_LONGEST = 315_576_000_000


def duration(typed: str) -> timedelta:
    """Seconds, or numbers with units: `90`, `1.5`, `250ms`, `1h30m`. Never negative."""
    text = typed.strip().lower()
    parts = _PART.findall(text)
    if re.fullmatch(r"\d+(\.\d+)?", text):
        seconds = float(text)
    elif parts and "".join(number + unit for number, unit in parts) == text:
        seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    else:
        raise click.BadParameter(
            f"{typed!r} is no duration: write seconds (90, 1.5) or units (250ms, 30s, 5m, 1h30m, 7d)"
        )
    if seconds > _LONGEST:
        raise click.BadParameter(f"{typed!r} is longer than can be said")
    # A timedelta holds 86 billion seconds more than a protobuf Duration: no overflow.
    return timedelta(seconds=seconds)


def moment(typed: str) -> datetime:
    """A date and time of ISO 8601, local where it has no offset, as an aware datetime in UTC."""
    try:
        return datetime.fromisoformat(typed).astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{typed!r} is no time: write 2030-01-31T18:30, with Z or +02:00 if not local"
        ) from None


def after(now: datetime, delay: timedelta) -> datetime:
    """The time that `--delay` means. Raises click.UsageError."""
    try:
        return now + delay
    except OverflowError:
        raise click.UsageError("--delay leads beyond the year 9999") from None


def state(typed: str) -> v1.JobState.ValueType:
    """A job state, by its short name in any case, or its full one."""
    name = typed.lower().removeprefix("job_state_")
    if name not in STATES:
        raise click.BadParameter(f"{typed!r} is no state; the states are {', '.join(STATES)}")
    return v1.JobState.Value(f"JOB_STATE_{name.upper()}")


def complete_states(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The states that begin so."""
    return [CompletionItem(name) for name in STATES if name.startswith(incomplete.lower())]


def label(typed: str) -> tuple[str, str]:
    """`key=value`; the value may hold further equals signs."""
    key, equals, content = typed.partition("=")
    if not key or not equals:
        raise click.BadParameter(f"{typed!r} is no label: write key=value")
    return key, content


def name(typed: str) -> str:
    """An id, a kind or a queue. What form it has is the service's to say, but it is not empty."""
    if not typed.strip():
        raise click.BadParameter("it is empty")
    return typed


def claim(typed: str) -> v1.ResourceClaim:
    """`NAME`, `NAME:exclusive` or `NAME:shared`."""
    resource, colon, mode = typed.partition(":")
    if not resource.strip() or (colon and mode not in ("exclusive", "shared")):
        raise click.BadParameter(f"{typed!r} is no claim: write NAME, or NAME:shared")
    return slotd.shared(resource) if mode == "shared" else slotd.exclusive(resource)


def dependency(typed: str) -> v1.Dependency:
    """A job's id, or its ref in the same batch; with `:ended` it is enough that it ends."""
    target, ended = _ended(typed)
    return slotd.after(target, ended=ended)


def group_dependency(typed: str) -> v1.Dependency:
    """A group; with `:ended` it is enough that its jobs end."""
    target, ended = _ended(typed)
    return slotd.after_group(target, ended=ended)


def _ended(typed: str) -> tuple[str, bool]:
    target, colon, condition = typed.partition(":")
    if not target.strip() or (colon and condition != "ended"):
        raise click.BadParameter(f"{typed!r} is nothing to wait for: write its name, or name:ended")
    return target, bool(colon)


def rate(typed: str) -> float:
    """Starts a second; `30/m` and `100/h` are by the minute and the hour."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(?:/([smhd]))?", typed.strip().lower())
    if not found or not float(found[1]):
        raise click.BadParameter(f"{typed!r} is no rate: write starts a second (10, 0.5), or 30/m, 100/h")
    return float(found[1]) / _UNITS[found[2] or "s"]


def or_none(parse: Callable[[str], T]) -> Callable[[str], T | Nothing]:
    """What `parse` takes, or `none`, which is NONE."""

    def parsed(typed: str) -> T | Nothing:
        return NONE if typed.strip().lower() == "none" else parse(typed)

    return parsed


def setting(value: T | Nothing | None) -> T | Keep | None:
    """An option for the client: not given is KEEP, NONE is None."""
    return KEEP if value is None else None if value is NONE else value


def limit(most: int) -> Callable[[str], int | Nothing]:
    """A number from 0 to `most`, or `none`."""

    def limit(typed: str) -> int:
        text = typed.strip().lower()
        if not re.fullmatch(r"[0-9]{1,19}", text) or int(text) > most:
            raise click.BadParameter(f"{typed!r} is neither a number from 0 to {most} nor none")
        return int(text)

    return or_none(limit)


def checked_json(text: str, what: str) -> None:
    """Raise click.UsageError, saying where, unless `text` is JSON as RFC 8259 has it."""

    def refuse(constant: str) -> None:
        raise click.UsageError(f"{what} isn't JSON: {constant} is not a JSON number")

    try:
        json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        hint = " (text needs quotes of its own: '\"text\"')" if re.fullmatch(r"[\w. /-]+", text) else ""
        where = f"line {error.lineno}, column {error.colno}"
        raise click.UsageError(f"{what} isn't JSON: {error.msg} at {where}{hint}") from None
    except RecursionError:
        raise click.UsageError(f"{what} isn't JSON that can be read: it is nested too deeply") from None
    except ValueError:
        # A number with more digits than Python turns into an integer; it is JSON all the same.
        return
