"""What a worker says of its handlers: a `WorkerKind` each, in which unset is what they don't say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from slotd.handlers import Handler
from slotd.jobspec import RetryPolicy
from slotd.requests import queue_defaults
from slotd.v1 import worker_service_pb2


def worker_kinds(handlers: Mapping[str, Handler], others: Iterable[str]) -> list[worker_service_pb2.WorkerKind]:
    """The kinds that have handlers, with what these declare, and `others`, sorted."""
    found = {kind: worker_service_pb2.WorkerKind(kind=kind) for kind in others}
    found |= {kind: _worker_kind(handler) for kind, handler in handlers.items()}
    return [found[kind] for kind in sorted(found)]


def _worker_kind(handler: Handler) -> worker_service_pb2.WorkerKind:
    retry = RetryPolicy(
        max_attempts=handler.max_attempts,
        initial_backoff=handler.initial_backoff,
        max_backoff=handler.max_backoff,
        multiplier=handler.multiplier,
        jitter=handler.jitter,
    )
    defaults = queue_defaults(
        priority=handler.priority,
        timeout=handler.timeout,
        retry=None if retry == RetryPolicy() else retry,
        queue_timeout=handler.queue_timeout,
        retention=handler.retention,
    )
    return worker_service_pb2.WorkerKind(kind=handler.kind, queue=handler.queue or "", defaults=defaults)
