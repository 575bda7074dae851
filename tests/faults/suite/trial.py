"""One store's life: servers on it, clients that ask, subscribers that listen, all recorded; and in the end the
checker's judgement. What goes wrong in between is the faults' business."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc

from slotd.v1 import (
    DELIVERY_LATEST,
    EVENT_TYPE_DELETED,
    OVERLAP_POLICY_ALLOW,
    GetStatsRequest,
    JobServiceStub,
    JobSpec,
    JobView,
    ListRequest,
    Queue,
    QueueServiceStub,
    Schedule,
    ScheduleServiceCreateRequest,
    ScheduleServiceDeleteRequest,
    ScheduleServiceGetRequest,
    ScheduleServiceStub,
    StreamRequest,
    UpdateQueueRequest,
)
from tests.faults.checker.records import Limit
from tests.faults.history import TERMINAL
from tests.faults.process import PATIENCE
from tests.faults.recorder import Recorder, RecordingServer
from tests.faults.subscriber import RecordingSubscriber
from tests.faults.suite.audience import Audience
from tests.faults.suite.crew import WORKER_LEASE, Crew
from tests.faults.suite.fleet import Fleet, Member
from tests.faults.suite.load import Load, channel, connected
from tests.faults.suite.requests import FEW, KEYED, NARROW, NARROW_SLOTS, RETAINED, SLOTS_PER_KEY
from tests.faults.suite.run import Run, Violation
from tests.faults.suite.stores import StoreKind

HANDLERS = str(Path(__file__).with_name("handlers.py"))

LEASE = 1.5
"""Of servers that share a store, in seconds."""

_SLOTS = 4
_SCHEDULE = "every-second"
_CATCH_UP_SECONDS = 10
"""Clocks jump by hours: so many firings are made up for, and no more."""
_PAUSE = 0.05
_SETTLE_SECONDS = 60.0

_SHARING: dict[StoreKind, dict[str, Any]] = {"sqlite": {}, "postgres": {"lease": LEASE, "poll": 0.5}}


class Trial:
    """Use it in a `with`: at its end all jobs are let end, and what was recorded is judged.

    `stores` has one URL for all servers, or one for each. `through` says at which address clients and workers find a
    server; `orders` go to the servers. With `workers` there are so many, beside the servers' own handlers or, as chance
    wills, instead of them.
    """

    def __init__(
        self,
        run: Run,
        folder: Path,
        stores: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        through: Callable[[Member], str] = lambda member: member.address,
        load: Mapping[str, Any] | None = None,
        workers: int = 0,
        slots: int = _SLOTS,
        **orders: Any,
    ) -> None:
        self.run = run
        self.folder = folder
        self._environment = {"SLOTD_RUNS": str(folder / "handlers.jsonl")} | dict(environment or {})
        chosen: dict[str, Any] = {
            "modules": [HANDLERS],
            "mutant": run.mutant,
            "slots": slots,
            "drain_timeout": 5,
            "cancel_grace": 0.5,
            "report_interval": 0.01,
            "heartbeat": 1,
        } | _SHARING[run.kind]
        if workers:
            # A kind is one worker's alone, and may have nobody while that is gone.
            chosen |= {"worker_lease": WORKER_LEASE, "unknown_kinds": "wait"}
            if run.chance.random() < 0.5:
                chosen["modules"] = []
        self.fleet = Fleet(folder, run.servers, stores, environment=self._environment, **chosen | orders)
        self._workers = workers
        self._slots = slots
        self._crew: Crew | None = None
        self._through = through
        self.recorder = Recorder(folder / "clients.jsonl", "clients")
        self._load_options = dict(load or {})
        self._load: Load | None = None
        self._subscribers: list[RecordingSubscriber | Audience] = []
        self._listening: dict[str, Any] = {}
        self.cursor = ""

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._end()
        except BaseException as failure:
            error = failure
            raise
        finally:
            self._close()
            self._judge(error)

    def _judge(self, error: BaseException | None) -> None:
        try:
            self.run.judge(sorted(self.folder.glob("*.jsonl")))
        except Violation as violation:
            if error is None:
                raise
            # It went wrong before all was told, so some of this may be no more than that.
            error.add_note(f"the checker says:\n{violation}")

    @property
    def load(self) -> Load:
        """The clients."""
        assert self._load is not None
        return self._load

    @property
    def crew(self) -> Crew:
        """The workers."""
        assert self._crew is not None
        return self._crew

    def start(self, member: Member) -> None:
        """Starts a server that is down; returns once it answers."""
        member.begin()
        self.answers(member)

    def answers(self, member: Member) -> None:
        """Returns once the server that has just been started answers."""
        member.wait_listening()
        member.boot = self._server(member, lambda server: server.up())
        self.recorder.write(Limit(server=member.boot, slots=self._slots))

    def prove_life(self, more: int = 5) -> None:
        """Every server answers, and so many more jobs are taken. Raises AssertionError where that does not happen."""
        self.load.check()
        for member in self.fleet.members:
            self._server(member, lambda server: server.ledger())
        self.load.tally.wait_more("acknowledged", more)

    def let_work(self, seconds: float) -> None:
        """Does nothing to it for a while."""
        threading.Event().wait(seconds)

    def wait_given_back(self, name: str, left: Callable[[], Sequence[str]]) -> None:
        """Waits until none of the jobs are left that one has who stands still. No bound is set to how long that takes:
        a server that stalls meanwhile has all leases begin anew, as is meant."""
        end = time.monotonic() + PATIENCE
        while ids := left():
            assert time.monotonic() < end, f"{name} stood still for {PATIENCE:g} s and still has {ids}"
            self.let_work(0.1)

    def _server(self, member: Member, ask: Callable[[RecordingServer], Any]) -> Any:
        """Asks that very server, until it answers or patience has an end."""
        with channel(member.address) as wire:
            server = RecordingServer(self.recorder, member.process.process.pid, QueueServiceStub(wire), PATIENCE)
            grpc.channel_ready_future(wire).result(PATIENCE)
            end = time.monotonic() + PATIENCE
            while True:
                try:
                    return ask(server)
                except grpc.RpcError as error:
                    if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > end:
                        raise
                self.let_work(_PAUSE)

    def _begin(self) -> None:
        for member in self.fleet.members:
            member.begin()
        for member in self.fleet.members:
            self.answers(member)
        addresses = [self._through(member) for member in self.fleet.members]
        with connected(self.fleet.members[0].address) as wire:
            self._set_up(QueueServiceStub(wire))
            self.cursor = JobServiceStub(wire).List(ListRequest(page_size=1), timeout=PATIENCE).cursor
            _make_schedule(ScheduleServiceStub(wire))
        self._listening = {"addresses": lambda: addresses, "cursor": self.cursor, "after": 0, "pause": 0.05}
        self.log = self.listen("log", log=True, whole=True)
        self.listen("digests", full=False)
        self.listen("latest", delivery=DELIVERY_LATEST, include_progress=False)
        if self._workers:
            self._crew = Crew(self.folder, self._workers, addresses, self._environment, self.run.mutant)
            self._crew.start()
        self._load = Load(self.recorder, addresses, self.run.chance, **self._load_options)
        self.load.start()

    def _set_up(self, queues: QueueServiceStub) -> None:
        for queue, limit in (
            (Queue(name=NARROW, slots=NARROW_SLOTS), Limit(queue=NARROW, slots=NARROW_SLOTS)),
            (Queue(name=KEYED, slots_per_key=SLOTS_PER_KEY), Limit(queue=KEYED, slots_per_key=SLOTS_PER_KEY)),
            (Queue(name=FEW, retain_count=RETAINED), Limit(queue=FEW, vanish=True)),
        ):
            queues.UpdateQueue(UpdateQueueRequest(queue=queue), timeout=PATIENCE)
            self.recorder.write(limit)

    def listen(self, name: str, **options: Any) -> RecordingSubscriber:
        """One more subscriber, from the beginning of the log to the trial's end."""
        return self._subscribe(name, **self._listening | options)

    def seat(self, name: str, count: int) -> None:
        """So many more in a process of their own, from the beginning of the log to the trial's end."""
        self._subscribers.append(Audience(self.folder, name, count, self._listening))

    def _subscribe(self, name: str, **options: Any) -> RecordingSubscriber:
        subscriber = RecordingSubscriber(self.recorder, name, **options).start()
        self._subscribers.append(subscriber)
        return subscriber

    def _end(self) -> None:
        """All jobs end, everybody is told of everything, and the log is read once more from its beginning."""
        self.load.stop()
        with connected(self.fleet.members[0].address) as wire:
            self.run.figures["firings"] += _end_schedule(ScheduleServiceStub(wire))
            _wait_all_ended(JobServiceStub(wire))
            revision = QueueServiceStub(wire).GetStats(GetStatsRequest(), timeout=PATIENCE).revision
        own = {"addresses": lambda: self.fleet.addresses}
        self._subscribe("again", cursor=self.cursor, after=0, whole=True, **own)
        self._subscribe("snapshot", **own)
        for subscriber in self._subscribers:
            subscriber.wait_revision(revision)
        for member in self.fleet.members:
            self._server(member, lambda server: server.ledger())
        while self._subscribers:
            self._subscribers.pop().close()
        if self._crew is not None:
            self._crew.stop()
            if survivors := self._crew.survivors():
                self.run.figures["attempts that went on under another server"] += survivors
        for member in self.fleet.members:
            status = member.process.terminate()
            assert status == 0, f"{member.name} ended with {status}:\n{member.tail()}"
        self.run.figures.update(self.load.tally.counts)
        self.run.figures["events"] += revision

    def _close(self) -> None:
        """Ends what has not ended, and raises nothing of it: what matters has been raised already."""
        if self._crew is not None:
            self._crew.close()
        for member in self.fleet.members:
            member.close()
        if self._load is not None:
            self._load.abandon()
        for subscriber in self._subscribers:
            try:
                subscriber.close()
            except (grpc.RpcError, TimeoutError):
                continue
        self.recorder.close()


def _make_schedule(schedules: ScheduleServiceStub) -> None:
    schedule = Schedule(name=_SCHEDULE, spec=JobSpec(kind="quick", queue=FEW), overlap=OVERLAP_POLICY_ALLOW)
    schedule.interval.FromSeconds(1)
    schedule.catch_up_window.FromSeconds(_CATCH_UP_SECONDS)
    schedules.Create(ScheduleServiceCreateRequest(schedule=schedule), timeout=PATIENCE)


def _end_schedule(schedules: ScheduleServiceStub) -> int:
    """→ how often it has fired."""
    told = schedules.Get(ScheduleServiceGetRequest(name=_SCHEDULE), timeout=PATIENCE)
    schedules.Delete(ScheduleServiceDeleteRequest(name=_SCHEDULE), timeout=PATIENCE)
    return told.schedule.fire_count


def _wait_all_ended(jobs: JobServiceStub) -> None:
    """Until all jobs that there are have ended. Raises grpc.RpcError where that takes too long."""
    unended: set[str] = set()
    synced = False
    call = jobs.Stream(StreamRequest(view=JobView.JOB_VIEW_BASIC), timeout=_SETTLE_SECONDS)
    for message in call:
        for event in message.events:
            over = event.type == EVENT_TYPE_DELETED or event.job.state in TERMINAL
            (unended.discard if over else unended.add)(event.job.id)
        synced = synced or message.synced
        if synced and not unended:
            call.cancel()
            return
