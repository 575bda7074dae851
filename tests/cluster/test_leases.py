"""A server that vanishes, and one that was only paused: who has its jobs then, and from when on."""

import signal
import time
from pathlib import Path

import slotd
from slotd import v1
from slotd.v1 import JOB_STATE_CANCELLED, JOB_STATE_RUNNING, JOB_STATE_SUCCEEDED
from tests.cluster.conftest import Serve
from tests.cluster.log import cursor_now, revision_now, server_of, told
from tests.faults.gates import Gate
from tests.faults.history import reason
from tests.service import Endpoint, reach

LEASE = 3
"""Seconds."""


class Gated:
    """A job whose attempts return when they are told to."""

    def __init__(self, at: Endpoint, path: Path, *, max_attempts: int = 2) -> None:
        """Returns once it has started."""
        self._gates = {number: Gate(Path(f"{path}-{number}")) for number in range(1, max_attempts + 1)}
        submitted = at.client.submit("gated", str(path), max_attempts=max_attempts)
        self.job = reach(at.client, submitted, JOB_STATE_RUNNING)

    def starts_again(self, at: Endpoint) -> v1.Job:
        """Waits until it runs in another attempt."""
        with at.client.stream(job_ids=self.job) as events:
            for event in events:
                if event.job.state == JOB_STATE_RUNNING and event.job.attempt > self.job.attempt:
                    return event.job
        raise AssertionError(f"job {self.job.id} did not start again")

    def let_return(self, attempt: int) -> None:
        self._gates[attempt].open()


def reasons(job: v1.Job) -> list[str]:
    """Why each of its attempts ended; empty where that was no failure, or has not happened."""
    return [reason(v1.Job(error=attempt.error)) for attempt in job.attempts]


def here(at: Endpoint) -> str:
    """The boot id of the server that answers."""
    return next(one.id for one in at.client.list_servers() if one.local)


def test_the_jobs_of_a_server_that_was_killed_are_given_back_within_its_lease_and_two_seconds(
    serve: Serve, tmp_path: Path
) -> None:
    victim, other = serve("victim", slots=2, lease=LEASE), serve("other", slots=0, lease=LEASE)
    ours, at = victim.connect(), other.connect()
    both = [Gated(ours, tmp_path / name) for name in ("one", "two")]
    at.client.update_slots(2)
    victim.kill()
    killed = time.monotonic()
    again = [one.starts_again(at) for one in both]
    assert time.monotonic() - killed <= LEASE + 2
    assert {server_of(job) for job in again} == {here(at)}
    assert [reasons(job) for job in again] == [["SERVER_LOST", ""]] * 2
    assert [one.name for one in at.client.list_servers()] == ["other"]
    for one in both:
        one.let_return(2)
    assert [at.client.wait(job).result.data for job in again] == [b"2"] * 2
    assert at.client.list_slots().running == 0


def test_a_job_without_another_attempt_fails_with_its_server(serve: Serve, tmp_path: Path) -> None:
    victim, other = serve("victim", slots=1, lease=LEASE), serve("other", slots=1, lease=LEASE)
    at = other.connect()
    at.client.update_slots(0)
    gated = Gated(victim.connect(), tmp_path / "gate", max_attempts=1)
    victim.kill()
    ended = at.client.wait(gated.job)
    assert (ended.state, reason(ended)) == (v1.JOB_STATE_FAILED, "SERVER_LOST")


def test_what_was_to_be_cancelled_when_its_server_was_killed_is_cancelled(serve: Serve) -> None:
    victim, other = serve("victim", slots=1, lease=LEASE), serve("other", slots=1, lease=LEASE)
    at = other.connect()
    at.client.update_slots(0)
    job = victim.connect().client.submit("deaf", max_attempts=5)
    reach(at.client, job, JOB_STATE_RUNNING)
    assert at.client.cancel(job).cancel_requested
    victim.kill()
    assert at.client.wait(job).state == JOB_STATE_CANCELLED


def test_a_server_that_was_only_paused_is_fenced_ends_its_attempts_and_goes_on(serve: Serve, tmp_path: Path) -> None:
    paused, other = serve("paused", slots=1, lease=LEASE), serve("other", slots=0, lease=LEASE)
    ours, at = paused.connect(), other.connect()
    cursor = cursor_now(at)
    gated = Gated(ours, tmp_path / "gate")
    paused.signal(signal.SIGSTOP)
    at.client.update_slots(1)
    assert server_of(gated.starts_again(at)) == here(at) != server_of(gated.job)
    gated.let_return(2)
    ended = at.client.wait(gated.job)
    assert (ended.state, reasons(ended)) == (JOB_STATE_SUCCEEDED, ["SERVER_LOST", ""])
    at.client.update_slots(0)
    paused.signal(signal.SIGCONT)
    # Its function has not returned, and keeps the only slot there is; what it returns is nobody's any more.
    waiting = at.client.submit("echo", "next")
    gated.let_return(1)
    assert server_of(ours.client.wait(waiting)) == server_of(gated.job)
    assert ours.client.get(ended) == ended == at.client.get(ended)
    assert {one.name for one in at.client.list_servers()} == {"paused", "other"}
    assert told(at, cursor) == told(ours, cursor, revision_now(at))
    assert ours.client.list_slots().zombie == 0


def test_a_pause_shorter_than_the_lease_costs_nothing(serve: Serve, tmp_path: Path) -> None:
    paused, other = serve("paused", slots=1, lease=60), serve("other", slots=1, lease=60)
    ours, at = paused.connect(), other.connect()
    at.client.update_slots(0)
    gated = Gated(ours, tmp_path / "gate")
    paused.signal(signal.SIGSTOP)
    at.client.update_slots(1)
    assert at.client.submit_and_wait("echo", "meanwhile").state == JOB_STATE_SUCCEEDED
    paused.signal(signal.SIGCONT)
    gated.let_return(1)
    ended = at.client.wait(gated.job)
    assert (ended.state, reasons(ended), server_of(ended)) == (JOB_STATE_SUCCEEDED, [""], server_of(gated.job))


def test_one_that_is_killed_while_it_writes_does_not_hold_up_the_others(serve: Serve) -> None:
    """Nor its lock, nor a revision that it took and never committed."""
    victim, other = serve("victim", slots=4, lease=LEASE), serve("other", slots=0, lease=LEASE)
    ours, at = victim.connect(), other.connect()
    cursor = cursor_now(at)
    with at.client.stream(cursor=cursor) as events:
        jobs = ours.client.submit_batch([slotd.spec("slow", max_attempts=5) for _ in range(30)])
        next(event for event in events if event.job.state == JOB_STATE_SUCCEEDED)
        victim.kill()
    at.client.update_slots(4)
    assert at.client.submit_and_wait("echo", 1, priority=9).state == JOB_STATE_SUCCEEDED
    assert {at.client.wait(job).state for job in jobs} == {JOB_STATE_SUCCEEDED}
    told(at, cursor)
