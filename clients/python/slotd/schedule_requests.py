"""Building the requests of ScheduleService; what both clients, sync and aio, send."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias, TypedDict

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from slotd.enums import enum_value
from slotd.jobspec import Span, duration, timestamp
from slotd.requests import new_request_id
from slotd.v1 import job_pb2, schedule_service_pb2

# What to do while an earlier job has not ended: the enum's value, or its name with or without the prefix, in any case.
Overlap: TypeAlias = schedule_service_pb2.OverlapPolicy.ValueType | str


class ScheduleFields(TypedDict, total=False):
    """When a schedule fires; `create_schedule` tells what each means. None is the default."""

    cron: str | None
    interval: Span | None
    time_zone: str | None
    overlap: Overlap | None
    catch_up_window: Span | None
    jitter: Span | None
    start_time: datetime | Timestamp | None
    end_time: datetime | Timestamp | None
    paused: bool | None


def create(
    name: str, spec: job_pb2.JobSpec, validate_only: bool, fields: ScheduleFields
) -> schedule_service_pb2.ScheduleServiceCreateRequest:
    """A Create. Raises ValueError for a value that has no form on the wire, TypeError for a field that there is not."""
    made = _schedule(name, fields)
    made.spec.CopyFrom(spec)
    return schedule_service_pb2.ScheduleServiceCreateRequest(schedule=made, validate_only=validate_only)


def update(
    name: str, spec: job_pb2.JobSpec | None, revision: int, fields: ScheduleFields
) -> schedule_service_pb2.ScheduleServiceUpdateRequest:
    """An Update whose mask names the fields that are there; a None among them leaves it unset. Raises as `create`."""
    made = _schedule(name, fields)
    made.revision = revision
    paths = list(fields)
    if spec is not None:
        made.spec.CopyFrom(spec)
        paths.insert(0, "spec")
    return schedule_service_pb2.ScheduleServiceUpdateRequest(schedule=made, update_mask=FieldMask(paths=paths))


def trigger(name: str, request_id: str | None) -> schedule_service_pb2.ScheduleServiceTriggerRequest:
    """A Trigger, with an id of its own where none is given."""
    return schedule_service_pb2.ScheduleServiceTriggerRequest(name=name, request_id=request_id or new_request_id())


def overlap_policy(overlap: Overlap) -> schedule_service_pb2.OverlapPolicy.ValueType:
    """By value or name: `skip`, `SKIP` and `OVERLAP_POLICY_SKIP` are the same. Raises ValueError."""
    return enum_value(schedule_service_pb2.OverlapPolicy, "OVERLAP_POLICY_", "overlap policy", overlap)


def _schedule(name: str, fields: ScheduleFields) -> schedule_service_pb2.Schedule:
    unknown = fields.keys() - ScheduleFields.__annotations__.keys()
    if unknown:
        raise TypeError(f"no such field of a schedule: {', '.join(sorted(unknown))}")
    interval, catch_up_window = fields.get("interval"), fields.get("catch_up_window")
    jitter, overlap = fields.get("jitter"), fields.get("overlap")
    start_time, end_time = fields.get("start_time"), fields.get("end_time")
    return schedule_service_pb2.Schedule(
        name=name,
        cron=fields.get("cron") or "",
        interval=None if interval is None else duration(interval),
        time_zone=fields.get("time_zone") or "",
        overlap=overlap_policy(overlap or schedule_service_pb2.OVERLAP_POLICY_UNSPECIFIED),
        catch_up_window=None if catch_up_window is None else duration(catch_up_window),
        jitter=None if jitter is None else duration(jitter),
        start_time=None if start_time is None else timestamp(start_time),
        end_time=None if end_time is None else timestamp(end_time),
        paused=fields.get("paused") or False,
    )
