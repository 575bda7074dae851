"""The conformance scenario: what every client has to do right, as data in `scenario/`, one file a section.

A section has a `title`, and `cases`, each with a `name` and `steps`; `workers` says that only clients with workers have
to pass it. A case may have `settings` of the service, and go `through` the `proxy`. Values and patterns are those of
`values` and `matching`; `${address}`, `${proxy}`, `${gates}` (the folder of gates), `${tag}` (a name that no other case
has) and `${nobody}` (an id that no job has) are known from the start. A step is one of these:

| step | does |
| --- | --- |
| `{"call": op, "with": {…}}` | has the driver do it; `expect` is a pattern for its answer, `refused` for its error |
| `{"start": op, "with": {…}, "as": name}` | the same without waiting for the answer |
| `{"finish": name}` | waits for that answer; with `expect` or `refused` |
| `{"check": value, "expect": pattern}` | compares what is known |
| `{"times": n, "steps": […]}` | does the steps n times; `${i}` counts from 0 |
| `{"service": what}` | `stop`, `kill`, `start`, `restart`, `pause`, `resume`, `cut` (what goes through the proxy) |
| `{"open": gate}` | lets the jobs go on that wait at `${gates}/gate` |
| `{"reach": job id, "expect": pattern}` | waits, without the driver, until the job is like that |
| `{"queue": {…}}` | sets these fields of a queue, without the driver |
| `{"drain_worker": worker id}` | asks the service to drain a worker, without the driver |
| `{"replay": stream}` | holds what the driver told of a stream, opened from a cursor, against the service's log |
| `{"most_running": StreamRequest, "expect": pattern}` | the most matching jobs that ran at once since the cursor |

`as` keeps what a step found out under a name, `collect` at the end of a list. A service that was just started again may
still be UNAVAILABLE to a client whose channel waits before it connects: a call with `patiently` is then made again, as
users do.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("scenario")

OPERATIONS = frozenset(
    {
        "submit",
        "submit_batch",
        "get",
        "list",
        "list_page",
        "wait",
        "cancel",
        "retry",
        "delete",
        "stream_open",
        "stream_read",
        "stream_close",
        "output",
        "payload",
        "echo_message",
        "call_timeout",
        "worker_start",
        "worker_stop",
    }
)
"""What a driver can be told, beside `connect`."""

_WORDS = {
    "call": {"with", "expect", "refused", "patiently", "as", "collect"},
    "start": {"with", "as"},
    "finish": {"expect", "refused", "as"},
    "check": {"expect", "as"},
    "times": {"steps"},
    "service": set(),
    "open": set(),
    "reach": {"expect", "as"},
    "queue": set(),
    "drain_worker": set(),
    "replay": set(),
    "most_running": {"expect"},
}


class ScenarioError(Exception):
    """A file that is no section, with the place in it."""


@dataclass(frozen=True)
class Case:
    """Steps that stand for themselves."""

    name: str
    steps: list[dict[str, Any]]
    through: str = "address"
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """Cases about one thing. `digest` changes with anything in it, so that a result tells of which scenario it is."""

    name: str
    title: str
    cases: tuple[Case, ...]
    digest: str
    workers: bool = False


def verb(step: dict[str, Any]) -> str:
    """What a step does."""
    return next(iter(step))


def sections() -> dict[str, Section]:
    """All sections by name, in their order. Raises ScenarioError."""
    files = sorted(FOLDER.glob("*.json"))
    return {section.name: section for section in map(_read, files)}


def sections_for(workers: bool) -> list[Section]:
    """Those that a client has to pass, with workers or without."""
    return [section for section in sections().values() if workers or not section.workers]


def _read(file: Path) -> Section:
    text = file.read_bytes()
    # The number in front gives the order, and is no part of the name.
    name = file.stem.partition("-")[2]
    try:
        content = json.loads(text)
        cases = tuple(Case(**case) for case in content["cases"])
    except (ValueError, TypeError, KeyError) as error:
        raise ScenarioError(f"{file.name}: {error}") from error
    for case in cases:
        _check(f"{file.name}: {case.name}", case.steps)
    digest = hashlib.sha256(text).hexdigest()[:12]
    return Section(name, content["title"], cases, digest, bool(content.get("workers")))


def _check(where: str, steps: list[dict[str, Any]]) -> None:
    for number, step in enumerate(steps, start=1):
        place = f"{where}, step {number}"
        if not step or verb(step) not in _WORDS:
            raise ScenarioError(f"{place}: nothing known is to be done")
        if unknown := step.keys() - _WORDS[verb(step)] - {verb(step)}:
            raise ScenarioError(f"{place}: {', '.join(sorted(unknown))} says nothing here")
        for op in _operations(step):
            if op not in OPERATIONS:
                raise ScenarioError(f"{place}: no driver can {op}")
        _check(place, step.get("steps", []))


def _operations(step: dict[str, Any]) -> Iterator[str]:
    if verb(step) in ("call", "start"):
        yield step[verb(step)]
