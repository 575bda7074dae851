"""What befalls workers: they die, they stand still, their servers go, and others speak in their name."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from signal import SIGKILL
from typing import Any

import grpc

from slotd.v1 import (
    JOB_STATE_RUNNING,
    JOB_STATE_SUCCEEDED,
    GetRequest,
    Job,
    JobFilter,
    JobServiceStub,
    JobSpec,
    Lease,
    ListRequest,
    Payload,
    StreamRequest,
    SubmitRequest,
)
from tests.faults.failpoints import POINTS, SHARED_POINTS
from tests.faults.process import PATIENCE
from tests.faults.proxy import Proxy
from tests.faults.recorder import RecordingClient
from tests.faults.suite.crew import WORKER_LEASE, Hand
from tests.faults.suite.fleet import Member
from tests.faults.suite.impostor import FORGED, TRUE, Impostor
from tests.faults.suite.load import channel
from tests.faults.suite.network import Links, between_clients_and_servers
from tests.faults.suite.run import Run
from tests.faults.suite.trial import Trial
from tests.faults.worker_points import WORKER_POINTS
from tests.faults.worker_recorder import WorkerRecorder

_WORKERS = 3
_PER_TRIAL = 25
_BY_PARENT = "any-moment"
_POINT_SECONDS = 2.0
"""How long to wait for a point to be reached. One that is not is no failure."""

_PASSAGES = 5
"""A worker comes past its points at most so often before it dies or stops there."""

_GIVEN_BACK_WITHIN = WORKER_LEASE + 2
_FENCES = 4
"""How many claims of a job an impostor speaks of."""
_STOLEN = 40


def worker_kills(run: Run, times: int) -> None:
    """kill -9 of a worker: at a named point, at any moment, and while it starts."""
    _torment(run, times, _kill)


def _kill(run: Run, trial: Trial) -> None:
    hand = run.chance.choice(trial.crew.hands)
    death = run.chance.choice((*WORKER_POINTS, _BY_PARENT, _BY_PARENT))
    trial.let_work(run.chance.uniform(0, 0.2))
    hand.kill()
    hand.begin("" if death == _BY_PARENT else f"{death}:{run.chance.randint(1, _PASSAGES)}")
    status = hand.wait(run.chance.uniform(0, 0.8) if death == _BY_PARENT else _POINT_SECONDS)
    if status is None:
        hand.kill()
    else:
        assert status == -SIGKILL, f"{hand.name} ended with {status}:\n{hand.tail()}"
    run.figures["kills"] += 2
    run.figures["kills at a point"] += status is not None
    _restart(hand)
    _prove_work(run, trial, hand)


def worker_pauses(run: Run, times: int) -> None:
    """SIGSTOP of a worker, at any moment or at a named point, for less than its lease or for more; then it goes on
    where it was."""
    _torment(run, times, _pause)


def _pause(run: Run, trial: Trial) -> None:
    hand = run.chance.choice(trial.crew.hands)
    if run.chance.random() < 0.5:
        trial.let_work(run.chance.uniform(0, 0.3))
        _pause_at_point(run, trial, hand)
    else:
        jobs = _Jobs(run, trial)
        # Some have still to hear, when they go on, that they are to end.
        job = jobs.submit(hand.kind, run.chance.uniform(0.1, _GIVEN_BACK_WITHIN + 1))
        jobs.wait_running(job)
        _pause_anywhere(run, trial, hand)
        done = jobs.wait(job)
        _assert_succeeded(done)
        run.figures["attempts that were lost over a pause"] += len(done.attempts) - 1
    run.figures["pauses"] += 1
    _prove_work(run, trial, hand)


def _pause_anywhere(run: Run, trial: Trial, hand: Hand) -> None:
    hand.pause()
    try:
        if run.chance.random() < 0.5:
            trial.let_work(_GIVEN_BACK_WITHIN)
            jobs = _Jobs(run, trial)
            trial.wait_given_back(
                hand.name, lambda: [job.id for job in jobs.running() if job.attempts[-1].worker == hand.worker_id]
            )
            run.figures["pauses after which all was given back"] += 1
        else:
            trial.let_work(run.chance.uniform(0.1, 1.5 * WORKER_LEASE))
    finally:
        hand.resume()


def _pause_at_point(run: Run, trial: Trial, hand: Hand) -> None:
    hand.kill()
    hand.begin(f"{run.chance.choice(WORKER_POINTS)}:{run.chance.randint(1, _PASSAGES)}:stop")
    if not hand.wait_stopped(_POINT_SECONDS):
        # Else it would stop there later on.
        hand.kill()
        _restart(hand)
        return
    run.figures["pauses at a point"] += 1
    try:
        trial.let_work(run.chance.uniform(0.1, 2 * WORKER_LEASE))
    finally:
        hand.resume()
    assert hand.connected(), f"{hand.name} has ended:\n{hand.tail()}"


def worker_moves(run: Run, times: int) -> None:
    """A server is killed, stopped, or all connections to it are cut, while workers run jobs; they go on, there or
    elsewhere."""
    with between_clients_and_servers() as links:
        _torment(run, times, partial(_move, links=links), through=links.through)


def _move(run: Run, trial: Trial, links: Links) -> None:
    hand = run.chance.choice(trial.crew.hands)
    jobs = _Jobs(run, trial)
    job = jobs.submit(hand.kind, run.chance.uniform(0.5, WORKER_LEASE))
    jobs.wait_running(job)
    # Those of this trial: of an earlier one there may be others.
    _strike(run, trial, links.proxies[-run.servers :])
    _assert_succeeded(jobs.wait(job))
    trial.prove_life()
    _prove_work(run, trial, hand)


def _strike(run: Run, trial: Trial, proxies: Sequence[Proxy]) -> None:
    number = run.chance.randrange(run.servers)
    member = trial.fleet.members[number]
    blow = run.chance.choice(("kill", "kill at a point", "stop", "cut"))
    if blow == "cut":
        proxies[number].cut_all()
        run.figures["servers cut off"] += 1
        return
    if blow == "stop":
        status = member.process.terminate()
        assert status == 0, f"{member.name} ended with {status}:\n{member.tail()}"
        run.figures["servers stopped"] += 1
    else:
        member.kill()
        run.figures["servers killed"] += 1
    if blow == "kill at a point":
        _die_at_point(run, member)
    trial.let_work(run.chance.choice((0, run.chance.uniform(0, WORKER_LEASE))))
    trial.start(member)


def _die_at_point(run: Run, member: Member) -> None:
    """Workers have come to it, and mostly it has heard something that it has not kept."""
    points = POINTS if run.kind == "sqlite" else SHARED_POINTS
    member.begin(f"{run.chance.choice(points)}:{run.chance.randint(1, 20)}")
    if member.wait(_POINT_SECONDS) is None:
        member.kill()
    run.figures["servers killed"] += 1


def worker_doubles(run: Run, times: int) -> None:
    """A second process has the identity of a worker, and others say that they hold, or have done, what is not
    theirs."""
    _torment(run, times, _double)


def _double(run: Run, trial: Trial) -> None:
    trial.let_work(run.chance.uniform(0, 0.3))
    _replace(run, trial)
    _intrude(run, trial)
    trial.prove_life()


def _replace(run: Run, trial: Trial) -> None:
    """On the same server the second process has the first one's place; another server does not know of the first."""
    hand = run.chance.choice(trial.crew.hands)
    elsewhere = run.servers > 1 and run.chance.random() < 0.3
    with closing(trial.crew.twin(hand, turn=elsewhere)) as twin:
        twin.begin(worker_id=hand.worker_id)
        assert twin.connected(), f"{twin.name} did not start:\n{twin.tail()}"
        if elsewhere:
            _prove_work(run, trial, hand)
        else:
            assert hand.wait(PATIENCE), f"{hand.name} goes on beside its double:\n{hand.tail()}"
            _prove_work(run, trial, twin)
        if run.chance.random() < 0.5:
            twin.kill()
        else:
            assert twin.process.terminate() == 0, f"{twin.name} did not end in peace:\n{twin.tail()}"
    hand.kill()
    _restart(hand)
    _prove_work(run, trial, hand)
    run.figures["doubles"] += 1


def _intrude(run: Run, trial: Trial) -> None:
    """None of what an impostor says of others' jobs is believed, nor what it says twice of its own."""
    jobs = _Jobs(run, trial)
    running = jobs.running()[:_STOLEN]
    stolen = [Lease(job_id=job.id, fence=fence) for job in running for fence in range(1, _FENCES + 1)]
    worker_id = f"impostor-{run.chance.getrandbits(48):x}"
    notes = WorkerRecorder(trial.recorder, worker_id, 1)
    asked: list[str] = []
    with _wire(run.chance.choice(trial.fleet.members)) as wire:
        impostor = Impostor(wire, notes, worker_id, worker_id, stolen)
        impostor.meddle()
        impostor.work(lambda: asked.append(jobs.submit(worker_id, 0)))
        impostor.leave()
    own = jobs.wait(asked[0])
    _assert_succeeded(own)
    assert own.result.data == TRUE, f"what {own.id} has returned is {own.result.data!r}"
    believed = [job.id for job in running if jobs.result(job.id) == FORGED]
    assert not believed, f"what was forged is the result of {believed}"
    run.figures["forged outcomes"] += 2 * len(stolen)


def _torment(run: Run, times: int, act: Callable[[Run, Trial], None], **options: Any) -> None:
    """So many times, on trials with workers; `options` are theirs."""
    for start in range(0, times, _PER_TRIAL):
        folder = run.new_folder()
        with Trial(run, folder, [run.store(folder)], workers=_WORKERS, **options) as trial:
            for _ in range(start, min(start + _PER_TRIAL, times)):
                act(run, trial)


def _restart(hand: Hand) -> None:
    hand.begin()
    assert hand.connected(), f"{hand.name} did not start:\n{hand.tail()}"


def _prove_work(run: Run, trial: Trial, hand: Hand) -> None:
    """The worker gets jobs, and does them. Raises AssertionError or grpc.RpcError where it does not."""
    jobs = _Jobs(run, trial)
    _assert_succeeded(jobs.wait(jobs.submit(hand.kind, 0)))


def _assert_succeeded(job: Job) -> None:
    assert job.state == JOB_STATE_SUCCEEDED, f"job {job.id} ended otherwise: {job.error}"


class _Jobs:
    """What the faults themselves ask for, of some server each time."""

    def __init__(self, run: Run, trial: Trial) -> None:
        self._chance = run.chance
        self._members = trial.fleet.members
        self._recorder = trial.recorder

    def submit(self, kind: str, seconds: float) -> str:
        """A job that takes so long, before all others. → its id."""
        payload = Payload(content_type="application/json", data=str(seconds).encode())
        spec = JobSpec(kind=kind, payload=payload, priority=9)
        with self._asking() as stub:
            return self._client(stub).submit(SubmitRequest(spec=spec, request_id=self._name())).id

    def wait(self, job_id: str) -> Job:
        """Until it has ended."""
        with self._asking() as stub:
            return self._client(stub).wait(job_id)

    def wait_running(self, job_id: str) -> None:
        with self._asking() as stub:
            call = stub.Stream(StreamRequest(filter=JobFilter(job_ids=[job_id])), timeout=PATIENCE)
            for message in call:
                if any(event.job.state == JOB_STATE_RUNNING for event in message.events):
                    call.cancel()
                    return

    def running(self) -> list[Job]:
        """All that run."""
        request = ListRequest(filter=JobFilter(states=[JOB_STATE_RUNNING]), page_size=1000)
        with self._asking() as stub:
            return list(stub.List(request, timeout=PATIENCE).jobs)

    def result(self, job_id: str) -> bytes:
        """What it has returned; nothing where it has not, or is gone."""
        with self._asking() as stub:
            try:
                return bytes(stub.Get(GetRequest(id=job_id), timeout=PATIENCE).job.result.data)
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.NOT_FOUND:
                    raise
                return b""

    def _client(self, stub: JobServiceStub) -> RecordingClient:
        return RecordingClient(self._recorder, self._name(), stub, PATIENCE)

    def _name(self) -> str:
        return f"far-{self._chance.getrandbits(48):x}"

    @contextmanager
    def _asking(self) -> Iterator[JobServiceStub]:
        with _wire(self._chance.choice(self._members)) as wire:
            yield JobServiceStub(wire)


@contextmanager
def _wire(member: Member) -> Iterator[grpc.Channel]:
    """A connection to a server that is there; on a busy machine the first try may not be enough."""
    with channel(member.address) as wire:
        grpc.channel_ready_future(wire).result(PATIENCE)
        yield wire
