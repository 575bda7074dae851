"""What handlers declare, in the server's own words."""

from slotd.handlers import Handler
from slotd_server.domain.job import SECOND
from slotd_server.domain.queue import Defaults


def declared(handler: Handler) -> Defaults:
    """What a handler declares, in microseconds."""

    def micros(seconds: float | None) -> int | None:
        return None if seconds is None else round(seconds * SECOND)

    return Defaults(
        queue=handler.queue,
        priority=handler.priority,
        timeout=micros(handler.timeout),
        queue_timeout=micros(handler.queue_timeout),
        retention=micros(handler.retention),
        max_attempts=handler.max_attempts,
        initial_backoff=micros(handler.initial_backoff),
        max_backoff=micros(handler.max_backoff),
        multiplier=handler.multiplier,
        jitter=handler.jitter,
    )
