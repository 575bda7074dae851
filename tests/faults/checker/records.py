"""What recorders write and the checker reads: one JSON object on a line, of the types below. `t` says which.

Times `at` are nanoseconds of the machine's monotonic clock, which all processes of a machine share: they order what one
process saw after another. States, event types and deliveries are numbered as in slotd.v1. Fields that are left out have
the default that is shown.

A *digest* is a number of 64 bits over a message's bytes. That of a job is over its BASIC view, so that everyone who has
seen the job at a revision has the same, and sums of digests (modulo 2**64) say whether two have seen the same many.
"""

from hashlib import blake2b
from typing import TypeAlias

import msgspec
from google.protobuf.message import Message as AnyMessage

from slotd.v1 import Job

FORMAT = 1
"""The format's number; the checker refuses others."""

MODULUS = 1 << 64

OUTCOME_UNKNOWN = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "UNKNOWN", "INTERNAL", "DATA_LOSS"})
"""Codes of calls that may have happened, or may still happen."""


class _Part(msgspec.Struct, omit_defaults=True, frozen=True, gc=False):
    """A part of a record."""


class _Record(msgspec.Struct, tag_field="t", omit_defaults=True, frozen=True):
    """A line."""


class AttemptCopy(_Part, array_like=True, frozen=True):
    """One of a job's attempts: `[number, server, ended, reason, worker]`, `reason` being why it failed, and `worker`
    the id of the worker that had it; empty where the server ran it itself."""

    number: int
    server: str
    ended: bool
    reason: str = ""
    worker: str = ""


class JobCopy(_Part, frozen=True):
    """A job as an answer or an event has it. `digest` is over all of it; the other fields are what rules speak of.

    `spec` is the digest of its spec, of which a `spec` record with the content stands earlier in the same file.
    `payload` and `result` are digests of the data, where the view had them. `expire` and `fire` are its expire_time and
    its fire_time, in microseconds since the epoch.
    """

    id: str
    revision: int
    state: int
    digest: int
    spec: int
    attempt: int = 0
    cancel_requested: bool = False
    blocked_by: tuple[str, ...] = ()
    attempts: tuple[AttemptCopy, ...] = ()
    reason: str = ""
    payload: int = 0
    result: int = 0
    expire: int = 0
    schedule: str = ""
    fire: int = 0


class Claim(_Part, array_like=True, frozen=True):
    """A claim on a resource: `[name, shared]`."""

    name: str
    shared: bool = False


class Dependency(_Part, frozen=True):
    """What has to end first, or to succeed first."""

    job_id: str = ""
    group: str = ""
    ended: bool = False


class Asked(_Part, frozen=True):
    """One of the jobs that a Submit or SubmitBatch asks for; `payload` is the digest of its data."""

    request_id: str
    kind: str
    payload: int = 0
    unique_key: str = ""


class EventCopy(_Part, frozen=True):
    """A JobEvent. `time` is in microseconds since the epoch."""

    revision: int
    type: int
    job: JobCopy
    previous_state: int = 0
    time: int = 0


class Holder(_Part, array_like=True, frozen=True):
    """Who holds a slot: `[job, attempt, zombie, worker]`; `worker` is empty where the slot is the server's own."""

    job: str
    attempt: int
    zombie: bool = False
    worker: str = ""


class PoolCopy(_Part, frozen=True):
    """The part of a ledger that one pool has; `worker` is empty for the server's own."""

    worker: str
    slots: int
    free: int
    running: int
    zombie: int


class Lease(_Part, array_like=True, frozen=True):
    """One claim of one job: `[job, fence]`. A job's claims are counted from 1."""

    job: str
    fence: int


class Assigned(_Part, array_like=True, frozen=True):
    """A job that came to a worker: `[job, fence, attempt]`."""

    job: str
    fence: int
    attempt: int


class Outcome(_Part, array_like=True, frozen=True):
    """How a worker says that a claim ended: `[job, fence, how, result]`. `how` is the outcome's name in Finish, and
    `result` the digest of what was returned."""

    job: str
    fence: int
    how: str
    result: int = 0


class ServerCopy(_Part, frozen=True):
    """A server, as ListServers told of it."""

    id: str
    name: str = ""
    slots: int = 0
    running: int = 0
    zombie: int = 0
    draining: bool = False
    local: bool = False


class Recorder(_Record, tag="recorder", frozen=True):
    """The first line of a process that records. `clock` names the machine's present life: times compare within it
    alone. `wall` is the time of day, in microseconds since the epoch."""

    format: int
    name: str
    pid: int
    clock: str
    at: int
    wall: int


class SpecCopy(_Record, tag="spec", frozen=True):
    """A spec, in the first record of a file that has a job with it; `request` is the label of that name."""

    digest: int
    kind: str
    queue: str
    request: str = ""
    labels: dict[str, str] = {}
    resources: tuple[Claim, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    group: str = ""
    key: str = ""
    unique_key: str = ""
    max_attempts: int = 1


class Call(_Record, tag="call", frozen=True):
    """A client is about to call. `client` and `number` name the call; `ids` are the jobs it is about."""

    client: str
    number: int
    method: str
    at: int
    ids: tuple[str, ...] = ()
    asked: tuple[Asked, ...] = ()
    force: bool = False
    dependents: bool = False


class Answer(_Record, tag="answer", frozen=True):
    """The call was answered with these jobs. With `page`, all of them as they were at one revision."""

    client: str
    number: int
    at: int
    jobs: tuple[JobCopy, ...] = ()
    page: bool = False


class Error(_Record, tag="error", frozen=True):
    """The call ended with this status; `reason` is that of its ErrorInfo, empty where the service itself gave none."""

    client: str
    number: int
    at: int
    code: str
    reason: str = ""


class Subscribe(_Record, tag="subscribe", frozen=True):
    """A subscriber is about to call Stream. `number` is unique in the file.

    `after` is the revision of its cursor, and None where it has no cursor and gets a snapshot first. A cursor that came
    with something else than a stream's message (Submit, List) may be of a somewhat earlier revision: then `exact` is
    false, and only what is behind `after` has to come. With `log`, what it is told is the log, to which everything else
    is compared: from the first revision on, of all jobs, with progress and `full`. Where it is not `full` messages have
    sums in place of events.
    """

    subscriber: str
    number: int
    at: int
    after: int | None = None
    exact: bool = True
    log: bool = False
    full: bool = True
    include_progress: bool = False
    delivery: int = 1
    job_ids: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    states: tuple[int, ...] = ()
    labels: dict[str, str] = {}
    groups: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()


class Message(_Record, tag="message", frozen=True):
    """A message of the stream `number`: its `events` or, where the stream is not recorded in full, how many they were
    (`count`), the sum of their digests and their revisions; of a run without holes the first and the last alone."""

    number: int
    at: int
    revision: int
    synced: bool = False
    snapshot: bool = False
    events: tuple[EventCopy, ...] = ()
    count: int = 0
    sum: int = 0
    revisions: tuple[int, ...] = ()


class Ended(_Record, tag="ended", frozen=True):
    """The stream `number` ended with this status code."""

    number: int
    at: int
    code: str
    reason: str = ""


class Started(_Record, tag="start", frozen=True):
    """A handler's function has begun, in the process `pid`."""

    pid: int
    at: int
    job: str
    attempt: int
    kind: str


class Returned(_Record, tag="end", frozen=True):
    """It is about to return, or to raise."""

    pid: int
    at: int
    job: str
    attempt: int
    ok: bool = True


class Up(_Record, tag="up", frozen=True):
    """The server with boot id `server` runs in the process `pid`."""

    server: str
    pid: int
    at: int


class Down(_Record, tag="down", frozen=True):
    """The process has ended; from here on its pid may be another's."""

    pid: int
    at: int


class Limit(_Record, tag="limit", frozen=True):
    """What is never exceeded in this history: slots of a server's pool, by boot id, or of a queue over all servers.
    -1 is no limit. With `vanish` ended jobs of the queue are deleted by themselves (retain_count)."""

    server: str = ""
    queue: str = ""
    slots: int = -1
    slots_per_key: int = -1
    vanish: bool = False


class LedgerCopy(_Record, tag="ledger", frozen=True):
    """What ListSlots of a server answered. The numbers are of all pools together, `limit` is its own pool's."""

    server: str
    revision: int
    slots: int
    free: int
    running: int
    zombie: int
    at: int = 0
    limit: int = 0
    holders: tuple[Holder, ...] = ()
    pools: tuple[PoolCopy, ...] = ()


class Servers(_Record, tag="servers", frozen=True):
    """What ListServers answered."""

    at: int
    servers: tuple[ServerCopy, ...]


class Joined(_Record, tag="joined", frozen=True):
    """The worker with this id, which has so many slots, runs in the process `pid`."""

    worker: str
    pid: int
    at: int
    slots: int


class Said(_Record, tag="said", frozen=True):
    """A worker is about to send a WorkRequest: the first one of a connection, with what it `held`, where `hello`."""

    worker: str
    pid: int
    at: int
    hello: bool = False
    held: tuple[Lease, ...] = ()
    slots: int | None = None
    finishes: tuple[Outcome, ...] = ()
    leave: bool = False


class Heard(_Record, tag="heard", frozen=True):
    """A worker has got a WorkResponse. In the first one of a connection are the `server` that says welcome, its `lease`
    in nanoseconds, and what the worker `kept`."""

    worker: str
    pid: int
    at: int
    server: str = ""
    lease: int = 0
    kept: tuple[Lease, ...] = ()
    assigned: tuple[Assigned, ...] = ()
    lost: tuple[Lease, ...] = ()
    settled: tuple[Lease, ...] = ()


class Launched(_Record, tag="launched", frozen=True):
    """A worker is about to call the function of a job that was assigned to it."""

    worker: str
    pid: int
    at: int
    job: str
    fence: int
    attempt: int


Line: TypeAlias = (
    Recorder
    | SpecCopy
    | Call
    | Answer
    | Error
    | Subscribe
    | Message
    | Ended
    | Started
    | Returned
    | Up
    | Down
    | Limit
    | LedgerCopy
    | Servers
    | Joined
    | Said
    | Heard
    | Launched
)


def digest(data: bytes) -> int:
    """The digest of these bytes; never 0, which stands for nothing."""
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little") or 1


def message_digest(message: AnyMessage) -> int:
    """The digest of a message, the same wherever equal ones are encoded."""
    return digest(message.SerializeToString(deterministic=True))


def event_digest(job: int, kind: int, previous_state: int) -> int:
    """The digest of an event of this type about the copy with the digest `job`."""
    return (job + 0x9E37_79B9_7F4A_7C15 * (16 * kind + previous_state + 1)) % MODULUS


def basic(job: Job) -> Job:
    """The job's BASIC view."""
    if not (job.spec.payload.data or job.result.data):
        return job
    copy = Job()
    copy.CopyFrom(job)
    for payload, has in ((copy.spec.payload, copy.spec.HasField("payload")), (copy.result, copy.HasField("result"))):
        if has:
            payload.ClearField("data")
    return copy
