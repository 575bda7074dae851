"""What a job does while it runs, and how it ends: progress, output, cancelling, failing, retrying, timing out."""

import pytest

import slotd
from slotd import Client, decode
from slotd.v1 import (
    JOB_STATE_BLOCKED,
    JOB_STATE_CANCELLED,
    JOB_STATE_FAILED,
    JOB_STATE_QUEUED,
    JOB_STATE_RUNNING,
    JOB_STATE_SCHEDULED,
    JOB_STATE_SUCCEEDED,
    Progress,
)
from tests.fundamentals.handlers import gate
from tests.service import Start, reach, reason


def test_the_last_progress_is_never_lost(client: Client) -> None:
    ended = client.submit_and_wait("count", 1000)
    assert ended.progress == Progress(done=1000, total=1000, message="step 1000")


def test_progress_is_streamed_to_those_who_ask_for_it(client: Client) -> None:
    job = client.submit("count", 50)
    with client.stream(job_ids=job, include_progress=True) as events:
        done = [event.job.progress.done for event in events]
    assert done == sorted(done)
    assert done[-1] == 50


def test_output_is_kept_byte_for_byte(client: Client) -> None:
    job = client.submit_and_wait("print", ["one\n", "zwölf\n"])
    assert job.output_size == len("one\nzwölf\n".encode())
    assert b"".join(client.read_output(job)).decode() == "one\nzwölf\n"
    assert b"".join(client.read_output(job, offset=4)).decode() == "zwölf\n"


def test_output_is_followed_while_it_is_written(client: Client) -> None:
    job = client.submit("print-then-wait", "follow")
    with client.read_output(job, follow=True) as output:
        assert next(output) == b"before\n"
        gate("follow").set()
        assert b"".join(output) == b"after\n"


def test_output_beyond_what_is_kept_is_marked(start: Start) -> None:
    client = start(max_output=10).at.client
    job = client.submit_and_wait("print", ["12345678", "90abcdef"])
    with client.read_output(job) as output:
        assert b"".join(output) == b"1234567890"
        assert output.truncated
    assert job.output_truncated


def test_a_waiting_job_is_cancelled_at_once(client: Client) -> None:
    client.update_queue("paused", paused=True)
    job = client.submit("idle", queue="paused")
    assert client.cancel(job).state == JOB_STATE_CANCELLED
    assert client.cancel(job).state == JOB_STATE_CANCELLED


def test_a_running_job_is_asked_to_stop(client: Client) -> None:
    job = client.submit("patient")
    reach(client, job, JOB_STATE_RUNNING)
    asked = client.cancel(job)
    assert asked.cancel_requested
    ended = client.wait(job)
    assert (ended.state, reason(ended)) == (JOB_STATE_CANCELLED, "CANCELLED")


def test_a_job_that_does_not_stop_is_cancelled_at_the_end_of_the_grace(start: Start) -> None:
    client = start(cancel_grace=0.05).at.client
    job = client.submit("gated", "deaf")
    reach(client, job, JOB_STATE_RUNNING)
    client.cancel(job)
    assert client.wait(job).state == JOB_STATE_CANCELLED
    # Its function still runs, so its slot is not free.
    ledger = client.list_slots()
    assert (ledger.zombie, ledger.free, ledger.slots) == (1, 3, 4)


def test_what_has_ended_can_not_be_cancelled(client: Client) -> None:
    job = client.submit_and_wait("idle")
    with pytest.raises(slotd.FailedPrecondition) as refused:
        client.cancel(job)
    assert refused.value.metadata["state"] == "SUCCEEDED"


def test_an_attempt_that_fails_is_followed_by_another(client: Client) -> None:
    job = client.submit("stumble", 3)
    ended = client.wait(job)
    assert (ended.state, decode(ended.result)) == (JOB_STATE_SUCCEEDED, 3)
    assert [one.number for one in ended.attempts] == [1, 2, 3]
    assert [one.error.message for one in ended.attempts] == [
        "RuntimeError: attempt 1 stumbled",
        "RuntimeError: attempt 2 stumbled",
        "",
    ]


def test_between_two_attempts_a_job_waits_for_its_backoff(client: Client) -> None:
    job = client.submit("stumble", 2, retry=slotd.RetryPolicy(initial_backoff=3600, max_backoff=3600, jitter=0))
    waiting = reach(client, job, JOB_STATE_SCHEDULED)
    assert waiting.schedule_time.seconds - waiting.attempts[0].end_time.seconds == 3600


def test_a_job_without_attempts_left_has_failed(client: Client) -> None:
    ended = client.submit_and_wait("stumble", 10)
    assert (ended.state, ended.attempt, reason(ended)) == (JOB_STATE_FAILED, 3, "HANDLER_ERROR")


def test_a_permanent_error_ends_a_job_at_once(client: Client) -> None:
    ended = client.submit_and_wait("hopeless", "no such file")
    assert (ended.state, ended.attempt, reason(ended)) == (JOB_STATE_FAILED, 1, "PERMANENT_ERROR")
    assert ended.error.message == "PermanentError: no such file"


def test_a_snoozed_attempt_does_not_count(client: Client) -> None:
    ended = client.submit_and_wait("snooze-once")
    assert (ended.state, decode(ended.result)) == (JOB_STATE_SUCCEEDED, 1)


def test_retry_puts_a_failed_job_back_with_fresh_attempts(client: Client) -> None:
    failed = client.submit_and_wait("hopeless", "still not")
    again = client.retry(failed)
    assert (again.id, again.attempt) == (failed.id, 0)
    assert again.revision > failed.revision
    assert client.wait(again).state == JOB_STATE_FAILED


def test_what_succeeded_is_not_retried(client: Client) -> None:
    with pytest.raises(slotd.FailedPrecondition):
        client.retry(client.submit_and_wait("idle"))


def test_an_attempt_that_takes_too_long_is_ended_for_those_who_watch(client: Client) -> None:
    job = client.submit("gated", "late", timeout=0.05)
    ended = client.wait(job)
    assert (ended.state, reason(ended)) == (JOB_STATE_FAILED, "TIMEOUT")


def test_a_function_that_outlives_its_attempt_holds_its_slot_as_a_zombie(client: Client) -> None:
    job = client.submit("gated", "zombie", timeout=0.05)
    client.wait(job)
    ledger = client.list_slots()
    assert (ledger.running, ledger.zombie, ledger.free) == (0, 1, 3)
    (holder,) = ledger.holders
    assert (holder.job_id, holder.attempt, holder.zombie) == (job.id, 1, True)


def test_the_next_attempt_waits_until_the_function_has_returned(client: Client) -> None:
    retry = slotd.RetryPolicy(max_attempts=2, initial_backoff=0, jitter=0)
    job = client.submit("gated", "return", timeout=2, retry=retry)
    blocked = reach(client, job, JOB_STATE_BLOCKED)
    assert list(blocked.blocked_by) == ["attempts/1"]
    gate("return").set()
    ended = client.wait(job)
    assert (ended.state, decode(ended.result)) == (JOB_STATE_SUCCEEDED, 2)
    # A zombie's late word changes nothing but its slot.
    assert client.list_slots().zombie == 0


def test_a_job_that_waits_too_long_for_its_start_has_failed(client: Client) -> None:
    client.update_queue("paused", paused=True)
    job = client.submit("idle", queue="paused", queue_timeout=0.05)
    assert job.state == JOB_STATE_QUEUED
    ended = client.wait(job)
    assert (ended.state, ended.attempt, reason(ended)) == (JOB_STATE_FAILED, 0, "QUEUE_TIMEOUT")
