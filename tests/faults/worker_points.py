"""Where a worker may die or stand still when a test says so, as failpoints.py has it for servers."""

import itertools
from typing import Any

from slotd.worker.functions import KindFunctions
from slotd.worker.session import Session
from tests.faults.passages import Counts, deadly, die, stop


def _always(arguments: tuple[Any, ...], answer: Any) -> bool:
    return True


# The function, whether the point lies behind it, and which calls of it count.
_CALLS: dict[str, tuple[Any, str, bool, Counts]] = {
    # A job has come, and its function has not been called.
    "given": (KindFunctions, "start", False, _always),
    # It has been called.
    "called": (KindFunctions, "start", True, _always),
    # It has returned, and nobody knows.
    "returned": (Session, "finished", False, _always),
    # That is put into words, which are not sent.
    "finishing": (Session, "next_request", True, lambda _, answer: answer is not None and answer.finishes),
    # The server has it, and the worker does not know that.
    "settled": (Session, "received", False, lambda arguments, _: arguments[1].settled),
    # It has said who it is, and nothing since.
    "greeted": (Session, "received", False, lambda arguments, _: arguments[1].HasField("welcome")),
}

WORKER_POINTS = tuple(_CALLS)
"""All points at which a worker can be killed or stopped."""


def arm(fault: str) -> None:
    """Make ready for one fault of this process, `POINT:N` or `POINT:N:stop`.

    Raises KeyError where there is no such point.
    """
    point, number, *stops = fault.split(":")
    owner, name, behind, counts = _CALLS[point]
    act = stop if stops else die
    setattr(owner, name, deadly(getattr(owner, name), itertools.count(1), int(number), behind, act, counts))
