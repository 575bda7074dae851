"""What the client package's side of an attempt says of it, in the server's own words."""

from slotd import attempts, context
from slotd_server.domain.job import SECOND, Failure, Payload, Progress
from slotd_server.domain.outcome import Failed, Outcome, Snoozed, Succeeded
from slotd_server.execution.base import Told


def outcome_of(outcome: attempts.Outcome) -> Outcome:
    """How an attempt ended."""
    match outcome:
        case attempts.Succeeded(result):
            return Succeeded(None if result is None else Payload(*result))
        case attempts.Failed(reason, message, permanent):
            return Failed(Failure(reason, message), permanent)
        case attempts.Snoozed(seconds):
            return Snoozed(round(seconds * SECOND))


def told_of(told: context.Told) -> Told:
    """What it has told."""
    return Told(None if told.progress is None else Progress(*told.progress), told.output)
