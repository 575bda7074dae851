"""Clients of a service that may die at any moment: each asks for one thing after another, and notes what it asks
before it asks, and what it was told."""

import json
import threading
from collections.abc import Callable
from random import Random

import grpc

from slotd.v1 import (
    JOB_STATE_CANCELLED,
    JOB_VIEW_FULL,
    CancelRequest,
    DeleteRequest,
    GetRequest,
    Job,
    JobSpec,
    Payload,
    RetryPolicy,
    RetryRequest,
    StreamRequest,
    SubmitBatchRequest,
    SubmitRequest,
)
from tests.faults.history import History, Submission
from tests.faults.process import PATIENCE
from tests.service import Endpoint

_REFUSALS = (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND)
"""Of jobs that others have cancelled, retried or deleted, or that have ended."""

_KINDS = ("quick", "quick", "quick", "slow", "flaky", "hopeless", "sleepy")


class Worker:
    """Asks until the service is gone. `failure` is whatever else went wrong."""

    def __init__(self, at: Endpoint, history: History, name: str, random: Random) -> None:
        self.failure: BaseException | None = None
        self._at = at
        self._history = history
        self._name = name
        self._random = random
        self._number = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Waits for its end. Raises what went wrong."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), f"client {self._name} hangs"
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        acts = (self._submit, self._submit_batch, self._repeat, self._cancel, self._retry, self._delete, self._get)
        try:
            while True:
                (act,) = self._random.choices(acts, (45, 12, 8, 12, 8, 8, 4))
                try:
                    act()
                except grpc.RpcError as error:
                    if error.code() not in _REFUSALS:
                        raise
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                self.failure = error
        except BaseException as error:  # noqa: BLE001 - raised by `join`
            self.failure = error

    def _request(self) -> SubmitRequest:
        self._number += 1
        request_id = f"{self._name}-{self._number}"
        attempts = self._random.randint(1, 3)
        payload = {"attempts": attempts, "fill": "x" * self._random.choice((0, 10, 200, 6000))}
        spec = JobSpec(
            kind=self._random.choice(_KINDS),
            payload=Payload(content_type="application/json", data=json.dumps(payload).encode()),
            priority=self._random.randint(0, 2),
            labels={"request": request_id},
            retry=RetryPolicy(max_attempts=attempts),
        )
        return SubmitRequest(spec=spec, request_id=request_id)

    def _submit(self) -> None:
        submission = Submission([self._request()])
        self._history.submissions.append(submission)
        send(self._at, self._history, submission)

    def _submit_batch(self) -> None:
        submission = Submission([self._request() for _ in range(self._random.randint(2, 20))])
        self._history.submissions.append(submission)
        send(self._at, self._history, submission)

    def _repeat(self) -> None:
        """Asks again for what was answered before: the answer names the same jobs."""
        submission = self._choose()
        if submission is None or submission.jobs is None:
            return
        again = send(self._at, self._history, Submission(submission.requests))
        assert [job.id for job in again] == [job.id for job in submission.jobs]

    def _cancel(self) -> None:
        if (job := self._choose_job()) is not None:
            answer = self._at.jobs.Cancel(CancelRequest(id=job.id), timeout=PATIENCE).job
            assert answer.cancel_requested or answer.state == JOB_STATE_CANCELLED
            self._history.copies.append(answer)

    def _retry(self) -> None:
        if (job := self._choose_job()) is not None:
            self._history.retried.add(job.id)
            self._history.copies.append(self._at.jobs.Retry(RetryRequest(id=job.id), timeout=PATIENCE).job)

    def _delete(self) -> None:
        if (job := self._choose_job()) is not None:
            self._history.deleted.add(job.id)
            force = self._random.random() < 0.5
            self._at.jobs.Delete(DeleteRequest(id=job.id, force=force), timeout=PATIENCE)
            self._history.gone.add(job.id)

    def _get(self) -> None:
        if (job := self._choose_job()) is not None:
            self._history.copies.append(self._at.jobs.Get(GetRequest(id=job.id), timeout=PATIENCE).job)

    def _choose(self) -> Submission | None:
        submissions = self._history.submissions
        return self._random.choice(submissions) if submissions else None

    def _choose_job(self) -> Job | None:
        submission = self._choose()
        return self._random.choice(submission.jobs) if submission is not None and submission.jobs else None


def send(at: Endpoint, history: History, submission: Submission) -> list[Job]:
    """Submit, and note the answer, which is returned.

    Raises grpc.RpcError.
    """
    if len(submission.requests) == 1:
        jobs = [at.jobs.Submit(submission.requests[0], timeout=PATIENCE).job]
    else:
        request = SubmitBatchRequest(requests=submission.requests)
        jobs = list(at.jobs.SubmitBatch(request, timeout=PATIENCE).jobs)
    history.copies.extend(jobs)
    submission.jobs = jobs
    return jobs


class Subscriber:
    """Follows the log by cursor, from where an earlier one was cut off. Ends when the service does."""

    def __init__(self, at: Endpoint, history: History, cursor: str) -> None:
        self.cursor = cursor
        self.failure: BaseException | None = None
        self._history = history
        self._changed = threading.Condition()
        self._synced = False
        self._ended = False
        request = StreamRequest(cursor=cursor, include_progress=True, view=JOB_VIEW_FULL)
        self._call = at.jobs.Stream(request)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait_synced(self) -> None:
        """Until all is told that had happened. Raises what went wrong, or ConnectionError where the service is gone."""
        self._wait(lambda: self._synced)

    def wait_revision(self, revision: int) -> None:
        """Until it has seen `revision`. Raises as above."""
        self._wait(lambda: len(self._history.log.events) >= revision)

    def wait_all_terminal(self) -> None:
        """Until all jobs have ended. Raises as above."""
        self._wait(lambda: self._history.log.open == 0)

    def join(self) -> None:
        """Waits for its end. Raises what went wrong."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the subscriber hangs"
        if self.failure is not None:
            raise self.failure

    def close(self) -> None:
        self._call.cancel()
        self.join()

    def _wait(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: condition() or self._ended, PATIENCE), "the events do not come"
        if not condition():
            self.join()
            raise ConnectionError("the service is gone")

    def _run(self) -> None:
        try:
            for message in self._call:
                for event in message.events:
                    self._history.log.add(event)
                with self._changed:
                    self.cursor = message.cursor
                    self._synced |= message.synced
                    self._changed.notify_all()
        except grpc.RpcError as error:
            if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
                self.failure = error
        except BaseException as error:  # noqa: BLE001 - raised by `join`
            self.failure = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
