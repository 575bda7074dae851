"""The log of transitions, for debugging: one line for each. Nothing in it is of a caller's making but names: no
payload, no result, no labels, and of failures the reason without the message, which may quote any of them."""

import structlog

from slotd_server.domain.errors import ServiceError, StoreBroken
from slotd_server.domain.events import Event, EventType
from slotd_server.domain.states import State
from slotd_server.lifecycle import Committed

log = structlog.get_logger()


class TransitionLog:
    """An Observer of the writer."""

    def committed(self, committed: Committed) -> None:
        """As in Observer."""
        for event in committed.events:
            after = "DELETED" if event.type is EventType.DELETED else event.job.state.name
            if event.previous_state is None or after != event.previous_state.name:
                _tell(event, event.previous_state, after)

    def not_taken(self, error: ServiceError | StoreBroken) -> None:
        """As in Observer. The writer says so itself."""


def _tell(event: Event, before: State | None, after: str) -> None:
    job = event.job
    line = {
        "job_id": job.id,
        "kind": job.spec.kind,
        "queue": job.spec.queue,
        "from": "" if before is None else before.name,
        "to": after,
        "attempt": job.attempt,
        "revision": event.revision,
    }
    if job.failure is not None:
        line["reason"] = job.failure.reason
    log.debug("transition", **line)
