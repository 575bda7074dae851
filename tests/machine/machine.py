"""A Hypothesis state machine over all that can happen to the service, with the model and subscribers looking on."""

import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from slotd_server.change import Limits
from slotd_server.domain import commands as ask
from slotd_server.domain.errors import NotFound, RequestIdReused, StoreFull
from slotd_server.domain.events import EVERYTHING, Event, JobFilter
from slotd_server.domain.job import SECOND, Job, Payload, Progress
from slotd_server.domain.outcome import Outcome, Succeeded
from slotd_server.domain.queue import NOTHING, Draft, Queue
from slotd_server.domain.states import State
from tests.machine.model import Model, visible
from tests.machine.subscribers import Subscriber, stored_log
from tests.unit.driver import BROKEN, DONE, HOPELESS, TIMEOUT, Driver, draft, snooze

TALLY: Counter[str] = Counter()
"""What was run, over all examples of this process."""

KINDS = {"work": NOTHING, "other": NOTHING}
QUEUES = ("default", "small")
LIMITS = Limits(retention=3600 * SECOND, output=20, events=200, events_age=6 * 3600 * SECOND, request_age=60 * SECOND)

a_queue = st.sampled_from(QUEUES)
an_outcome: st.SearchStrategy[Outcome] = st.sampled_from(
    [DONE, Succeeded(Payload("text/plain", b"ok")), BROKEN, BROKEN, HOPELESS, snooze(0), snooze(5)]
)
a_filter = st.builds(
    JobFilter,
    job_ids=st.just(frozenset()),
    queues=st.frozensets(a_queue, max_size=1),
    kinds=st.frozensets(st.sampled_from(["work", "unknown"]), max_size=1),
    states=st.frozensets(st.sampled_from(State), max_size=3),
    labels=st.frozensets(st.just(("team", "blue")), max_size=1),
    groups=st.sampled_from([frozenset(), frozenset(), frozenset({"g1"})]),
    schedules=st.just(frozenset()),
    # Left out it would be any text.
    depends_on=st.just(frozenset()),
)


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    """One job as somebody may ask for it; most leave most out."""
    asked: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "queue": a_queue,
                "priority": st.integers(-1, 2),
                "max_attempts": st.integers(1, 3),
                "initial_backoff": st.sampled_from([0, SECOND]),
                "queue_timeout": st.sampled_from([5 * SECOND, 60 * SECOND]),
                "retention": st.sampled_from([0, 10 * SECOND]),
            },
        )
    )
    return draft(
        draw(st.sampled_from(["work", "work", "work", "other", "unknown"])),
        labels=draw(st.sampled_from([None, None, {"team": "blue"}])),
        payload=draw(st.sampled_from([None, Payload("application/json", b"{}")])),
        schedule_time=None,
        **asked,
    )


class Service(RuleBasedStateMachine):
    """All rules go through `_do`, which checks every event of every change."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="slotd-machine-")
        self._subscribers: list[Subscriber] = []
        TALLY["examples"] += 1

    @initialize(slots=st.integers(0, 3))
    def begin(self, slots: int) -> None:
        self.driver = self._make_driver(slots)
        self.model = Model(slots, KINDS)
        self.log = stored_log(self.driver.store, keep=8)
        self._do(ask.Submit((draft(), draft("other", priority=1, labels={"team": "blue"}), draft(queue="small"))))

    def _make_driver(self, slots: int) -> Driver:
        return Driver(slots, path=str(Path(self._folder.name) / "jobs.db"), kinds=KINDS, limits=LIMITS)

    # What callers ask.

    @rule(drafts=st.lists(drafts(), min_size=1, max_size=4))
    def submit(self, drafts: list[Draft]) -> None:
        self._do(ask.Submit(tuple(drafts)))

    @rule(one=drafts(), delay=st.integers(-9, 30), number=st.integers(1, 3), only_validate=st.booleans())
    def submit_for_later(self, one: Draft, delay: int, number: int, only_validate: bool) -> None:
        one = one._replace(schedule_time=self.driver.clock.now() + delay * SECOND)
        self._do(ask.Submit((one,) * number, validate_only=only_validate and number == 1))

    @rule(one=drafts(), request_id=st.sampled_from(["r1", "r2"]), content=st.sampled_from([b"1", b"1", b"1", b"2"]))
    def submit_with_request_id(self, one: Draft, request_id: str, content: bytes) -> None:
        one = one._replace(request_id=request_id, fingerprint=content)
        known = self.driver.request(request_id)
        there = known is not None and known.job_id in self.model.jobs
        (answer, *_) = self._do(ask.Submit((one,)))
        if known is None:
            return
        if known.fingerprint != content:
            assert isinstance(answer, RequestIdReused)
        elif not there:
            assert isinstance(answer, NotFound)
        else:
            assert [job.id for job in answer] == [known.job_id]

    @precondition(lambda self: self.model.jobs)
    @rule(data=st.data(), action=st.sampled_from([ask.Cancel, ask.Retry, ask.Delete, "force"]))
    def ask_about_a_job(self, data: st.DataObject, action: Any) -> None:
        job_id = self._some_job(data)
        self._do(ask.Delete(job_id, force=True) if action == "force" else action(job_id))

    @rule(job_filter=a_filter, limit=st.integers(1, 5))
    def purge(self, job_filter: JobFilter, limit: int) -> None:
        self._do(ask.Purge(job_filter, limit))

    @rule(
        name=a_queue,
        paused=st.sampled_from([False, False, True]),
        slots=st.sampled_from([None, None, 0, 1, 2]),
        most=st.sampled_from([None, None, 0, 1, 3, 6]),
        fields=st.frozensets(st.sampled_from(["paused", "slots", "max_queued"]), min_size=1),
    )
    def set_queue(self, name: str, paused: bool, slots: int | None, most: int | None, fields: frozenset[str]) -> None:
        self._do(ask.UpdateQueue(Queue(name, slots, paused, most), fields))

    @rule(slots=st.integers(0, 4))
    def resize(self, slots: int) -> None:
        self._do(ask.UpdateSlots(slots))

    @rule(slots=st.integers(0, 4), one=drafts(), data=st.data())
    def many_at_once(self, slots: int, one: Draft, data: st.DataObject) -> None:
        """What waits while the writer is busy is one change."""
        commands: list[ask.Command] = [ask.Submit((one,)), ask.UpdateSlots(slots), ask.Submit((one, one))]
        if self.model.jobs:
            commands += [ask.Cancel(self._some_job(data)), ask.Retry(self._some_job(data))]
        commands += [ask.Finish(lease, data.draw(an_outcome)) for lease in list(self.driver.running)[:2]]
        self._do(*data.draw(st.permutations(commands)))

    # What attempts do.

    @precondition(lambda self: self.driver.running)
    @rule(data=st.data(), outcome=an_outcome, output=st.sampled_from([b"", b"last words"]))
    def return_from(self, data: st.DataObject, outcome: Outcome, output: bytes) -> None:
        self._do(ask.Finish(self._some_lease(data), outcome, Progress(9, 9, "done") if output else None, output))

    @precondition(lambda self: self.driver.running)
    @rule(outcomes=st.lists(an_outcome, min_size=4, max_size=4))
    def all_return(self, outcomes: list[Outcome]) -> None:
        self._do(*map(ask.Finish, list(self.driver.running), outcomes))

    @precondition(lambda self: self.driver.running)
    @rule(data=st.data())
    def time_out(self, data: st.DataObject) -> None:
        self._do(ask.Overrun(self._some_lease(data), TIMEOUT))

    @precondition(lambda self: self.driver.running)
    @rule(data=st.data(), done=st.integers(0, 9), output=st.sampled_from([b"", b"twelve bytes"]))
    def report(self, data: st.DataObject, done: int, output: bytes) -> None:
        self._do(ask.Report(self._some_lease(data), Progress(done, 9, "so far"), output))

    # Time, disks and power.

    @rule(micros=st.sampled_from([1, SECOND, 6 * SECOND, 61 * SECOND, 3601 * SECOND]))
    def pass_time(self, micros: int) -> None:
        self.driver.clock.advance(micros)
        self._do()

    @rule(data=st.data(), slots=st.integers(0, 3), one=drafts())
    def calamity(self, data: st.DataObject, slots: int, one: Draft) -> None:
        which = data.draw(st.sampled_from(["clock set back", "disk full", "lost", "drained"]))
        if which == "clock set back":
            self.driver.clock.step(-5 * SECOND)
            self._do()
        elif which == "disk full":
            self._find_disk_full(one)
        else:
            if which == "drained":
                self._do(*[ask.GiveBack(lease) for lease in self.driver.running], claim=False)
                assert all(job.state is not State.RUNNING for job in self.model.jobs.values())
            self._restart(slots)

    def _find_disk_full(self, one: Draft) -> None:
        commands: list[ask.Command] = [ask.Submit((one,)), ask.UpdateSlots(5), ask.Purge(EVERYTHING)]
        commands += self._untimely()
        commands += [ask.Finish(lease, DONE) for lease in list(self.driver.running)[:1]]
        commands += [ask.Overrun(lease, TIMEOUT) for lease in list(self.driver.running)[1:]]
        before = self.driver.everything()
        self.driver.store.fail_commits = 1
        with pytest.raises(StoreFull):
            self.driver.lifecycle.apply(commands)
        assert self.driver.everything() == before, "a change that failed has changed something"

    def _untimely(self) -> list[ask.Command]:
        """What else is asked for while the disk is full."""
        return []

    def _restart(self, slots: int) -> None:
        self.model.restarted(slots)
        committed = self.driver.restart(slots)
        self.log = stored_log(self.driver.store, keep=8)
        (recovered,) = self.driver.lifecycle.boundaries
        self.model.recovered(committed.events[:recovered], committed.events[recovered:], self.driver.clock.now())
        assert all(job.state is not State.RUNNING for job in self.model.jobs.values())
        self._compare()
        self._do()

    # Who looks on.

    @rule(job_filter=a_filter, data=st.data(), chunk=st.sampled_from([1, 3, 50]), newest=st.booleans())
    def subscribe(self, job_filter: JobFilter, data: st.DataObject, chunk: int, newest: bool) -> None:
        with self.driver.store.snapshot() as snapshot:
            horizon = snapshot.horizon
        known = [revision for revision in self.model.history if revision >= horizon]
        after = data.draw(st.sampled_from(known))
        if self.model.jobs and data.draw(st.integers(0, 3)) == 0:
            job_filter = JobFilter(job_ids=frozenset({self._some_job(data)}))
        self._subscribers.append(Subscriber(job_filter, after, self.model.history[after], chunk, newest=newest))
        del self._subscribers[:-5]

    @rule()
    def everybody_reads(self) -> None:
        for subscriber in self._subscribers:
            subscriber.catch_up(self.log, self.driver.store)
            expected = {job_id: job for job_id, job in self._stored().items() if subscriber.filter.matches(job)}
            assert _visible(subscriber.table) == expected, "a subscriber's table is not what there is"
            TALLY["tables compared"] += 1

    def teardown(self) -> None:
        try:
            self.everybody_reads()
        finally:
            self.driver.close()
            self._folder.cleanup()

    # How each rule is carried out.

    def _do(self, *asked: ask.Command, claim: bool = True) -> list[Any]:
        commands: list[ask.Command] = []
        for command in asked:
            # Whoever asks between two commands of one change sees a revision at which all sums hold.
            commands += [command, *self._looks()]
        committed = self.driver.apply(*commands, claim=claim)
        edges = [0, *self.driver.lifecycle.boundaries, len(committed.events)]
        parts = [committed.events[start:end] for start, end in pairwise(edges)]
        self.model.step(commands, committed.answers, parts, self.driver.clock.now(), claim=claim)
        self._after(committed.events)
        return committed.answers

    def _looks(self) -> list[ask.Command]:
        return [ask.ListSlots(), ask.ListQueues()]

    def _after(self, events: list[Event]) -> None:
        TALLY["changes"] += 1
        TALLY["events"] += len(events)
        if events:
            self.log.publish(events)
        self._compare()

    def _compare(self) -> None:
        self.model.history[self.model.revision] = dict(self.model.jobs)
        stored = self.driver.jobs()
        told = _visible(self.model.jobs)
        assert _visible({job.id: job for job in stored}) == told, "the store is not what its events told"
        ledger = self.driver.ledger.view(self.model.revision, {})
        self.model.compare_ledger(ledger)
        columns = self.driver.rows("SELECT * FROM counters")
        counted = {(queue, kind): tuple(numbers) for queue, kind, *numbers in columns if any(numbers)}
        assert counted == {pair: tuple(counters) for pair, counters in self.model.counters().items()}
        zombies = {slot.job_id for slot in self.model.slots.values() if slot.zombie}
        assert {job.id for job in stored if job.lingering} <= zombies, "it waits for what is no more"
        assert {job.spec.queue for job in self.model.jobs.values()} <= set(QUEUES)

    def _stored(self) -> dict[str, Job]:
        return _visible({job.id: job for job in self.driver.jobs()})

    def _some_job(self, data: st.DataObject) -> str:
        if not self.model.jobs:
            return "no-such-job"
        return data.draw(st.sampled_from(list(self.model.jobs)))

    def _some_lease(self, data: st.DataObject) -> ask.Lease:
        return data.draw(st.sampled_from(list(self.driver.running)))


def _visible(jobs: dict[str, Job]) -> dict[str, Job]:
    return {job_id: visible(job) for job_id, job in jobs.items()}
