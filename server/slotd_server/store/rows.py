"""Jobs, queues and schedules as rows: which parts are columns, which are packed together, and back."""

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

import msgspec
from msgspec import Struct

from slotd_server.domain.job import Attempt, Failure, Job, Payload, Progress, RetryPolicy, Spec
from slotd_server.domain.queue import Queue
from slotd_server.domain.schedule import Schedule, Settings
from slotd_server.domain.server import Member, Status
from slotd_server.domain.states import State
from slotd_server.domain.ties import UNLINKED, Links, Ties

Row: TypeAlias = Sequence[Any]


class _Changing(Struct, array_like=True):
    """What changes of a job, but its result, in the order in which it is stored. A later version adds fields at the
    end, with defaults, so that it can read the rows of an earlier one."""

    state: State
    revision: int
    create_time: int
    attempt: int
    fence: int
    owner: str
    lingering: bool
    cancel_requested: bool
    schedule_time: int | None
    start_time: int | None
    end_time: int | None
    expire_time: int | None
    due_time: int | None
    progress: Progress | None
    failure: Failure | None
    attempts: tuple[Attempt, ...]
    blocked_by: tuple[str, ...]
    output_size: int
    output_truncated: bool
    links: Links = UNLINKED
    traceparent: str = ""


# By these the fields lie side by side in Job too, from `state` on.
_changing = attrgetter(*_Changing.__struct_fields__)

_json = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(_Changing).decode


class _Fixed(NamedTuple):
    """A spec without its payload, as JSON: queries look into it."""

    kind: str
    queue: str
    priority: int
    labels: tuple[tuple[str, str], ...]
    schedule_time: int | None
    timeout: int | None
    retry: RetryPolicy
    queue_timeout: int | None
    retention: int | None
    ties: Ties | None = None


_decode_fixed = msgspec.json.Decoder(_Fixed).decode
_remembered_fixed = lru_cache(maxsize=1024)(_decode_fixed)

_LONG = 4096
"""Characters of a spec that is not worth being remembered: those with many ties, or labels."""


def snapshot_bytes(job: Job) -> bytes:
    """All that changes of a job but its result, as MessagePack."""
    return _pack(_changing(job))


def spec_text(spec: Spec) -> str:
    """A spec without its payload, as a JSON array."""
    # Ties are mostly a job's own, and may be long.
    return _untied_text(spec[:-1]) if spec.ties is None else _json(spec[:-1]).decode()


@lru_cache(maxsize=1024)
def _untied_text(fixed: tuple[Any, ...]) -> str:
    # Most jobs of a kind differ in their payload alone.
    return _json(fixed).decode()


def labels_text(labels: tuple[tuple[str, str], ...]) -> str:
    """Labels, as a spec has them."""
    return _json(labels).decode()


def payload_columns(payload: Payload | None) -> tuple[str | None, bytes | None]:
    """(content type, data), both None where there is none."""
    return (None, None) if payload is None else (payload.content_type, payload.data)


def read_payload(content_type: str | None, data: bytes | None) -> Payload | None:
    """The other way round. Data that was not read is empty."""
    return None if content_type is None else Payload(content_type, data or b"")


def read_job(row: Row) -> Job:
    """A job from (seq, id, spec, request_id, payload_type, payload, snapshot, result_type, result)."""
    seq, job_id, spec, request_id, payload_type, payload, snapshot, result_type, result = row
    fixed = _remembered_fixed(spec) if len(spec) < _LONG else _decode_fixed(spec)
    whole_spec = Spec._make((*fixed, read_payload(payload_type, payload)))
    changing = _changing(_unpack(snapshot))
    fields: Any = (seq, job_id, whole_spec, *changing, read_payload(result_type, result), request_id or "")
    job = Job(*fields)
    return job if job.links.changed is None else job.changed_by(job.links.changed)


def queue_text(queue: Queue) -> str:
    """A queue, as a JSON array."""
    return _json(queue).decode()


def read_queue(text: str) -> Queue:
    """The other way round."""
    return msgspec.json.decode(text, type=Queue)


class _Course(NamedTuple):
    """What firings change of a schedule, in the order in which Schedule has it behind its settings."""

    create_time: int
    update_time: int
    next_time: int | None
    last_time: int | None
    recent: tuple[str, ...]
    fired: int
    skipped: int
    revision: int
    lasting: tuple[str, ...]


_read_course = msgspec.json.Decoder(_Course).decode
_read_settings = msgspec.json.Decoder(Settings).decode


def schedule_text(schedule: Schedule) -> str:
    """A schedule without its name and settings, as a JSON array."""
    return _json(schedule[2:]).decode()


def settings_text(settings: Settings) -> str:
    """What somebody has set of a schedule, as a JSON array."""
    return _json(settings).decode()


def read_schedule(row: Row) -> Schedule:
    """A schedule from (name, state, settings)."""
    name, state, settings = row
    return Schedule(name, _read_settings(settings), *_read_course(state))


_read_status = msgspec.json.Decoder(Status).decode


def status_text(status: Status) -> str:
    """What a server tells of itself, as a JSON array."""
    return _json(status).decode()


def read_member(row: Row) -> Member:
    """A server from (boot, status, start_time, renew_time, renewals, lease)."""
    boot, status, start_time, renew_time, renewals, lease = row
    return Member(boot, start_time, renew_time, renewals, lease, _read_status(status))
