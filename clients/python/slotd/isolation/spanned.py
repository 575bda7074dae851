"""Attempts in other processes have their spans on this side: a process that is ended by force can't end its own."""

from typing import NamedTuple

from slotd import tracing
from slotd.attempts import Failed, Outcome
from slotd.context import Told
from slotd.isolation.base import Assigned, Lease, Listener, Processes


class Spanned:
    """As Processes: each attempt of `processes` gets a span, from its start until it is over."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes

    def start(self, assigned: Assigned, listener: Listener) -> None:
        """As of Processes."""
        span = tracing.begin(
            tracing.Subject(
                assigned.traceparent, assigned.lease.job_id, assigned.kind, assigned.queue, assigned.attempt
            )
        )
        self._processes.start(assigned._replace(traceparent=span.traceparent), _Spanned(span, listener))

    def stop(self, lease: Lease) -> None:
        """As of Processes."""
        self._processes.stop(lease)

    def kill(self, lease: Lease, outcome: Failed) -> bool:
        """As of Processes."""
        return self._processes.kill(lease, outcome)

    def take(self, lease: Lease) -> Told:
        """As of Processes."""
        return self._processes.take(lease)

    def close(self) -> None:
        """As of Processes."""
        self._processes.close()


class _Spanned(NamedTuple):
    """As Listener."""

    span: tracing.Span
    listener: Listener

    def told(self, lease: Lease) -> None:
        self.listener.told(lease)

    def finished(self, lease: Lease, outcome: Outcome, told: Told) -> None:
        self.span.end(outcome)
        self.listener.finished(lease, outcome, told)
