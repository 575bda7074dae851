"""With `manual` nothing runs by itself: the test runs jobs one by one, in its own thread."""

import threading
from datetime import timedelta

import pytest

import slotd
from slotd.testing import Service
from slotd.v1 import JOB_STATE_CANCELLED, JOB_STATE_FAILED, JOB_STATE_QUEUED, JOB_STATE_SCHEDULED, JOB_STATE_SUCCEEDED

pytestmark = pytest.mark.slotd(manual=True)


def test_nothing_runs_until_the_test_says_so(slotd_service: Service) -> None:
    client = slotd_service.client
    low = client.submit("where", priority=1)
    high = client.submit("where", priority=2)
    slotd_service.clock.advance(60)
    assert {job.state for job in client.list()} == {JOB_STATE_QUEUED}
    done = slotd_service.run_next()
    assert done is not None
    assert (done.id, done.state) == (high.id, JOB_STATE_SUCCEEDED)
    assert client.get(low).state == JOB_STATE_QUEUED
    assert client.list_slots().running == 0


def test_it_runs_in_the_thread_of_the_test(slotd_service: Service) -> None:
    slotd_service.client.submit("where", labels={"a": "b"})
    (job,) = slotd_service.run_all()
    told = slotd.decode(job.result)
    assert told == {"thread": threading.get_ident(), "attempt": 1, "labels": {"a": "b"}, "queue": "default"}


async def test_an_asynchronous_handler_runs_in_an_asynchronous_test() -> None:
    async def greet(ctx: slotd.JobContext, payload: str) -> str:
        return f"hello {payload}"

    with Service({"greet": greet}, manual=True) as service:
        service.client.submit("greet", "you")
        (job,) = service.run_all()
    assert slotd.decode(job.result) == "hello you"


def test_all_runs_what_jobs_submit_too() -> None:
    def chain(ctx: slotd.JobContext, payload: int) -> None:
        if payload:
            service.client.submit("chain", payload - 1)

    with Service({"chain": chain}, manual=True) as service:
        service.client.submit("chain", 3)
        assert [slotd.decode(job.spec.payload) for job in service.run_all()] == [3, 2, 1, 0]
        assert service.run_next() is None


def test_retries_are_the_tests_to_run_too(slotd_service: Service) -> None:
    job = slotd_service.client.submit("fail", "x", max_attempts=2)
    assert slotd_service.run_next() == slotd_service.client.get(job)
    assert slotd_service.client.get(job).state == JOB_STATE_SCHEDULED
    assert slotd_service.run_next() is None
    slotd_service.clock.advance(timedelta(hours=1))
    failed = slotd_service.run_next()
    assert failed is not None
    assert (failed.state, failed.error.message) == (JOB_STATE_FAILED, "ValueError: as told: x")


def test_a_job_may_be_cancelled_while_it_runs() -> None:
    def run(ctx: slotd.JobContext, payload: object) -> None:
        service.client.cancel(ctx.job_id)
        ctx.wait_cancelled()
        ctx.raise_if_cancelled()

    with Service({"run": run}, manual=True) as service:
        service.client.submit("run")
        (job,) = service.run_all()
    assert job.state == JOB_STATE_CANCELLED


def test_time_may_pass_while_a_job_runs() -> None:
    def run(ctx: slotd.JobContext, payload: object) -> None:
        service.clock.advance(31)
        assert ctx.wait_cancelled(10)

    with Service({"run": run}, manual=True) as service:
        service.client.submit("run", timeout=30, max_attempts=1)
        (job,) = service.run_all()
    assert (job.state, "timeout" in job.error.message) == (JOB_STATE_FAILED, True)


def test_idle_means_that_all_has_run(slotd_service: Service) -> None:
    jobs = [slotd_service.client.submit("echo", number) for number in range(3)]
    slotd_service.run_until_idle()
    assert {slotd_service.client.get(job).state for job in jobs} == {JOB_STATE_SUCCEEDED}


@pytest.mark.slotd
def test_only_then(slotd_service: Service) -> None:
    with pytest.raises(RuntimeError, match="manual=True"):
        slotd_service.run_next()
    with pytest.raises(TypeError, match="one by one"):
        Service(manual=True, slots=2)
