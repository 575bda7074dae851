"""Leases of the servers that share a store: each renews its own, and sees whether the others renew theirs.

No clock is compared with another machine's. A server is gone once somebody has seen its count of renewals stand still
for a whole lease, measured by his own monotonic clock, and was in touch with the store all that time: so neither an
outage of the store, which keeps everybody from renewing, nor a pause of the observer expires anybody's lease.
"""

import threading
import traceback
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from slotd_server.domain.clock import Clock
from slotd_server.domain.errors import StoreBroken, StoreFull, StoreUnavailable
from slotd_server.domain.job import SECOND
from slotd_server.domain.server import Member, News, Status
from slotd_server.store.base import SharedStore

log = structlog.get_logger()

_RETRY_SECONDS = 0.5
"""How long to wait before the store is asked again that was away, or full."""

RENEWALS = 4
"""How often a server renews its lease, at least, while it holds."""


class _Seen(NamedTuple):
    renewals: int
    since: int


class Watch:
    """What one server has seen of the others. `owner` is its own boot id; `lease` in microseconds. Not safe for
    threads."""

    def __init__(self, owner: str, lease: int) -> None:
        self._owner = owner
        # Two looks that lie further apart than this say nothing of the time in between.
        self._blink = lease // RENEWALS * 2
        self._last_look: int | None = None
        self._seen: dict[str, _Seen] = {}

    def see(self, members: Sequence[Member], now: int) -> list[Member]:
        """Look at all there are, at `now` by a monotonic clock. → those that are gone."""
        if self._last_look is None or now - self._last_look > self._blink:
            self._seen = {}
        self._last_look = now
        before, self._seen = self._seen, {}
        gone = []
        for member in members:
            seen = before.get(member.id)
            if seen is None or seen.renewals != member.renewals:
                seen = _Seen(member.renewals, now)
            self._seen[member.id] = seen
            if member.id != self._owner and member.lease is not None and now - seen.since >= member.lease:
                gone.append(member)
        return gone

    def interrupted(self) -> None:
        """The store was away: what has been seen before says nothing of who is there."""
        self._seen = {}
        self._last_look = None


class Attendance:
    """When workers were heard of last, by a monotonic clock; `lease` in microseconds: how long one may be silent. What
    a pause of this server itself has kept from being heard is nobody's silence. Safe for threads."""

    def __init__(self, lease: int) -> None:
        self.lease = lease
        self._blink = lease // RENEWALS * 2
        self._last_look: int | None = None
        self._heard: dict[str, int] = {}
        self._lock = threading.Lock()

    def heard(self, worker: str, now: int) -> None:
        """It has said something, or is expected from now on."""
        with self._lock:
            self._heard[worker] = now

    def left(self, worker: str) -> None:
        """It is not expected any more."""
        with self._lock:
            self._heard.pop(worker, None)

    def absent(self, now: int) -> list[str]:
        """Look at all of them; to be called at least so often that two looks lie within half a lease. → those that have
        been silent for too long, who are not expected any more."""
        with self._lock:
            if self._last_look is not None and now - self._last_look > self._blink:
                self._heard = dict.fromkeys(self._heard, now)
            self._last_look = now
            gone = [worker for worker, heard in self._heard.items() if now - heard >= self.lease]
            for worker in gone:
                del self._heard[worker]
            return gone


class Keeper:
    """A thread that renews this server's lease and listens to the others. `poll` in microseconds: how often it looks
    for what it may not have been told of. On that thread `met` gets the servers that are there, `heard` the news, and
    `gone` each server that is gone; `status` says what to tell of this one."""

    def __init__(
        self,
        store: SharedStore,
        clock: Clock,
        *,
        poll: int,
        status: Callable[[], Status],
        met: Callable[[Sequence[Member]], None],
        heard: Callable[[News], None],
        gone: Callable[[Member], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._interval = min(poll, store.lease // RENEWALS)
        self._status = status
        self._met = met
        self._heard = heard
        self._gone = gone
        self._watch = Watch(store.owner, store.lease)
        self._stopped = threading.Event()
        self._hurried = threading.Event()
        # How it has failed since all went well.
        self._told: set[type[Exception]] = set()
        self._thread = threading.Thread(target=self._run, name="slotd-lease", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, within the time that the store takes to answer. Idempotent."""
        self._stopped.set()
        self._store.wake()
        if self._thread.ident is not None:
            self._thread.join()

    def hurry(self) -> None:
        """Tell the others at once what has changed here. From any thread."""
        self._hurried.set()
        self._store.wake()

    def look(self) -> None:
        """Renew the lease, see who is there, and tell."""
        self._hurried.clear()
        contact = self._store.renew(self._status())
        gone = self._watch.see(contact.members, self._clock.monotonic())
        self._met(contact.members)
        # One that others thought gone is among the members again with its next change.
        forgotten = all(member.id != self._store.owner for member in contact.members)
        self._heard(contact.news._replace(overdue=contact.news.overdue or forgotten))
        for member in gone:
            log.warning("a server is gone", server=member.id, name=member.status.name, address=member.status.address)
            self._gone(member)
        for member in gone:
            self._store.cut_off(member.id)

    def in_touch(self) -> None:
        """All went well: what goes wrong from now on is news again."""
        self._told.clear()

    def lost_touch(self, error: Exception) -> None:
        """The store was away or took no renewal, or something went wrong that nobody has thought of: all the same this
        one was out of touch, and what it has seen of the others says nothing. Told once until all goes well again."""
        self._watch.interrupted()
        if type(error) in self._told:
            return
        self._told.add(type(error))
        if isinstance(error, StoreFull):
            log.warning("the store has no room for a renewal: nobody's lease expires here meanwhile", error=str(error))
        elif isinstance(error, (StoreUnavailable, StoreBroken)):
            # Where it is broken the writer finds that too, and stops the service.
            log.warning("the store is away: nobody's lease expires meanwhile", error=str(error))
        else:
            # As text, made here: what renders exceptions for people shows variables too, and with them secrets.
            text = "".join(traceback.format_exception(error))
            log.error("the lease could not be kept for a moment", exception=text)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.look()
                self._listen_until(self._clock.monotonic() + self._interval)
                self.in_touch()
            except Exception as error:  # noqa: BLE001 - without this thread the others bury the server, whatever it was
                if not self._stopped.is_set():
                    self.lost_touch(error)
                    self._stopped.wait(_RETRY_SECONDS)

    def _listen_until(self, time: int) -> None:
        while (left := time - self._clock.monotonic()) > 0 and not (self._stopped.is_set() or self._hurried.is_set()):
            for news in self._store.listen(left / SECOND):
                self._heard(news)
