"""Jobs in one line each, for what a failed test says."""

from collections.abc import Iterable

from slotd.codec import CodecError
from slotd.payload import decode
from slotd.v1 import Job, JobState

_PREFIX = "JOB_STATE_"
_WIDTH = 200


def state_name(state: JobState.ValueType) -> str:
    """QUEUED and so on."""
    return JobState.Name(state).removeprefix(_PREFIX)


def described(job: Job) -> str:
    """The kind, the payload, the queue, the labels and the state."""
    labels = f" {dict(sorted(job.spec.labels.items()))}" if job.spec.labels else ""
    payload = repr(payload_of(job))
    if len(payload) > _WIDTH:
        payload = f"{payload[:_WIDTH]}…"
    return f"{job.spec.kind}({payload}) in {job.spec.queue}{labels}, {state_name(job.state)}"


def payload_of(job: Job) -> object:
    """A job's payload, decoded; the bytes where they are not what their content type says."""
    if not job.spec.HasField("payload"):
        return None
    try:
        return decode(job.spec.payload)
    except CodecError:
        return job.spec.payload.data


def listed(what: str, jobs: Iterable[str]) -> str:
    """A heading, and the jobs under it."""
    lines = [f"  {line}" for line in jobs]
    return "\n".join([f"{what}:", *(lines or ["  nothing"])])
