"""A naive model of the service, fed with nothing but the commands and the events. It knows by itself who holds a slot,
which jobs there are and what was counted, and says at every event whether that could be, and at the end whether all was
done. What makes jobs wait and in which order they start is in the models beside it."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import QueueFull, ServiceError
from slotd_server.domain.events import Event, EventType
from slotd_server.domain.job import Job
from slotd_server.domain.outcome import Failed, Snoozed, Succeeded
from slotd_server.domain.queue import Counters, Queue
from slotd_server.domain.states import MOVES, TERMINAL, WAITING, State
from slotd_server.domain.ties import UNLINKED
from slotd_server.requests import Stats
from slotd_server.slots import LedgerView
from tests.machine import answers
from tests.machine.answers import Asked
from tests.machine.orchestration import Orchestration, stays_queued, ties
from tests.machine.schedules import Schedules
from tests.machine.starts import Starts

_SETTLED = ("seq", "id", "create_time", "request_id")
"""What never changes of a job."""

_UPDATED = {"spec", "schedule_time", "blocked_by", "revision"}
"""What Update may change of a job that goes on waiting as before; its parts of the spec are `_UPDATED_SPEC`."""

_UPDATED_SPEC = ("queue", "priority", "labels", "schedule_time")

_HIDDEN: dict[str, Any] = {"lingering": False, "owner": "", "due_time": None, "links": UNLINKED}
"""What nobody outside can see of a job."""

_TOLD = ("progress", "output_size", "output_truncated", "revision")
"""What a minor event may change."""


def visible(job: Job) -> Job:
    """Without what nobody outside can see, and what may change without an event."""
    return job.evolve(**_HIDDEN)


class Slot:
    """One held slot, as the model sees it."""

    def __init__(self, job: Job) -> None:
        self.job_id = job.id
        self.attempt = job.attempt
        self.queue = job.spec.queue
        self.zombie = False
        self.lingers = False
        """Whether its job waits for it: one that was given back does not, for the server stops."""


class Model:
    """What ought to be. `jobs` by id, as the events tell it; `history` has them at earlier revisions, for subscribers
    that begin there."""

    def __init__(self, limit: int, kinds: Mapping[str, Any]) -> None:
        self.kinds = kinds
        self.limit = limit
        self.revision = 0
        self.jobs: dict[str, Job] = {}
        self.queues: dict[str, Queue] = {}
        self.slots: dict[ask.Lease, Slot] = {}
        self.totals: dict[tuple[str, str], Counter[str]] = {}
        self.history: dict[int, dict[str, Job]] = {0: {}}
        self.orchestration = Orchestration(self.jobs, self.queues, self._lingers)
        self.starts = Starts(self.queues)
        self.schedules = Schedules(self.jobs)
        self.now = 0

    def restarted(self, limit: int) -> None:
        """Another server: nobody holds a slot."""
        self.slots.clear()
        self.limit = limit
        self.starts.restarted()

    def recovered(self, events: list[Event], rest: list[Event], now: int) -> None:
        """What the next server found: each attempt that ran was lost, and counts. The rest came by itself."""
        self.now = now
        for event in events:
            assert event.previous_state in (State.RUNNING, State.BLOCKED)
            before = self.jobs[event.job.id]
            self._happened(event, None, claim=False)
            if before.state is State.BLOCKED:
                assert _goes_on(event.job)
            elif before.cancel_requested:
                assert event.job.state is State.CANCELLED
            else:
                last = before.attempt >= before.spec.retry.max_attempts
                assert event.job.state is State.FAILED if last else _goes_on(event.job)
                assert event.job.attempt == before.attempt
                assert event.job.failure is not None
                assert event.job.failure.reason == "SERVER_LOST"
        for event in rest:
            self._happened(event, None, claim=False)
        self._settle()

    def step(
        self, commands: list[ask.Command], answers: list[Any], parts: list[list[Event]], now: int, *, claim: bool
    ) -> None:
        """One change: each command with its answer and its events, then the events that came by themselves."""
        self.now = now
        *mine, rest = parts
        for command, answer, events in zip(commands, answers, mine, strict=True):
            self._perform(command, answer, events, claim=claim)
        for event in rest:
            self._happened(event, None, claim=claim)
        if claim and len(self.slots) < self.limit:
            waiting = [job.spec.queue for job in self._able()]
            able = [name for name in waiting if self.starts.has_to_let_start(self.queue(name), self.now)]
            assert not able, "a job that may run, and a free slot, were left lying"
        self._settle()
        self.history[self.revision] = dict(self.jobs)

    def _settle(self) -> None:
        self.orchestration.look_at_edges()
        self.orchestration.check_settled(self.now)
        self.starts.looked_at(self.now)

    def _perform(self, command: ask.Command, answer: Any, events: list[Event], *, claim: bool) -> None:
        before = dict(self.jobs)
        earlier = self.orchestration.on(before)
        if isinstance(answer, ServiceError):
            assert all(event.job.state is State.RUNNING for event in events), "refused, but something changed"
        elif isinstance(command, ask.UpdateSlots):
            self.limit = command.slots
        elif isinstance(command, ask.UpdateQueue):
            known = self.queues.get(command.queue.name, Queue(command.queue.name))
            fields = {field: getattr(command.queue, field) for field in command.fields}
            self.queues[command.queue.name] = known._replace(**fields)
        elif isinstance(command, ask.Finish):
            self.slots.pop(command.lease, None)
        elif isinstance(command, ask.Submit):
            self.orchestration.forming = frozenset(draft.ties.group for draft in command.drafts if draft.ties)
        elif isinstance(command, ask.CreateSchedule):
            self.schedules.created(command.schedule.name, command.schedule.settings, self.now)
        elif isinstance(command, ask.UpdateSchedule):
            self.schedules.updated(command.name, command.settings, command.fields, self.now)
        elif isinstance(command, ask.DeleteSchedule):
            self.schedules.deleted(command.name)
        elif isinstance(command, ask.Overrun | ask.GiveBack) and self._runs(command.lease):
            self.slots[command.lease].zombie = True
            self.slots[command.lease].lingers = isinstance(command, ask.Overrun)
        for event in events:
            self._happened(event, command, claim=claim)
        self.orchestration.forming = frozenset()
        self._expect(command, answer, events, before)
        answers.check(Asked(self, command, answer, events, before, earlier))
        if isinstance(answer, LedgerView):
            self.compare_ledger(answer)
        elif isinstance(answer, Stats):
            self.compare_stats(answer)

    def _happened(self, event: Event, command: ask.Command | None, *, claim: bool) -> None:
        self.revision += 1
        job = event.job
        assert event.revision == job.revision == self.revision, "revisions have a gap"
        before = self.jobs.get(job.id)
        if event.type is EventType.CREATED:
            assert before is None
            assert event.previous_state is None
            assert job.state in WAITING
            if ties(job).schedule:
                self.schedules.made(job, self.now, triggered=isinstance(command, ask.TriggerSchedule))
            self._count(job, "submitted")
            self._set(None, job)
            return
        assert before is not None, "an event of a job that nobody has heard of"
        assert event.previous_state == before.state
        assert all(getattr(job, field) == getattr(before, field) for field in _SETTLED)
        self._check_spec(before, job, command)
        if event.type is EventType.DELETED:
            assert before.state in TERMINAL
            assert self.may_be_deleted(before), "it is gone, and somebody depends on it"
            assert command is not None or self.orchestration.is_past(before, self.now), "it is gone too soon"
            self._count(job, "deleted")
            del self.jobs[job.id]
            return
        assert event.type is EventType.CHANGED
        if job.state is before.state:
            self._noted(event, before, command)
        else:
            self._moved(event, before, command, claim=claim)
        self._set(before, job)

    def _set(self, before: Job | None, job: Job) -> None:
        assert bool(job.blocked_by) == (job.state is State.BLOCKED)
        self.orchestration.check_move(before, job)
        self.jobs[job.id] = job
        self.orchestration.moved(before, job)
        if before is not None and stays_queued(before, job):
            assert job.links.turn == before.links.turn, "its turn was taken away"
        elif job.state is State.QUEUED:
            self.starts.queued(job)

    def _check_spec(self, before: Job, job: Job, command: ask.Command | None) -> None:
        if job.spec == before.spec:
            return
        assert isinstance(command, ask.Update), "its spec has changed by itself"
        assert job.id == command.job_id
        assert job.state in WAITING
        same = {field: getattr(before.spec, field) for field in {*_UPDATED_SPEC} - command.fields}
        asked = {field: getattr(command.changed, field) for field in command.fields}
        assert job.spec == before.spec._replace(**same, **asked)
        if _moved_queue(before, job):
            self._count(before, "submitted", -1)
            self._count(job, "submitted")

    def _noted(self, event: Event, before: Job, command: ask.Command | None) -> None:
        job = event.job
        seen = {*Job.__struct_fields__} - {*_HIDDEN}
        changed = {field for field in seen if getattr(job, field) != getattr(before, field)}
        if event.minor:
            assert job.state is State.RUNNING
            assert changed <= {*_TOLD}
        elif job.state is State.RUNNING:
            assert changed == {"cancel_requested", "revision"}
        elif isinstance(command, ask.Update) and command.job_id == job.id:
            assert changed <= _UPDATED
        else:
            assert job.state is State.BLOCKED
            assert changed == {"blocked_by", "revision"}, "told, and nothing had changed"

    def _moved(self, event: Event, before: Job, command: ask.Command | None, *, claim: bool) -> None:
        job = event.job
        assert not event.minor
        assert job.state in MOVES[before.state]
        if before.state in TERMINAL:
            retried = isinstance(command, ask.Retry) or (isinstance(command, ask.Bulk) and command.action == "retry")
            assert retried, "a terminal job has changed by itself"
            assert job.attempt == 0
        if job.state is State.RUNNING:
            self._started(job, before, claim=claim)
        if job.state in TERMINAL:
            self._count(job, f"total_{job.state.name.lower()}")
            assert job.end_time is not None
            assert not job.cancel_requested
            assert (job.failure is None) == (job.state is State.SUCCEEDED)
        else:
            assert job.end_time is None
        if before.state is State.RUNNING:
            self._attempt_over(event, before)

    def _started(self, job: Job, before: Job, *, claim: bool) -> None:
        assert claim, "started while it was to start nothing"
        assert len(self.slots) < self.limit, f"more than {self.limit} run"
        queue = self.queue(job.spec.queue)
        assert not queue.paused
        assert queue.slots is None or self._held(queue.name) < queue.slots, f"more than {queue.slots} of a queue run"
        self.starts.check_start(before, self._able(), self.now)
        assert job.attempt == before.attempt + 1
        assert job.fence == before.fence + 1
        self._count(job, "started")
        lease = ask.Lease(job.seq, job.fence)
        assert lease not in self.slots
        self.slots[lease] = Slot(job)

    def _attempt_over(self, event: Event, before: Job) -> None:
        job = event.job
        counted = job.attempt == before.attempt
        assert counted or job.attempt == before.attempt - 1
        assert job.attempts[-1].end_time is not None
        if job.state in WAITING and counted:
            assert before.attempt < job.spec.retry.max_attempts, "more attempts than allowed"
            self._count(job, "retried")

    def _expect(self, command: ask.Command, answer: Any, events: list[Event], before: dict[str, Job]) -> None:
        """What the contract says that this command makes of its job."""
        if isinstance(command, ask.Finish | ask.Overrun | ask.GiveBack):
            self._expect_end(command, before)
        elif isinstance(command, ask.Submit):
            self._expect_submitted(command, answer, events, before)
        elif isinstance(answer, ServiceError):
            return
        elif isinstance(command, ask.Cancel):
            was = before[command.job_id]
            now = self.jobs[command.job_id]
            assert visible(answer) == visible(now)
            assert now.cancel_requested if was.state is State.RUNNING else now.state is State.CANCELLED
        elif isinstance(command, ask.Retry):
            assert visible(answer) == visible(self.jobs[command.job_id])
            assert before[command.job_id].state in (State.FAILED, State.CANCELLED)
        elif isinstance(command, ask.Delete):
            if before[command.job_id].state is State.RUNNING:
                assert self.jobs[command.job_id].cancel_requested
            else:
                assert command.job_id not in self.jobs
        elif isinstance(command, ask.Purge):
            ended = [job for job in before.values() if job.state in TERMINAL and command.filter.matches(job)]
            gone = [job for job in ended if self.may_be_deleted(job)]
            assert answer == min(len(gone), command.limit)
            left = [job.id for job in gone if job.id in self.jobs]
            assert len(left) == len(gone) - answer

    def _expect_submitted(self, command: ask.Submit, answer: Any, events: list[Event], before: dict[str, Job]) -> None:
        created = [event.job for event in events if event.type is EventType.CREATED]
        if isinstance(answer, ServiceError) or command.validate_only:
            assert not created
            if isinstance(answer, QueueFull):
                limit = self.queues[answer.queue].max_queued
                assert limit is not None
                assert self.waiting(answer.queue) + len(command.drafts) > limit, "refused with room"
            return
        assert len(answer) == len(command.drafts), "not all, though not refused"
        for job in answer:
            assert visible(self.jobs[job.id]) == visible(job)
        for name in {job.spec.queue for job in created}:
            limit = self.queue(name).max_queued
            # Jobs that came back by themselves are never refused, so more may wait; but none was taken on top.
            assert limit is None or self.waiting(name) <= limit, f"more than {limit} wait"

    def _expect_end(self, command: ask.Finish | ask.Overrun | ask.GiveBack, before: dict[str, Job]) -> None:
        was = next((job for job in before.values() if job.seq == command.lease.seq), None)
        if was is None:
            return
        now = self.jobs[was.id]
        if was.state is not State.RUNNING or was.fence != command.lease.fence:
            returned = isinstance(command, ask.Finish) and was.fence == command.lease.fence
            if returned and was.state is State.BLOCKED:
                assert _goes_on(now)
                was = was.evolve(state=now.state, blocked_by=now.blocked_by, revision=now.revision)
            assert visible(now) == visible(was)
            return
        assert not now.cancel_requested
        if was.cancel_requested:
            assert now.state is State.CANCELLED
        elif isinstance(command, ask.GiveBack):
            assert _goes_on(now)
            assert now.attempt == was.attempt - 1
        elif isinstance(command, ask.Finish) and isinstance(command.outcome, Succeeded):
            assert (now.state, now.result) == (State.SUCCEEDED, command.outcome.result)
        elif isinstance(command, ask.Finish) and isinstance(command.outcome, Snoozed):
            assert now.attempt == was.attempt - 1
            assert now.state is State.SCHEDULED if command.outcome.delay else _goes_on(now)
        else:
            last = was.attempt >= was.spec.retry.max_attempts
            permanent = (
                isinstance(command, ask.Finish) and isinstance(command.outcome, Failed) and (command.outcome.permanent)
            )
            assert now.attempt == was.attempt
            assert now.state is State.FAILED if last or permanent else now.state in WAITING
            if isinstance(command, ask.Overrun):
                assert now.state is not State.QUEUED, "the next attempt does not wait for the function"

    def compare_ledger(self, view: LedgerView) -> None:
        """The service's ledger against the slots that the model knows to be held."""
        zombies = sum(slot.zombie for slot in self.slots.values())
        assert view.free + view.running + view.zombie == view.size, "the ledger's sums are off"
        assert (view.revision, view.limit) == (self.revision, self.limit)
        assert (view.running, view.zombie) == (len(self.slots) - zombies, zombies)
        assert view.free == max(self.limit - len(self.slots), 0)
        mine = sorted((slot.job_id, slot.attempt, slot.queue, slot.zombie) for slot in self.slots.values())
        assert mine == sorted((one.job_id, one.attempt, one.queue, one.zombie) for one in view.holders)
        running = sorted(job.id for job in self.jobs.values() if job.state is State.RUNNING)
        assert running == sorted(slot.job_id for slot in self.slots.values() if not slot.zombie)
        queues = {one.queue: one for one in view.queues}
        for name in {slot.queue for slot in self.slots.values()}:
            assert queues[name].running + queues[name].zombie == self._held(name)

    def compare_stats(self, stats: Stats) -> None:
        """The service's counters against a recount."""
        assert stats.revision == self.revision
        assert {pair: counters for pair, counters in stats.counters.items() if any(counters)} == self.counters()
        assert dict(stats.queues) == self.queues
        for counters in stats.counters.values():
            assert counters.submitted == sum(counters[: len(State)]) + counters.deleted, "jobs have vanished"

    def counters(self) -> dict[tuple[str, str], Counters]:
        """By (queue, kind), counted anew."""
        found = {}
        for pair, totals in self.totals.items():
            states = Counter(job.state for job in self.jobs.values() if (job.spec.queue, job.spec.kind) == pair)
            found[pair] = Counters(**{state.name.lower(): states[state] for state in State}, **totals)
        # What has moved to another queue leaves nothing behind.
        return {pair: counters for pair, counters in found.items() if any(counters)}

    def _able(self) -> list[Job]:
        """Those that might start, had they a slot."""
        return [job for job in self.jobs.values() if job.state is State.QUEUED and self._may_run(job)]

    def _may_run(self, job: Job) -> bool:
        queue = self.queue(job.spec.queue)
        room = queue.slots is None or self._held(queue.name) < queue.slots
        return room and not queue.paused and job.spec.kind in self.kinds and self.starts.lets_start(queue, self.now)

    def _lingers(self, job_id: str) -> bool:
        return any(slot.lingers and slot.job_id == job_id for slot in self.slots.values())

    def queue(self, name: str) -> Queue:
        """The queue's settings."""
        return self.queues.get(name, Queue(name))

    def may_be_deleted(self, job: Job) -> bool:
        """Whether nobody depends on the job, and its function holds nothing that others wait for."""
        holds = self._lingers(job.id) and bool(ties(job).resources or ties(job).key)
        return not holds and not self.orchestration.dependents(job)

    def _held(self, queue: str) -> int:
        return sum(slot.queue == queue for slot in self.slots.values())

    def waiting(self, queue: str) -> int:
        """How many of its jobs wait."""
        return sum(job.state in WAITING and job.spec.queue == queue for job in self.jobs.values())

    def _runs(self, lease: ask.Lease) -> bool:
        return any(
            job.seq == lease.seq and job.fence == lease.fence and job.state is State.RUNNING
            for job in self.jobs.values()
        )

    def _count(self, job: Job, what: str, more: int = 1) -> None:
        self.totals.setdefault((job.spec.queue, job.spec.kind), Counter())[what] += more


def _goes_on(job: Job) -> bool:
    """Whether it waits for nothing but a slot, or for what its ties are about: whether rightly is looked at later."""
    return job.state is State.QUEUED or (job.state is State.BLOCKED and job.spec.ties is not None)


def _moved_queue(before: Job, job: Job) -> bool:
    return before.spec.queue != job.spec.queue
