"""A job's moves, as functions from the job before to the job after. They decide nothing and write nothing; the
lifecycle gives each result its revision. Times in microseconds since the epoch."""

from slotd_server.domain.job import ATTEMPTS_KEPT, Attempt, Failure, Job, Payload
from slotd_server.domain.states import FAILED, QUEUED, RUNNING, SUCCEEDED, State


def wait(job: Job, now: int, at: int | None = None) -> Job:
    """The job as it waits from `now` on: for the time `at`, or for its lingering attempt, or for a slot.

    The queue timeout runs until the first start of a run of attempts, from `now` or from `at`, whichever is later.
    """
    limit = job.spec.queue_timeout if job.start_time is None else None
    if at is not None and at > now:
        return job.evolve(state=State.SCHEDULED, schedule_time=at, due_time=at, blocked_by=())
    since = now if at is None else at
    due = None if limit is None else max(since, job.create_time) + limit
    if job.lingering:
        return job.evolve(state=State.BLOCKED, due_time=due, blocked_by=(f"attempts/{job.attempts[-1].number}",))
    if job.state is QUEUED and job.due_time == due and not job.blocked_by:
        return job
    return job.evolve(state=QUEUED, due_time=due, blocked_by=())


def unblock(job: Job) -> Job:
    """A BLOCKED job with nothing left that blocks it. Its queue timeout goes on."""
    return job.evolve(state=State.QUEUED, blocked_by=())


def start(job: Job, now: int, owner: str, worker: str = "") -> Job:
    """The next attempt, claimed by server `owner` for `worker`, or to be run by itself."""
    number = job.attempt + 1
    return job.evolve(
        state=RUNNING,
        attempt=number,
        fence=job.fence + 1,
        owner=owner,
        start_time=now,
        due_time=None,
        progress=None,
        attempts=(*job.attempts, Attempt(number, now, None, None, owner, worker))[-ATTEMPTS_KEPT:],
    )


def leave(job: Job, now: int, failure: Failure | None, *, lingering: bool = False, counted: bool = True) -> Job:
    """The job without its running attempt, which ends now: what comes next is another move. With `lingering` its
    function runs on; one that is not `counted` gives its number to the next."""
    *earlier, last = job.attempts
    return job.evolve(
        attempt=job.attempt if counted else job.attempt - 1,
        owner=job.owner if lingering else "",
        lingering=lingering,
        failure=failure,
        attempts=(*earlier, last._replace(end_time=now, failure=failure)),
        cancel_requested=False,
    )


def end(
    job: Job, now: int, state: State, failure: Failure | None, result: Payload | None, default_retention: int | None
) -> Job:
    """The job, terminal. A FAILED one stays unless its own spec says for how long."""
    expire_time = _expire_time(job, now, state, default_retention)
    return job.evolve(
        state=state,
        end_time=now,
        failure=failure,
        result=result,
        expire_time=expire_time,
        due_time=expire_time,
        blocked_by=(),
    )


def succeed(job: Job, now: int, result: Payload | None, default_retention: int | None) -> Job:
    """What `leave` and `end` come to where the running attempt has done the job: in one step, as that is how most of
    them end."""
    *earlier, last = job.attempts
    expire_time = _expire_time(job, now, SUCCEEDED, default_retention)
    return job.evolve(
        state=SUCCEEDED,
        owner="",
        lingering=False,
        cancel_requested=False,
        failure=None,
        attempts=(*earlier, last._replace(end_time=now, failure=None)),
        end_time=now,
        result=result,
        expire_time=expire_time,
        due_time=expire_time,
        blocked_by=(),
    )


def _expire_time(job: Job, now: int, state: State, default_retention: int | None) -> int | None:
    retention = job.spec.retention
    if retention is None and state is not FAILED:
        retention = default_retention
    return None if retention is None else now + retention


def again(job: Job, now: int) -> Job:
    """A terminal job, waiting for a new run of attempts."""
    fresh = job.evolve(
        attempt=0,
        start_time=None,
        end_time=None,
        expire_time=None,
        schedule_time=None,
        progress=None,
        failure=None,
        result=None,
    )
    return wait(fresh, now, job.spec.schedule_time if (job.spec.schedule_time or 0) > now else None)
