"""What a service in the test's process logs goes where the test's own logging goes; pytest shows it with a failure."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def logged_as_usual() -> Iterator[None]:
    """By way of `logging`, unless the test has configured structlog itself: its default is to print to stdout."""
    before = structlog.get_config()
    # `structlog.testing.capture_logs` leaves the defaults behind as if somebody had chosen them.
    if structlog.is_configured() and not isinstance(before["logger_factory"], structlog.PrintLoggerFactory):
        yield
        return
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    try:
        yield
    finally:
        structlog.configure(**before)
