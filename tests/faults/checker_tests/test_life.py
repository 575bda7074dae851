"""The rules about one job, each broken by one event."""

from typing import Any

import msgspec
import pytest

from slotd.v1 import EVENT_TYPE_CHANGED, EVENT_TYPE_CREATED, EVENT_TYPE_LEFT_FILTER
from tests.faults.checker.life import Life
from tests.faults.checker.records import AttemptCopy, EventCopy, JobCopy, SpecCopy
from tests.faults.checker.states import (
    BLOCKED,
    CANCELLED,
    FAILED,
    QUEUED,
    RUNNING,
    SCHEDULED,
    SUCCEEDED,
)
from tests.faults.checker.verdicts import Verdicts

SPEC = SpecCopy(digest=1, kind="quick", queue="default", request="asked", max_attempts=2)
WAITS = JobCopy(id="job", revision=1, state=QUEUED, digest=1, spec=1)
LIVE = AttemptCopy(1, "boot", False)
OVER = AttemptCopy(1, "boot", True)
BAD = AttemptCopy(1, "boot", True, "HANDLER_ERROR")
RUNS = msgspec.structs.replace(WAITS, state=RUNNING, attempt=1, attempts=(LIVE,))
STOPS = msgspec.structs.replace(RUNS, cancel_requested=True)
ENDED = msgspec.structs.replace(WAITS, state=SUCCEEDED, attempt=1, attempts=(OVER,))
LOST = msgspec.structs.replace(WAITS, state=FAILED, attempt=1, attempts=(BAD,), reason="HANDLER_ERROR")


def _found(before: JobCopy | None, kind: int, after: dict[str, Any]) -> set[str]:
    verdicts = Verdicts()
    previous_state = 0 if before is None else before.state
    job = msgspec.structs.replace(before or WAITS, **{"revision": 2} | after)
    Life(verdicts).check(EventCopy(2, kind, job, previous_state), before, SPEC, before is not None)
    return {*verdicts.counts}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (WAITS, {"state": RUNNING, "attempt": 1, "attempts": (LIVE,)}),
        (WAITS, {"state": CANCELLED, "reason": "CANCELLED"}),
        (RUNS, {}),
        (RUNS, {"cancel_requested": True}),
        (RUNS, {"state": SUCCEEDED, "attempts": (OVER,)}),
        (RUNS, {"state": FAILED, "attempts": (BAD,), "reason": "HANDLER_ERROR"}),
        (RUNS, {"state": SCHEDULED, "attempts": (BAD,), "reason": "HANDLER_ERROR"}),
        (RUNS, {"state": QUEUED, "attempts": (OVER,), "attempt": 0}),
        (RUNS, {"state": BLOCKED, "attempts": (BAD,), "blocked_by": ("attempts/1",)}),
        (STOPS, {"state": CANCELLED, "attempts": (BAD,), "reason": "CANCELLED", "cancel_requested": False}),
        (LOST, {"state": QUEUED, "attempt": 0, "reason": ""}),
    ],
)
def test_moves_that_the_contract_has(before: JobCopy, after: dict[str, Any]) -> None:
    assert _found(before, EVENT_TYPE_CHANGED, after) == set()


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("log", WAITS, {"state": CANCELLED, "reason": "CANCELLED", "revision": 3}),
        ("attempt", RUNS, {"attempt": 2}),
        ("attempt", RUNS, {"attempts": (AttemptCopy(1, "other", False),)}),
        ("attempt", LOST, {"state": QUEUED, "attempt": 1, "reason": ""}),
        ("attempt", WAITS, {"state": RUNNING, "attempt": 2, "attempts": (AttemptCopy(2, "boot", False),)}),
        ("attempt", RUNS, {"state": SUCCEEDED, "attempts": (AttemptCopy(1, "other", True),)}),
        ("attempt", RUNS, {"state": FAILED, "attempts": (OVER,), "reason": "HANDLER_ERROR"}),
        ("attempt", RUNS, {"state": SUCCEEDED, "attempts": (OVER,), "attempt": 0}),
        ("path", STOPS, {"cancel_requested": False}),
        ("path", STOPS, {"state": SUCCEEDED, "attempts": (OVER,), "cancel_requested": False}),
        ("path", RUNS, {"state": CANCELLED, "attempts": (BAD,), "reason": "CANCELLED"}),
        ("path", RUNS, {"state": SUCCEEDED, "attempts": (OVER,), "reason": "HANDLER_ERROR"}),
        ("path", RUNS, {"state": FAILED, "attempts": (BAD,)}),
        ("path", STOPS, {"state": CANCELLED, "attempts": (BAD,), "reason": "CANCELLED"}),
        ("path", WAITS, {"state": SUCCEEDED}),
        ("lease", WAITS, {"state": RUNNING, "attempt": 1}),
        ("lease", RUNS, {"state": QUEUED}),
        ("terminal", ENDED, {"state": QUEUED, "attempt": 0}),
        ("terminal", ENDED, {}),
    ],
)
def test_moves_that_the_contract_has_not(kind: str, before: JobCopy, after: dict[str, Any]) -> None:
    assert kind in _found(before, EVENT_TYPE_CHANGED, after)


def test_a_job_begins_with_nothing_behind_it() -> None:
    assert _found(None, EVENT_TYPE_CREATED, {}) == set()
    assert _found(None, EVENT_TYPE_CREATED, {"state": RUNNING, "attempt": 1, "attempts": (LIVE,)}) == {
        "path",
        "attempt",
    }
    assert _found(None, EVENT_TYPE_CREATED, {"attempts": (OVER,)}) == {"attempt"}


def test_the_log_has_events_of_three_types() -> None:
    assert _found(WAITS, EVENT_TYPE_LEFT_FILTER, {}) == {"log"}
