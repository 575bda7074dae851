"""How an attempt ended, in the runner's words."""

from typing import NamedTuple, TypeAlias

from slotd_server.domain.job import Failure, Payload


class Succeeded(NamedTuple):
    """The handler returned `result`."""

    result: Payload | None


class Failed(NamedTuple):
    """The attempt failed; with `permanent` no other follows."""

    failure: Failure
    permanent: bool = False


class Snoozed(NamedTuple):
    """The handler wants to be called again in `delay` microseconds; the attempt does not count."""

    delay: int


class Released(NamedTuple):
    """Whoever ran it stops, and gives the job back; the attempt does not count."""


Outcome: TypeAlias = Succeeded | Failed | Snoozed | Released
