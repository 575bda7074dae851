"""Handlers: functions that do the work of one kind of job. `@job` registers them; `slotd serve MODULE` runs them.

Nothing here needs gRPC or the stubs, so that a module of handlers can be imported, and its functions called, anywhere.
"""

import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar, get_args

from google.protobuf.message import Message

from slotd.context import JobCancelled, JobContext, current_job

__all__ = [
    "Handler",
    "JobCancelled",
    "JobContext",
    "PermanentError",
    "Snooze",
    "current_job",
    "job",
    "load",
    "registered",
]

Function = TypeVar("Function", bound=Callable[..., Any])
Seconds: TypeAlias = float | timedelta
Isolation: TypeAlias = Literal["thread", "process"]

_UNITS = {"": 1, "B": 1, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}
_SIZE = re.compile(r"(\d{1,15})\s*([A-Z]*)", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}")


class PermanentError(Exception):
    """Raised by a handler: the job is FAILED, without further attempts."""


class Snooze(Exception):
    """Raised by a handler: call me again in `seconds`. The attempt does not count."""

    def __init__(self, seconds: Seconds) -> None:
        super().__init__(f"snoozed for {seconds}")
        self.seconds = seconds.total_seconds() if isinstance(seconds, timedelta) else float(seconds)
        if not 0 <= self.seconds < 3.2e9:
            raise ValueError("Snooze takes a number of seconds from 0 to 100 years")


@dataclass(frozen=True, slots=True)
class Handler:
    """What `@job` declares. Durations in seconds; None leaves the choice to the queue, then to the service.

    `payload` is the protobuf message that payloads are decoded to, None where they aren't. A retry waits
    `initial_backoff`, then `multiplier` times as long each time, at most `max_backoff`, each changed at random by up to
    the share `jitter` of itself. `isolation` says whether it runs on a thread or in a process of its own, and `memory`
    how many bytes it may take there beyond what the process has once its modules are loaded; None leaves the choice of
    the one to whoever runs it, and sets no limit for the other.
    """

    kind: str
    function: Callable[..., Any]
    queue: str | None = None
    priority: int | None = None
    timeout: float | None = None
    queue_timeout: float | None = None
    retention: float | None = None
    max_attempts: int | None = None
    initial_backoff: float | None = None
    max_backoff: float | None = None
    multiplier: float | None = None
    jitter: float | None = None
    payload: type[Message] | None = None
    isolation: Isolation | None = None
    memory: int | None = None


_registered: dict[str, Handler] = {}


def registered() -> dict[str, Handler]:
    """The handlers of all modules that were imported so far, by kind."""
    return dict(_registered)


def job(
    kind: str,
    *,
    queue: str | None = None,
    priority: int | None = None,
    timeout: Seconds | None = None,
    queue_timeout: Seconds | None = None,
    retention: Seconds | None = None,
    max_attempts: int | None = None,
    initial_backoff: Seconds | None = None,
    max_backoff: Seconds | None = None,
    multiplier: float | None = None,
    jitter: float | None = None,
    payload: type[Message] | None = None,
    isolation: Isolation | None = None,
    memory: int | str | None = None,
) -> Callable[[Function], Function]:
    """Register the decorated function, plain or `async`, as the handler of `kind`; it stays callable as it is.

    It is called with a JobContext and the decoded payload: objects for JSON, text for text/plain, the message class
    given as `payload` (or as the annotation of its second parameter) for protobuf, None where there is none, else
    bytes. What it returns is the job's result, encoded likewise. See Handler for the options; `memory` is a number of
    bytes or a text like "512MiB", and needs `isolation="process"`.

    Raises ValueError for options that can't be, and for a kind that has a handler already.
    """

    def register(function: Function) -> Function:
        handler = Handler(
            kind=_name("kind", kind),
            function=function,
            queue=None if queue is None else _name("queue", queue),
            priority=_between("priority", priority, -1000, 1000),
            timeout=_seconds("timeout", timeout),
            queue_timeout=_seconds("queue_timeout", queue_timeout),
            retention=_seconds("retention", retention),
            max_attempts=_between("max_attempts", max_attempts, 1, 10_000),
            initial_backoff=_seconds("initial_backoff", initial_backoff, least=0),
            max_backoff=_seconds("max_backoff", max_backoff, least=0),
            multiplier=_between("multiplier", multiplier, 1, 1000),
            jitter=_between("jitter", jitter, 0, 1),
            payload=payload or payload_type(function),
            isolation=_isolation(isolation),
            memory=_memory(memory, isolation),
        )
        other = _registered.get(kind)
        if other is not None and not _same_source(other.function, function):
            raise ValueError(
                f"kind {kind!r} has a handler already: {other.function.__module__}.{other.function.__name__}"
            )
        _registered[kind] = handler
        return function

    return register


def load(module: str) -> None:
    """Import a module of handlers: a dotted name, found as `python -m` would find it, or a path that ends in .py.

    Raises ImportError, or whatever the module raises.
    """
    if not module.endswith(".py"):
        folder = str(Path.cwd())
        if folder not in sys.path:
            sys.path.insert(0, folder)
        importlib.import_module(module)
        return
    path = Path(module).resolve()
    if not path.is_file():
        raise ImportError(f"there is no file {module}")
    if str(path.parent) not in sys.path:
        # As a script's own folder would be: so that it can import its neighbours.
        sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = loaded
    spec.loader.exec_module(loaded)


def payload_type(function: Callable[..., Any]) -> type[Message] | None:
    """The protobuf message that a handler's second parameter is annotated with; None where it is none."""
    parameters = list(inspect.signature(function, eval_str=True).parameters.values())
    annotation = parameters[1].annotation if len(parameters) > 1 else None
    return annotation if inspect.isclass(annotation) and issubclass(annotation, Message) else None


def _same_source(one: Callable[..., Any], other: Callable[..., Any]) -> bool:
    """Whether both come of the same place: a module that is imported under two names registers its handlers twice."""
    try:
        return inspect.getsourcefile(one) == inspect.getsourcefile(other) and one.__qualname__ == other.__qualname__
    except TypeError:
        return False


def _name(field: str, value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(
            f"{field} {value!r}: 1 to 128 of letters, digits, '.', '_', '-' and '/', a letter or digit first"
        )
    return value


def _isolation(value: Isolation | None) -> Isolation | None:
    if value is not None and value not in get_args(Isolation):
        raise ValueError(f"isolation is {value!r}; it is one of {', '.join(get_args(Isolation))}")
    return value


def _memory(value: int | str | None, isolation: Isolation | None) -> int | None:
    if value is None:
        return None
    if isolation != "process":
        raise ValueError('memory needs isolation="process": a thread can\'t be limited')
    if isinstance(value, str):
        size = _SIZE.fullmatch(value.strip())
        if size is None or size[2].upper() not in _UNITS:
            raise ValueError(f"memory {value!r}: a whole number of bytes, or of KiB, MiB or GiB, as in '512MiB'")
        value = int(size[1]) * _UNITS[size[2].upper()]
    return _between("memory", value, 1 << 20, 1 << 50)


Number = TypeVar("Number", int, float)


def _between(field: str, value: Number | None, least: float, most: float) -> Number | None:
    if value is not None and not least <= value <= most:
        raise ValueError(f"{field} is {value}; it is from {least} to {most}")
    return value


def _seconds(field: str, value: Seconds | None, least: float = 1e-6) -> float | None:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    return _between(field, None if seconds is None else float(seconds), least, 3.2e9)
