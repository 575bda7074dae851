"""Domain values that several tests start from."""

from slotd_server.domain.job import Attempt, Failure, Job, Payload, Progress
from slotd_server.domain.queue import BUILT_IN, Draft
from slotd_server.domain.states import State
from slotd_server.domain.ties import Claim, Conflict, Dependency, Ties, Unique

NOW = 1_700_000_000_123_456
"""A time that has microseconds."""

JOB_ID = "0190f5b2-7c11-7abc-8def-0123456789ab"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
STORE = "0123456789abcdef0123456789abcdef"
OTHER_STORE = "fedcba9876543210fedcba9876543210"

WAITING = Job(
    seq=7,
    id=JOB_ID,
    spec=Draft("noop", payload=Payload("text/plain", b"hello")).resolve(BUILT_IN),
    state=State.QUEUED,
    revision=7,
    create_time=NOW,
)
FAILURE = Failure("TIMEOUT", "the attempt took longer than its timeout")
TIES = Ties(
    resources=(Claim("repo/*"), Claim("disk", exclusive=False)),
    depends_on=(
        Dependency(job_id=JOB_ID),
        Dependency(job_id=JOB_ID, ref="fetch", success=False),
        Dependency(group="nightly", patient=True),
    ),
    group="reports",
    key="kühn & co",
    unique=Unique("report/7", 60_000_000, Conflict.REPLACE),
    schedule="each-night",
    fire_time=NOW - 7_000_000,
)
FULL = WAITING.evolve(
    spec=WAITING.spec._replace(
        labels=(("colour", "blue"), ("größe", "")),
        priority=-3,
        schedule_time=NOW - 5_000_000,
        timeout=1,
        queue_timeout=90_000_000,
        retention=3_600_000_000,
        ties=TIES,
    ),
    state=State.SUCCEEDED,
    revision=123_456_789_012,
    attempt=2,
    cancel_requested=True,
    schedule_time=NOW - 1,
    start_time=NOW,
    end_time=NOW + 2,
    expire_time=NOW + 3_000_000,
    progress=Progress(3, 10, "dritte Zeile"),
    failure=FAILURE,
    attempts=(Attempt(1, NOW - 9, NOW - 2, FAILURE, "a" * 32), Attempt(2, NOW, NOW + 2, None, "b" * 32, "w1")),
    blocked_by=("attempts/1", "attempts/2"),
    output_size=16 << 20,
    output_truncated=True,
    result=Payload("application/json", b'{"fine": true}'),
    traceparent=TRACEPARENT,
    request_id="not on the wire",
)
"""A job with everything that a job can have, more than one can have at once."""
