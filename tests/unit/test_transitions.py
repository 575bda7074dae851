"""The log of transitions: one line for each, without what belongs to the caller."""

from structlog.testing import capture_logs

from slotd_server.domain import commands as ask
from slotd_server.domain.job import Failure, Payload
from slotd_server.domain.outcome import Failed
from slotd_server.transitions import TransitionLog
from tests.unit.driver import Driver, draft


def test_each_transition_is_one_line_with_the_reason_of_a_failure_alone(driver: Driver) -> None:
    transitions = TransitionLog()
    secret = Failed(Failure("HANDLER_ERROR", "the payload was secret"), permanent=True)
    job = driver.submit(payload=Payload("text/plain", b"secret"), labels={"name": "secret"}, claim=False)
    with capture_logs() as lines:
        transitions.committed(driver.apply())
        transitions.committed(driver.finish(job, secret))
        transitions.committed(driver.apply(ask.Delete(job.id)))
    told = {"event": "transition", "log_level": "debug", "job_id": job.id, "kind": "work", "queue": "default"}
    failed = {"attempt": 1, "reason": "HANDLER_ERROR"}
    assert lines == [
        told | {"from": "QUEUED", "to": "RUNNING", "attempt": 1, "revision": 2},
        told | {"from": "RUNNING", "to": "FAILED", "revision": 3} | failed,
        told | {"from": "FAILED", "to": "DELETED", "revision": 4} | failed,
    ]


def test_what_is_no_transition_has_no_line(driver: Driver) -> None:
    job = driver.submit()
    with capture_logs() as lines:
        transitions = TransitionLog()
        transitions.committed(driver.report(job, output=b"so far"))
        transitions.committed(driver.apply(ask.Cancel(job.id)))
        transitions.committed(driver.apply(ask.ListSlots(), ask.Submit((draft(),), validate_only=True)))
    assert lines == []
