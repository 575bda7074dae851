"""What requests must look like, as tables: a rule for each field of each message. All that is wrong is told at once."""

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from google.protobuf.message import Message

from slotd import v1
from slotd_server.domain.errors import InvalidArgument, NotImplementedYet, TooLarge
from slotd_server.rpc.rules import (
    MOST_VIOLATIONS,
    Fields,
    Violations,
    at_least,
    between,
    duration,
    each,
    job_id,
    labels,
    media_type,
    multiplier,
    name,
    one_of,
    paths,
    positive_duration,
    request_id,
    spaced,
    text_of,
    timestamp,
)

BATCH_JOBS = 1000

OLDEST_FIRST = "create_time"
NEWEST_FIRST = "create_time desc"
"""What a list may be ordered by; newest first where nothing is said."""

SETTINGS = ("slots", "paused", "max_queued", "defaults")
"""What may be changed of a queue."""

_view = one_of(v1.JobView.DESCRIPTOR)
_page_size = at_least(0)

_RETRY = Fields(
    v1.RetryPolicy,
    {
        "max_attempts": between(1, 10_000),
        "initial_backoff": duration,
        "max_backoff": duration,
        "multiplier": multiplier,
        "jitter": between(0, 1),
    },
)
_PAYLOAD = Fields(v1.Payload, {"content_type": media_type, "data": None})
_SPEC = Fields(
    v1.JobSpec,
    {
        "kind": name,
        "payload": _PAYLOAD,
        "queue": name,
        "priority": between(-1000, 1000),
        "labels": labels,
        # Not served: refused as a whole.
        "resources": None,
        "depends_on": None,
        "schedule_time": timestamp,
        "timeout": positive_duration,
        "retry": _RETRY,
        "queue_timeout": positive_duration,
        "retention": positive_duration,
    },
    required=["kind"],
)
_SUBMIT = Fields(v1.SubmitRequest, {"spec": _SPEC, "request_id": request_id, "validate_only": None}, required=["spec"])
_FILTER = Fields(
    v1.JobFilter,
    {
        "job_ids": each(job_id, 1000),
        "queues": each(name, 100),
        "kinds": each(name, 100),
        "states": each(one_of(v1.JobState.DESCRIPTOR), 100),
        "labels": labels,
    },
)
_DEFAULTS = Fields(
    v1.QueueDefaults,
    {
        "priority": between(-1000, 1000),
        "timeout": positive_duration,
        "retry": _RETRY,
        "queue_timeout": positive_duration,
        "retention": positive_duration,
    },
)
_QUEUE = Fields(
    v1.Queue,
    {
        "name": name,
        "slots": at_least(0),
        "paused": None,
        "max_queued": at_least(0),
        "defaults": _DEFAULTS,
        "counters": None,
    },
    required=["name"],
)

_REQUESTS: Mapping[type[Message], Fields] = {
    fields.kind: fields
    for fields in (
        _SUBMIT,
        Fields(v1.SubmitBatchRequest, {"requests": each(_SUBMIT, BATCH_JOBS)}, required=["requests"]),
        Fields(v1.GetRequest, {"id": job_id, "view": _view}, required=["id"]),
        Fields(
            v1.ListRequest,
            {
                "filter": _FILTER,
                "page_size": _page_size,
                "page_token": None,
                "view": _view,
                "order_by": text_of(NEWEST_FIRST, OLDEST_FIRST),
            },
        ),
        Fields(v1.WaitRequest, {"id": job_id, "timeout": duration, "view": _view}, required=["id"]),
        Fields(
            v1.StreamRequest,
            {
                "filter": _FILTER,
                "cursor": None,
                "delivery": one_of(v1.Delivery.DESCRIPTOR),
                "view": _view,
                "include_progress": None,
            },
        ),
        Fields(v1.ReadOutputRequest, {"id": job_id, "offset": at_least(0), "follow": None}, required=["id"]),
        Fields(v1.CancelRequest, {"id": job_id}, required=["id"]),
        Fields(v1.RetryRequest, {"id": job_id}, required=["id"]),
        Fields(v1.DeleteRequest, {"id": job_id, "force": None}, required=["id"]),
        Fields(v1.PurgeRequest, {"filter": _FILTER, "validate_only": None}, required=["filter"]),
        Fields(v1.GetQueueRequest, {"name": name}, required=["name"]),
        Fields(v1.ListQueuesRequest, {"page_size": _page_size, "page_token": None}),
        Fields(v1.UpdateQueueRequest, {"queue": _QUEUE, "update_mask": paths(*SETTINGS, "*")}, required=["queue"]),
        Fields(v1.ListSlotsRequest, {}),
        Fields(v1.UpdateSlotsRequest, {"slots": between(0, 10_000)}, required=["slots"]),
        Fields(v1.GetStatsRequest, {}),
    )
}
"""The rule of every request."""


def check(request: Message) -> None:
    """Raises InvalidArgument with all that is wrong with a request. What is submitted needs `Submissions` instead."""
    if wrong := _REQUESTS[type(request)](request):
        raise InvalidArgument(*wrong)


def stream(request: v1.StreamRequest) -> None:
    """`check`, for Stream."""
    check(request)


def newest_first(order: str) -> bool:
    """What a valid `order_by` says."""
    return spaced(order) != OLDEST_FIRST


class Submissions:
    """The checks of what is submitted, which also know the registered `kinds`, and the limits, in bytes, of a payload
    and of a whole batch.

    Both methods raise InvalidArgument (with reason UNKNOWN_KIND where that alone is wrong), NotImplementedYet for
    what is not served, and TooLarge.
    """

    def __init__(self, kinds: Collection[str], *, max_payload: int = 1 << 20, max_batch: int = 16 << 20) -> None:
        self._kinds = kinds
        self._max_payload = max_payload
        self._max_batch = max_batch

    def check(self, request: v1.SubmitRequest) -> None:
        wrong = _SUBMIT(request)
        if wrong or request.spec.kind not in self._kinds:
            self._refuse(wrong, [("", request)])
        self._check_spec(request.spec)

    def check_batch(self, request: v1.SubmitBatchRequest) -> None:
        size = request.ByteSize()
        if size > self._max_batch:
            raise TooLarge("requests", size, self._max_batch)
        requests = request.requests
        if not 0 < len(requests) <= BATCH_JOBS:
            # Millions of empty ones fit into a batch; nothing may look at each.
            raise InvalidArgument(("requests", f"has {len(requests)} jobs; must be 1 to {BATCH_JOBS:,}"))
        wrong = [*_REQUESTS[v1.SubmitBatchRequest](request), *_at_odds(requests)]
        if wrong or any(one.spec.kind not in self._kinds for one in requests):
            self._refuse(wrong, [(f"requests[{number}].", one) for number, one in enumerate(requests)])
        for number, one in enumerate(requests):
            self._check_spec(one.spec, number)

    def _check_spec(self, spec: v1.JobSpec, number: int | None = None) -> None:
        if spec.resources:
            raise NotImplementedYet(_path("spec.resources", number))
        if spec.depends_on:
            raise NotImplementedYet(_path("spec.depends_on", number))
        size = len(spec.payload.data)
        if size > self._max_payload:
            raise TooLarge(_path("spec.payload.data", number), size, self._max_payload)

    def _refuse(self, wrong: Violations, requests: Iterable[tuple[str, v1.SubmitRequest]]) -> None:
        """Raises for what is wrong already and for kinds that are of the right form, but not known."""
        unknown: list[tuple[str, str]] = []
        told: dict[str, str] = {}
        for path, request in requests:
            kind = request.spec.kind
            if kind not in self._kinds and not name(kind) and len(unknown) < MOST_VIOLATIONS:
                if kind not in told:
                    told[kind] = _unknown(kind, self._kinds)
                unknown.append((f"{path}spec.kind", told[kind]))
        raise InvalidArgument(*wrong, *unknown, reason="INVALID_ARGUMENT" if wrong else "UNKNOWN_KIND")


def _path(field: str, number: int | None) -> str:
    """As seen from the request, or from the batch that has it."""
    return field if number is None else f"requests[{number}].{field}"


def _unknown(kind: str, kinds: Collection[str]) -> str:
    near = difflib.get_close_matches(kind, kinds, n=3)
    meant = f"; did you mean {' or '.join(repr(one) for one in near)}?" if near else ""
    return f"no handler is registered for {kind!r}{meant}"


def _at_odds(requests: Sequence[v1.SubmitRequest]) -> Violations:
    """What is wrong with requests only because of each other."""
    found = []
    if len({one.validate_only for one in requests}) > 1:
        first = requests[0].validate_only
        number = next(number for number, one in enumerate(requests) if one.validate_only != first)
        found.append((f"requests[{number}].validate_only", "must be the same in all requests"))
    ids = Counter(one.request_id for one in requests if one.request_id)
    if len(ids) < ids.total():
        seen: dict[str, int] = {}
        for number, one in enumerate(requests):
            if one.request_id and (first_number := seen.setdefault(one.request_id, number)) != number:
                found.append((f"requests[{number}].request_id", f"is that of requests[{first_number}] too"))
                if len(found) >= MOST_VIOLATIONS:
                    break
    return found
