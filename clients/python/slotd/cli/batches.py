"""Documents of jobs: a JSON object of jobs by their refs, or an array of jobs, that become one batch.

A job has the fields of `slotd.spec`, by the same names, and may have a `request_id` and, in an array, a `ref`.
Durations, times, resources and dependencies are written as in options; a dependency may be an object too:

    {"cut": {"kind": "cut", "payload": {"cloth": 3}},
     "sew": {"kind": "sew", "timeout": "5m", "resources": ["machine", "room:shared"], "depends_on": ["cut:ended"]},
     "tell": {"kind": "mail", "depends_on": [{"ref": "sew", "wait_for_retry": true}, {"group": "other-orders"}]}}
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

import slotd
from slotd import v1
from slotd.cli.arguments import checked_json, claim, dependency, duration, moment

T = TypeVar("T")

_TARGETS = ("job_id", "ref", "group")


def batch(text: str, source: str, validate_only: bool) -> v1.SubmitBatchRequest:
    """The batch that a document describes. Raises click.UsageError, which says where in `source` it is wrong."""
    checked_json(text, source)
    try:
        found = json.loads(text, object_pairs_hook=_unambiguous)
        jobs = _jobs(found)
        return v1.SubmitBatchRequest(requests=[_request(where, ref, job, validate_only) for where, ref, job in jobs])
    except click.BadParameter as error:
        raise click.UsageError(f"{source}: {error.message}") from None
    except ValueError as error:
        # A number with more digits than Python turns into an integer.
        raise click.UsageError(f"{source}: {error}") from None


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise click.BadParameter(f"the name {twice!r} is there twice in one object")
    return found


def _jobs(found: object) -> list[tuple[str, str, object]]:
    """Where each job is in the document, its ref if that is there, and the job."""
    if isinstance(found, dict):
        return [(repr(ref), ref, job) for ref, job in found.items()]
    if isinstance(found, list):
        return [(f"job {number}", "", job) for number, job in enumerate(found, 1)]
    raise click.BadParameter("it is neither an object of jobs by their refs nor an array of jobs")


def _request(where: str, ref: str, job: object, validate_only: bool) -> v1.SubmitRequest:
    fields = dict(_within(where, _object, job))
    if not ref:
        ref = _within(f"{where}: ref", _text, fields.pop("ref", ""))
    request_id = _within(f"{where}: request_id", _text, fields.pop("request_id", ""))
    if "kind" not in fields:
        raise click.BadParameter(f"{where}: it has no kind")
    kind = _within(f"{where}: kind", _text, fields.pop("kind"))
    payload = fields.pop("payload", None)
    unknown = fields.keys() - _FIELDS.keys()
    if unknown:
        raise click.BadParameter(f"{where}: there is no field {', '.join(sorted(unknown))}")
    parsed = {name: _within(f"{where}: {name}", _FIELDS[name], value) for name, value in fields.items()}
    spec = _within(where, lambda _: slotd.spec(kind, payload, **parsed), None)
    return v1.SubmitRequest(spec=spec, ref=ref, request_id=request_id, validate_only=validate_only)


def _within(where: str, parse: Callable[[Any], T], value: object) -> T:
    """What `parse` makes of a value, its complaints led by where the value is."""
    try:
        return parse(value)
    except click.BadParameter as error:
        raise click.BadParameter(f"{where}: {error.message}") from None
    except (ValueError, TypeError) as error:
        raise click.BadParameter(f"{where}: {error}") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise click.BadParameter(f"{json.dumps(value)} is no text")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise click.BadParameter(f"{json.dumps(value)} is no number")
    return value


def _whole(value: object) -> int:
    number = _number(value)
    if not isinstance(number, int):
        raise click.BadParameter(f"{json.dumps(value)} is no whole number")
    return number


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise click.BadParameter(f"{json.dumps(value)} is neither true nor false")
    return value


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise click.BadParameter(f"{json.dumps(value)} is no object")
    return value


def _labels(value: object) -> Mapping[str, str]:
    return {key: _within(key, _text, content) for key, content in _object(value).items()}


def _span(value: object) -> Any:
    return duration(value if isinstance(value, str) else str(_number(value)))


def _each(parse: Callable[[object], T]) -> Callable[[object], list[T]]:
    """A parser of arrays, which may be left out around a single value."""
    return lambda value: [parse(one) for one in (value if isinstance(value, list) else [value])]


def _dependency(value: object) -> v1.Dependency:
    if not isinstance(value, dict):
        return dependency(_text(value))
    fields = dict(value)
    condition = {name: _within(name, _flag, fields.pop(name, False)) for name in ("ended", "wait_for_retry")}
    if len(fields) != 1 or not fields.keys() <= set(_TARGETS):
        raise click.BadParameter("a dependency names one job_id, ref or group, and may be ended and wait_for_retry")
    ((target, called),) = fields.items()
    made = slotd.after_group("", **condition)
    setattr(made, target, _within(target, _text, called))
    return made


def _retry(value: object) -> slotd.RetryPolicy:
    fields = _object(value)
    unknown = fields.keys() - _RETRY.keys()
    if unknown:
        raise click.BadParameter(f"there is no field {', '.join(sorted(unknown))}")
    return slotd.RetryPolicy(**{name: _within(name, _RETRY[name], content) for name, content in fields.items()})


_RETRY: dict[str, Callable[[Any], Any]] = {
    "max_attempts": _whole,
    "initial_backoff": _span,
    "max_backoff": _span,
    "multiplier": _number,
    "jitter": _number,
}

_FIELDS: dict[str, Callable[[Any], Any]] = {
    "queue": _text,
    "priority": _whole,
    "labels": _labels,
    "schedule_time": lambda value: moment(_text(value)),
    "timeout": _span,
    "retry": _retry,
    "max_attempts": _whole,
    "queue_timeout": _span,
    "retention": _span,
    "resources": _each(lambda value: claim(_text(value))),
    "depends_on": _each(_dependency),
    "group": _text,
    "concurrency_key": _text,
    "unique_key": _text,
    "unique_period": _span,
    "unique_conflict": _text,
    "content_type": _text,
}
