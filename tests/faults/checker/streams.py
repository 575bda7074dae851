"""Rules about what subscribers were told, against the log."""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple, TypeAlias

from slotd.v1 import DELIVERY_LATEST, EVENT_TYPE_LEFT_FILTER, EVENT_TYPE_SNAPSHOT
from tests.faults.checker.errors import HistoryError
from tests.faults.checker.log import CREATED, DELETED, Log
from tests.faults.checker.records import MODULUS, Ended, EventCopy, Message, SpecCopy, Subscribe, event_digest
from tests.faults.checker.states import TERMINAL
from tests.faults.checker.verdicts import Verdicts

_SNAPSHOT = int(EVENT_TYPE_SNAPSHOT)
_LEFT_FILTER = int(EVENT_TYPE_LEFT_FILTER)
_LATEST = int(DELIVERY_LATEST)

_Key: TypeAlias = tuple[object, ...]


class _View:
    """The log as those see it who ask for this: which revisions, as what, and the sums of their digests."""

    def __init__(self, log: Log, asked: Subscribe) -> None:
        self._log = log
        self._asked = asked
        self._labels = asked.labels.items()
        self._specs: dict[int, bool] = {}
        self.revisions = array("L")
        self._types = bytearray()
        for revision in self._candidates():
            kind = self._seen_as(revision)
            if kind:
                self.revisions.append(revision)
                self._types.append(kind)
        digests = map(self.digest, range(len(self.revisions)))
        self.sums = array("Q", accumulate(digests, lambda total, one: (total + one) % MODULUS, initial=0))

    def place(self, revision: int) -> int:
        """How many of its revisions are not above this one."""
        return bisect_right(self.revisions, revision)

    def kind(self, place: int) -> int:
        """The type of event that the one at this place is told as."""
        return self._types[place]

    def digest(self, place: int) -> int:
        revision = self.revisions[place]
        return event_digest(self._log.digests[revision], self._types[place], self._log.states_before[revision])

    def matching(self, revision: int) -> Iterator[int]:
        """The revisions of the jobs that were there and matched at `revision`, in the order of their submission."""
        log = self._log
        for number in range(1, len(log.ids)):
            there = log.last[number]
            while there > revision:
                there = log.before[there]
            if there and log.kinds[there] != DELETED and self._matches(there, log.states[there]):
                yield there

    def _candidates(self) -> Iterator[int] | range:
        log, asked = self._log, self._asked
        if not asked.job_ids:
            return range(1, log.revision + 1)
        return iter(sorted(one for job_id in {*asked.job_ids} for one in self._life(log.numbers.get(job_id, 0))))

    def _life(self, number: int) -> Iterator[int]:
        revision = self._log.last[number]
        while revision:
            yield revision
            revision = self._log.before[revision]

    def _seen_as(self, revision: int) -> int:
        """The type of event that it is here; 0 where it is none."""
        log = self._log
        if log.minor[revision] and not self._asked.include_progress:
            return 0
        kind = log.kinds[revision]
        if self._matches(revision, log.states[revision]):
            return kind
        before = log.before[revision]
        if kind == CREATED or not before or not self._matches(before, log.states_before[revision]):
            return 0
        return kind if kind == DELETED else _LEFT_FILTER

    def _matches(self, revision: int, state: int) -> bool:
        asked, log = self._asked, self._log
        if asked.states and state not in asked.states:
            return False
        if asked.job_ids and log.ids[log.jobs[revision]] not in asked.job_ids:
            return False
        number = log.specs[revision]
        fits = self._specs.get(number)
        if fits is None:
            fits = self._specs[number] = self._fits(log.spec_copies[number])
        return fits

    def _fits(self, spec: SpecCopy) -> bool:
        asked = self._asked
        if asked.schedules:
            raise HistoryError("a recorded subscriber can't ask for schedules: the log does not tell them")
        return (
            (not asked.queues or spec.queue in asked.queues)
            and (not asked.kinds or spec.kind in asked.kinds)
            and (not asked.groups or spec.group in asked.groups)
            and self._labels <= spec.labels.items()
        )


class _Snapshot(NamedTuple):
    """What has come of a snapshot so far: its revision, how many jobs, and the sum of their digests."""

    revision: int = 0
    jobs: int = 0
    digests: int = 0


class _Reader:
    """One subscriber, over all its streams."""

    def __init__(self) -> None:
        self.asked: Subscribe | None = None
        self.position: int | None = None
        """Everything up to here has been told; None in a snapshot."""
        self.exact = True
        self.snapshot = _Snapshot()
        self.told: set[int] | None = None
        """Of LATEST: the revisions that were told and matter."""
        self.began: int | None = None


class Streams:
    """Fed with the lines of a file that are about streams, in their order, once the log is complete."""

    def __init__(self, log: Log, verdicts: Verdicts) -> None:
        self._log = log
        self._verdicts = verdicts
        self._views: dict[_Key, _View] = {}
        self._readers: dict[str, _Reader] = {}
        self._streams: dict[int, _Reader] = {}
        self.events = 0

    def subscribe(self, asked: Subscribe) -> None:
        """A subscriber begins, or goes on with another stream."""
        reader = self._readers.setdefault(asked.subscriber, _Reader())
        if reader.asked is not None and asked.after is not None and reader.position is not None:
            if asked.after > reader.position:
                what = f"{asked.subscriber} was told up to {reader.position} and goes on after {asked.after}"
                self._verdicts.add("stream-gap", what)
            elif asked.after < reader.position:
                what = f"{asked.subscriber} was told up to {reader.position} and once more from {asked.after} on"
                self._verdicts.add("stream-double", what)
        reader.asked = asked
        reader.position = asked.after
        reader.exact = asked.exact
        reader.snapshot = _Snapshot()
        if asked.delivery == _LATEST and asked.after is None:
            reader.told, reader.began = None, None
        self._streams[asked.number] = reader

    def message(self, message: Message) -> None:
        """A message of one of the streams."""
        reader = self._streams.get(message.number)
        if reader is None or reader.asked is None or reader.asked.number != message.number:
            raise HistoryError(f"a message of no stream: {message.number}")
        self.events += len(message.events) or message.count
        if reader.position is None:
            self._add_to_snapshot(reader, reader.asked, message)
        else:
            self._check_events(reader, reader.asked, reader.position, message)

    def ended(self, ended: Ended) -> None:
        """One of the streams has ended."""
        reader = self._streams.pop(ended.number, None)
        if reader is None or reader.asked is None or ended.code != "OK" or reader.position is None:
            return
        asked = reader.asked
        open_jobs = [job for job in asked.job_ids if self._is_open(job, reader.position)]
        if open_jobs or not asked.job_ids:
            what = f"{asked.subscriber}'s stream ended at revision {reader.position}"
            self._verdicts.add("stream-end", f"{what}, while {open_jobs[:3]} had not" if open_jobs else what)

    def finish(self) -> None:
        """There is no more."""
        for reader in self._readers.values():
            if reader.asked is not None and reader.told is not None and reader.position is not None:
                self._check_latest(reader, reader.asked, reader.told, reader.position)

    def _is_open(self, job_id: str, revision: int) -> bool:
        there = self._log.at(job_id, revision)
        return there != 0 and self._log.states[there] not in TERMINAL

    def _view(self, asked: Subscribe) -> _View:
        key = (
            asked.include_progress,
            asked.job_ids,
            asked.queues,
            asked.kinds,
            asked.states,
            tuple(sorted(asked.labels.items())),
            asked.groups,
            asked.schedules,
        )
        view = self._views.get(key)
        if view is None:
            view = self._views[key] = _View(self._log, asked)
        return view

    def _add_to_snapshot(self, reader: _Reader, asked: Subscribe, message: Message) -> None:
        revision, count, total = reader.snapshot
        if message.snapshot or message.synced:
            if revision not in (0, message.revision):
                self._verdicts.add("snapshot", f"{asked.subscriber}'s is of {revision} and of {message.revision}")
            if asked.full:
                count += len(message.events)
                total += sum(event_digest(one.job.digest, one.type, one.previous_state) for one in message.events)
                self._check_copies(asked, message)
            else:
                count += message.count
                total += message.sum
            reader.snapshot = _Snapshot(message.revision, count, total % MODULUS)
        if message.synced:
            self._check_snapshot(asked, reader.snapshot)
            reader.position, reader.exact = message.revision, True

    def _check_copies(self, asked: Subscribe, message: Message) -> None:
        for event in message.events:
            if not self._is_copy(event):
                what = f"{asked.subscriber}'s at revision {message.revision} has another {event.job.id}"
                self._verdicts.add("snapshot", f"{what} than revision {event.job.revision}")

    def _check_snapshot(self, asked: Subscribe, snapshot: _Snapshot) -> None:
        log = self._log
        if snapshot.revision > log.revision:
            self._verdicts.add("lost", f"{asked.subscriber} has a snapshot of revision {snapshot.revision}")
            return
        count, total = log.counts[snapshot.revision], log.sums[snapshot.revision]
        if any((asked.job_ids, asked.queues, asked.kinds, asked.states, asked.labels, asked.groups, asked.schedules)):
            digests = [log.digests[one] for one in self._view(asked).matching(snapshot.revision)]
            count, total = len(digests), sum(digests)
        total += count * event_digest(0, _SNAPSHOT, 0)
        if (snapshot.jobs, snapshot.digests) != (count, total % MODULUS):
            what = f"{asked.subscriber}'s at revision {snapshot.revision} has {snapshot.jobs} jobs, the log {count}"
            self._verdicts.add("snapshot", what)

    def _is_copy(self, event: EventCopy) -> bool:
        revision = event.job.revision
        return 0 < revision <= self._log.revision and self._log.digests[revision] == event.job.digest

    def _check_events(self, reader: _Reader, asked: Subscribe, position: int, message: Message) -> None:
        if message.revision < position:
            what = f"{asked.subscriber} was told up to {position}, then up to {message.revision}"
            self._verdicts.add("stream-double", what)
            return
        if message.revision > self._log.revision:
            self._verdicts.add("lost", f"{asked.subscriber} was told up to revision {message.revision}: not in the log")
            return
        view = self._view(asked)
        told = _revisions(asked, message)
        if not reader.exact and told:
            # What came before is no promise; behind `position` everything is.
            position = min(position, told[0] - 1)
        reader.exact = True
        reader.position = message.revision
        if asked.delivery == _LATEST:
            self._take_latest(reader, asked, view, position, message)
            return
        first, last = view.place(position), view.place(message.revision)
        if not self._is_all(asked, view, first, last, message, told):
            self._blame(asked, view, first, last, position, told)

    def _is_all(
        self, asked: Subscribe, view: _View, first: int, last: int, message: Message, told: list[int] | range
    ) -> bool:
        if len(told) != last - first:
            return False
        if not asked.full:
            ends = not told or (told[0], told[-1]) == (view.revisions[first], view.revisions[last - 1])
            return ends and message.sum == (view.sums[last] - view.sums[first]) % MODULUS
        return all(
            event.revision == view.revisions[place]
            and event.job.digest == self._log.digests[event.revision]
            and event.type == view.kind(place)
            and event.previous_state == self._log.states_before[event.revision]
            for place, event in enumerate(message.events, first)
        )

    def _blame(
        self, asked: Subscribe, view: _View, first: int, last: int, position: int, told: list[int] | range
    ) -> None:
        who = asked.subscriber
        expected = view.revisions[first:last]
        if list(told) != sorted({*told}):
            self._verdicts.add("stream-double", f"{who} was told {_few(told)} in this order")
        elif early := [one for one in told if one <= position]:
            self._verdicts.add("stream-double", f"{who} was told {_few(early)} once more")
        elif missing := {*expected} - {*told}:
            self._verdicts.add("stream-gap", f"{who} was not told {_few(sorted(missing))}")
        elif more := {*told} - {*expected}:
            self._verdicts.add("stream-content", f"{who} was told {_few(sorted(more))}, which do not match")
        else:
            what = f"revision {told[0]}" if len(told) == 1 else f"one of the revisions {told[0]} to {told[-1]}"
            self._verdicts.add("stream-content", f"{who} was told otherwise of {what} than the log")

    def _take_latest(self, reader: _Reader, asked: Subscribe, view: _View, position: int, message: Message) -> None:
        """Of LATEST each message is checked for itself, and at the end whether anything was left out wrongly."""
        if not asked.full:
            raise HistoryError(f"{asked.subscriber}: LATEST has to be recorded in full")
        if reader.told is None:
            reader.told, reader.began = set(), position
        highest = position
        for event in message.events:
            if not highest < event.revision <= message.revision:
                what = f"{asked.subscriber} was told {event.revision} after {highest}, up to {message.revision}"
                self._verdicts.add("stream-double", what)
                continue
            highest = event.revision
            place = view.place(event.revision)
            seen = place > 0 and view.revisions[place - 1] == event.revision
            if not seen or not self._is_copy(event):
                self._verdicts.add("stream-content", f"{asked.subscriber} was told otherwise of {event.revision}")
            reader.told.add(event.revision)

    def _check_latest(self, reader: _Reader, asked: Subscribe, told: set[int], position: int) -> None:
        view, log = self._view(asked), self._log
        assert reader.began is not None
        missing = []
        for place in range(view.place(reader.began), view.place(position)):
            revision = view.revisions[place]
            ends = log.states[revision] in TERMINAL and view.kind(place) != _LEFT_FILTER
            # With a filter on states what comes later may not match any more, and tell nothing.
            newest = not log.after[revision] and not asked.states
            if (ends or newest) and revision not in told:
                missing.append(revision)
        if missing:
            self._verdicts.add("stream-gap", f"{asked.subscriber} was not told {_few(missing)}")


def _revisions(asked: Subscribe, message: Message) -> list[int] | range:
    if asked.full:
        return [event.revision for event in message.events]
    if len(message.revisions) == 2 and message.count == message.revisions[1] - message.revisions[0] + 1:
        return range(message.revisions[0], message.revisions[1] + 1)
    return list(message.revisions)


def _few(revisions: list[int] | range) -> str:
    shown = ", ".join(str(one) for one in revisions[:5])
    return f"revision {shown}" if len(revisions) <= 5 else f"{len(revisions)} revisions, {shown}, …"
