"""What can be wrong with a request or with the service, as exceptions. `rpc/errors.py` gives each its status code."""


class ServiceError(Exception):
    """The base of all below. `reason` is UPPER_SNAKE and part of the contract."""

    reason = "INTERNAL"


class InvalidArgument(ServiceError):
    """Fields that can't be; `violations` are (field path, what is wrong with it)."""

    reason = "INVALID_ARGUMENT"

    def __init__(self, *violations: tuple[str, str], reason: str = "INVALID_ARGUMENT") -> None:
        super().__init__("; ".join(f"{field}: {wrong}" for field, wrong in violations))
        self.violations = violations
        self.reason = reason


class NotFound(ServiceError):
    """No such thing. `kind` is "job", "queue", "group", "schedule" or "worker"."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"no {kind} {name!r}")
        self.kind = kind
        self.name = name
        self.reason = f"{kind.upper()}_NOT_FOUND"


class RequestIdReused(ServiceError):
    """The request_id came before with other content. `job_id` is the first job's."""

    reason = "REQUEST_ID_REUSED"

    def __init__(self, request_id: str, job_id: str) -> None:
        super().__init__(f"request_id {request_id!r} came before with other content, for job {job_id}")
        self.job_id = job_id


class WrongState(ServiceError):
    """Not allowed in the state that the job is in."""

    reason = "WRONG_STATE"

    def __init__(self, job_id: str, state: str, allowed: str) -> None:
        super().__init__(f"job {job_id} is {state}; this needs {allowed}")
        self.job_id = job_id
        self.state = state


class QueueFull(ServiceError):
    """The queue already has as many waiting jobs as it may."""

    reason = "QUEUE_FULL"

    def __init__(self, queue: str, limit: int) -> None:
        super().__init__(f"queue {queue!r} already has its {limit} waiting jobs")
        self.queue = queue


class UniqueKeyTaken(ServiceError):
    """Another job has the unique_key. `job_id` is that job's."""

    reason = "UNIQUE_KEY_TAKEN"

    def __init__(self, key: str, job_id: str) -> None:
        super().__init__(f"unique_key {key!r} is taken by job {job_id}")
        self.job_id = job_id


class RevisionMismatch(ServiceError):
    """It has changed since the revision that the caller knows. `subject` is a "job" or a "schedule"."""

    reason = "REVISION_MISMATCH"

    def __init__(self, subject: str, name: str, revision: int, known: int) -> None:
        super().__init__(f"{subject} {name} is at revision {revision}, no longer at {known}")
        self.subject = subject
        self.name = name


class Awaited(ServiceError):
    """Jobs that have not ended depend on it."""

    reason = "AWAITED"

    def __init__(self, job_id: str, dependent: str) -> None:
        super().__init__(f"job {dependent} depends on job {job_id} and has not ended")
        self.job_id = job_id


class DependencyFailed(ServiceError):
    """What the job depends on has failed, so that it can't run. `target` is as in Job.blocked_by."""

    reason = "DEPENDENCY_FAILED"

    def __init__(self, job_id: str, target: str) -> None:
        super().__init__(
            f"job {job_id} depends on {target}, which has failed or is gone: retry that, with its dependents"
        )
        self.job_id = job_id
        self.target = target


class DependencyCycle(ServiceError):
    """Jobs would wait for themselves in the end if this one waited again. `way` says how."""

    reason = "DEPENDENCY_CYCLE"

    def __init__(self, job_id: str, way: str) -> None:
        super().__init__(f"job {job_id} can't wait again: that closes a cycle: {way}")
        self.job_id = job_id


class ScheduleExists(ServiceError):
    """There is a schedule of that name."""

    reason = "SCHEDULE_EXISTS"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a schedule {name!r}")
        self.name = name


class ScheduleOverlap(ServiceError):
    """The overlap policy says that no job is made now."""

    reason = "SCHEDULE_OVERLAP"

    def __init__(self, name: str, job_id: str) -> None:
        super().__init__(f"schedule {name!r} makes no job while job {job_id} has not ended")
        self.name = name


class TooLarge(ServiceError):
    """More bytes than allowed. `subject` names the field."""

    reason = "TOO_LARGE"

    def __init__(self, subject: str, size: int, limit: int) -> None:
        super().__init__(f"{subject} has {size} bytes; at most {limit} are allowed")
        self.subject = subject


class TooManyStreams(ServiceError):
    """As many streams as allowed are open."""

    reason = "TOO_MANY_STREAMS"

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} streams are open, which is as many as allowed")


class StoreFull(ServiceError):
    """The disk has no room; nothing was changed. Reads go on, and writes as soon as there is room."""

    reason = "STORE_FULL"

    def __init__(self) -> None:
        super().__init__("the store's disk is full; nothing was changed")


class StoreUnavailable(ServiceError):
    """The store can't be reached, or this service is stopping because it failed."""

    reason = "STORE_UNAVAILABLE"

    def __init__(self, why: str = "the store is not available") -> None:
        super().__init__(why)


class Draining(ServiceError):
    """The service is stopping and takes nothing new."""

    reason = "DRAINING"

    def __init__(self) -> None:
        super().__init__("the service is draining")


class WorkerReplaced(ServiceError):
    """The same worker has connected anew: this connection of it is over."""

    reason = "WORKER_REPLACED"

    def __init__(self) -> None:
        super().__init__("a worker with the same id has connected since: this connection is over")


class WorkerSilent(ServiceError):
    """Nothing was heard of the worker for a lease: its jobs are given back."""

    reason = "WORKER_SILENT"

    def __init__(self) -> None:
        super().__init__("nothing was heard of the worker for a whole lease")


class WorkerElsewhere(ServiceError):
    """The worker is connected to another server. `address` is where that answers."""

    reason = "WORKER_ELSEWHERE"

    def __init__(self, worker: str, address: str) -> None:
        super().__init__(f"worker {worker} is not connected here; ask the server at {address}")
        self.worker = worker


class CursorExpired(ServiceError):
    """The cursor is older than what is kept of the event log."""

    reason = "CURSOR_EXPIRED"

    def __init__(self) -> None:
        super().__init__("the cursor is older than what is kept of the events; list the jobs and stream from there")


class CursorAhead(ServiceError):
    """The cursor stands at what this store does not know of: it was restored from a backup."""

    reason = "CURSOR_AHEAD"

    def __init__(self) -> None:
        super().__init__("the cursor is of what the store has lost; list the jobs and stream from there")


class OffsetOutOfRange(ServiceError):
    """The offset lies beyond the end of a terminal job's output."""

    reason = "OFFSET_OUT_OF_RANGE"

    def __init__(self, offset: int, size: int) -> None:
        super().__init__(f"offset {offset} lies beyond the {size} bytes of output")


class StoreBroken(Exception):
    """A write or a sync failed in a way after which nothing may be acknowledged any more: the service must stop."""


class StoreInUse(Exception):
    """Another server has this store."""


class StoreTooNew(Exception):
    """The store was written by a later version."""


class StoreTooOld(Exception):
    """The store was written by an earlier version, and is not migrated by the way."""
