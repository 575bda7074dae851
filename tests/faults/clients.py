"""Clients of a service that may die at any moment: each asks for one thing after another, and notes what it asks
before it asks, and what it was told."""

import json
import threading
from collections.abc import Callable
from random import Random

import grpc
from google.protobuf.field_mask_pb2 import FieldMask

from slotd.v1 import (
    DEPENDENCY_CONDITION_ENDED,
    DEPENDENCY_CONDITION_SUCCEEDED,
    JOB_STATE_CANCELLED,
    JOB_VIEW_FULL,
    OVERLAP_POLICY_ALLOW,
    OVERLAP_POLICY_CANCEL_OLD,
    OVERLAP_POLICY_QUEUE_ONE,
    OVERLAP_POLICY_SKIP,
    RESOURCE_MODE_EXCLUSIVE,
    RESOURCE_MODE_SHARED,
    UNIQUE_CONFLICT_REFUSE,
    UNIQUE_CONFLICT_REPLACE,
    UNIQUE_CONFLICT_RETURN_EXISTING,
    CancelGroupRequest,
    CancelRequest,
    DeleteRequest,
    Dependency,
    GetRequest,
    Job,
    JobSpec,
    Payload,
    Queue,
    ResourceClaim,
    RetryPolicy,
    RetryRequest,
    Schedule,
    ScheduleServiceCreateRequest,
    ScheduleServiceStub,
    StreamRequest,
    SubmitBatchRequest,
    SubmitRequest,
    UpdateQueueRequest,
    UpdateRequest,
)
from tests.faults.history import KEEPS_FEW, History, Submission
from tests.faults.process import PATIENCE
from tests.service import Endpoint

_REFUSALS = (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.ALREADY_EXISTS)
"""Of jobs that others have cancelled, retried or deleted, that have ended, that others depend on, or whose unique key
another has by now."""

_NOT_MADE = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.ALREADY_EXISTS)
"""Of jobs that were to depend on what is gone, or on themselves through a group, or whose unique key is taken."""

_KINDS = ("quick", "quick", "quick", "slow", "flaky", "hopeless", "sleepy", "gather")
_CLAIMS = ("a", "a", "b", "b/c", "b/d", "b/*", "*")
_KEYS = ("x", "y", "z")
_GROUPS = ("g", "h")

_CONFLICTS = (UNIQUE_CONFLICT_RETURN_EXISTING, UNIQUE_CONFLICT_REFUSE, UNIQUE_CONFLICT_REPLACE)

PATIENT = {"patient": "yes"}
"""A label of those that may wait for ever for a retry of what has failed."""

SLOTS_PER_KEY = 2

SCHEDULES = {
    "skipping": OVERLAP_POLICY_SKIP,
    "queueing": OVERLAP_POLICY_QUEUE_ONE,
    "allowing": OVERLAP_POLICY_ALLOW,
    "cancelling": OVERLAP_POLICY_CANCEL_OLD,
}
"""Each fires once a second, one after the other."""


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
        acts = (
            (self._submit, 40),
            (self._submit_batch, 8),
            (self._submit_graph, 12),
            (self._repeat, 8),
            (self._cancel, 9),
            (self._cancel_group, 1),
            (self._update, 5),
            (self._retry, 10),
            (self._delete, 8),
            (self._get, 4),
        )
        doers, weights = zip(*acts, strict=True)
        try:
            while True:
                (act,) = self._random.choices(doers, weights)
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

    def _tied(self) -> SubmitRequest:
        """A request for a job with claims, a key or a group."""
        request, chance = self._request(), self._random
        for name in chance.sample(_CLAIMS, chance.choice((0, 0, 1, 1, 2))):
            mode = chance.choice((RESOURCE_MODE_SHARED, RESOURCE_MODE_EXCLUSIVE))
            request.spec.resources.append(ResourceClaim(name=name, mode=mode))
        request.spec.concurrency_key = chance.choice(("", "", *_KEYS))
        request.spec.group = chance.choice(("", "", *_GROUPS))
        return request

    def _dependency(self, *, ref: str = "", job_id: str = "", group: str = "") -> Dependency:
        condition = self._random.choice((DEPENDENCY_CONDITION_SUCCEEDED, DEPENDENCY_CONDITION_ENDED))
        return Dependency(ref=ref, job_id=job_id, group=group, condition=condition)

    def _submit(self) -> None:
        request = self._tied()
        earlier = self._choose_job()
        which = self._random.random()
        if which < 0.2 and earlier is not None:
            request.spec.depends_on.append(self._dependency(job_id=earlier.id))
        elif which < 0.3:
            request.spec.depends_on.append(self._dependency(group=self._random.choice(_GROUPS)))
        elif which < 0.45:
            request.spec.unique_key = self._random.choice(_KEYS)
            request.spec.unique_conflict = self._random.choice(_CONFLICTS)
        self._send([request])

    def _submit_batch(self) -> None:
        self._send([self._tied() for _ in range(self._random.randint(2, 20))])

    def _submit_graph(self) -> None:
        """Jobs that depend on each other, some on whole groups, and some that wait for a retry of what fails."""
        requests: list[SubmitRequest] = []
        for number in range(self._random.randint(2, 9)):
            request = self._tied()
            request.ref = f"r{number}"
            for other in self._random.sample(requests, min(self._random.randint(0, 2), number)):
                dependency = self._dependency(ref=other.ref)
                if self._random.random() < 0.1:
                    dependency.wait_for_retry = True
                    request.spec.labels.update(PATIENT)
                request.spec.depends_on.append(dependency)
            requests.append(request)
        self._random.shuffle(requests)
        self._send(requests)

    def _send(self, requests: list[SubmitRequest]) -> None:
        submission = Submission(requests)
        self._history.submissions.append(submission)
        send(self._at, self._history, submission)

    def _repeat(self) -> None:
        """Asks again for what was answered before: the answer names the same jobs."""
        submission = self._choose()
        if submission is None or not submission.jobs:
            return
        again = send(self._at, self._history, Submission(submission.requests))
        assert [job.id for job in again] == [job.id for job in submission.jobs]

    def _cancel(self) -> None:
        if (job := self._choose_job()) is not None:
            answer = self._at.jobs.Cancel(CancelRequest(id=job.id), timeout=PATIENCE).job
            assert answer.cancel_requested or answer.state == JOB_STATE_CANCELLED
            self._history.copies.append(answer)

    def _cancel_group(self) -> None:
        self._at.jobs.CancelGroup(CancelGroupRequest(name=self._random.choice(_GROUPS)), timeout=PATIENCE)

    def _update(self) -> None:
        if (job := self._choose_job()) is not None:
            self._history.updated.add(job.id)
            mask = FieldMask(paths=["priority"])
            spec = JobSpec(priority=self._random.randint(0, 2))
            answer = self._at.jobs.Update(UpdateRequest(id=job.id, spec=spec, update_mask=mask), timeout=PATIENCE)
            self._history.copies.append(answer.job)

    def _retry(self) -> None:
        if (job := self._choose_job()) is not None:
            self._history.retried.add(job.id)
            request = RetryRequest(id=job.id, dependents=self._random.random() < 0.5)
            self._history.copies.append(self._at.jobs.Retry(request, timeout=PATIENCE).job)

    def _delete(self) -> None:
        # One with a unique key may be the answer that another still waits for.
        if (job := self._choose_job()) is not None and not job.spec.unique_key:
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
    """Submit, and note the answer, which is returned: no jobs where they are refused.

    Raises grpc.RpcError.
    """
    try:
        if len(submission.requests) == 1:
            jobs = [at.jobs.Submit(submission.requests[0], timeout=PATIENCE).job]
        else:
            request = SubmitBatchRequest(requests=submission.requests)
            jobs = list(at.jobs.SubmitBatch(request, timeout=PATIENCE).jobs)
    except grpc.RpcError as error:
        if error.code() not in _NOT_MADE:
            raise
        submission.refused = True
        submission.jobs = []
        return []
    history.copies.extend(jobs)
    submission.jobs = jobs
    return jobs


def prepare(at: Endpoint, start: int) -> None:
    """Sets queues up, and schedules that count their seconds from times after `start`, which is in seconds. Once more:
    no change.

    Raises grpc.RpcError.
    """
    for queue in (Queue(name="default", slots_per_key=SLOTS_PER_KEY), Queue(name=KEEPS_FEW, retain_count=5)):
        at.queues.UpdateQueue(UpdateQueueRequest(queue=queue), timeout=PATIENCE)
    schedules = ScheduleServiceStub(at.channel)
    for number, (name, overlap) in enumerate(SCHEDULES.items()):
        schedule = Schedule(name=name, spec=JobSpec(kind="slow", queue=KEEPS_FEW), overlap=overlap)
        schedule.interval.FromSeconds(1)
        schedule.start_time.FromMilliseconds(1000 * start + 250 * number)
        try:
            schedules.Create(ScheduleServiceCreateRequest(schedule=schedule), timeout=PATIENCE)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
                raise


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
