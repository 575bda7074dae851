"""Which job a log line is of, without a service."""

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest

from slotd import JobContext, current_job
from slotd.attempts import Attempt, Succeeded
from slotd.handlers import Handler
from slotd.logs import TEXT, JobFields, JsonFormatter, add_job

FIELDS = {"job_id": "one", "attempt": 2, "kind": "work"}


def run(function: Callable[[JobContext, Any], Any]) -> JobContext:
    """Calls a handler that has to succeed; what it was given."""
    context = JobContext(
        job_id="one", attempt=2, kind="work", queue="q", labels={}, deadline=None, announce=lambda: None
    )
    assert isinstance(Attempt(Handler("work", function), context, None, 1000).run(), Succeeded)
    return context


def record(**extra: object) -> logging.LogRecord:
    """A record as a handler of `logging` gets it, and as the filter leaves it."""
    made = logging.getLogger("some.where").makeRecord("some.where", 20, "f", 1, "so %s", ("far",), None, extra=extra)
    assert JobFields().filter(made)
    return made


def test_a_handler_finds_its_job_and_nobody_else_does() -> None:
    found: list[JobContext | None] = []

    async def coroutine(ctx: JobContext, _: object) -> None:
        found.append(current_job())
        found.append(await asyncio.create_task(asyncio.to_thread(current_job)))

    sync = run(lambda ctx, _: found.append(current_job()))
    later = run(coroutine)
    assert found == [sync, later, later]
    assert current_job() is None


def test_it_is_gone_after_a_handler_that_failed() -> None:
    context = run(lambda ctx, _: None)
    Attempt(Handler("work", lambda ctx, _: sys.exit(1)), context, None, 1000).run()
    assert current_job() is None


def test_a_record_gets_the_job_and_formats_can_name_it() -> None:
    made: list[logging.LogRecord] = []
    run(lambda ctx, _: made.append(record()))
    assert vars(made[0]).items() >= FIELDS.items()
    assert logging.Formatter(TEXT).format(made[0]).endswith("INFO    so far job_id=one attempt=2 kind=work")
    outside = record()
    assert not vars(outside).keys() & FIELDS.keys()
    assert logging.Formatter(TEXT).format(outside).endswith("INFO    so far")


def test_json_has_the_job_and_what_the_caller_added() -> None:
    lines: list[dict[str, Any]] = []
    run(lambda ctx, _: lines.append(json.loads(JsonFormatter().format(record(shelf=3, when=pytest)))))
    (line,) = lines
    assert line.pop("timestamp").endswith("Z")
    assert line.pop("when").startswith("<module")
    assert line == FIELDS | {"event": "so far", "level": "info", "logger": "some.where", "shelf": 3}


def test_a_line_s_own_fields_stay() -> None:
    lines: list[Any] = []
    run(lambda ctx, _: lines.append(add_job(None, "info", {"event": "x", "kind": "mine"})))
    run(lambda ctx, _: lines.append(vars(record(kind="mine"))["kind"]))
    assert lines == [{"event": "x", "kind": "mine", "job_id": "one", "attempt": 2}, "mine"]
    assert add_job(None, "info", {"event": "x"}) == {"event": "x"}
