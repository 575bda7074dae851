"""Servers that share a store: what each tells of itself, and what the store knows of each."""

from collections.abc import Mapping
from typing import NamedTuple

from slotd_server.domain.queue import Defaults
from slotd_server.domain.worker import WorkerStatus


class Status(NamedTuple):
    """What a server tells of itself whenever it renews its lease. `name` need not be unique; `address` is where it
    answers, as it sees that itself; `kinds` are those that it or its workers have handlers for, sorted, with what these
    declare. The slots are its own and its workers' together."""

    name: str
    address: str
    version: str
    slots: int
    running: int
    zombie: int
    draining: bool
    kinds: Mapping[str, Defaults]
    workers: tuple[WorkerStatus, ...] = ()


class Member(NamedTuple):
    """A server on a store. `id` is its boot id. Times are microseconds since the epoch by the store's clock, `lease` is
    microseconds too.

    Whether a server is gone is told by `renewals`, which grows with each renewal: no clock has to agree with another.
    `renew_time` and `lease` are None on a store of one server, which has no lease.
    """

    id: str
    start_time: int
    renew_time: int | None
    renewals: int
    lease: int | None
    status: Status


class News(NamedTuple):
    """What a server hears of the store: how far it has come, whether there is work that a server with free slots may
    start, and whether something is due that nobody has attended to."""

    revision: int
    work: bool
    overdue: bool = False


class Contact(NamedTuple):
    """What a server learns when it renews its lease: who is there, itself included, and the news."""

    members: tuple[Member, ...]
    news: News
