"""Servers that die, and what kills them: signals at every point where it matters, the power, and their own jobs."""

from signal import SIGKILL

import grpc

from slotd.v1 import JobServiceStub, JobSpec, Payload, SubmitRequest
from tests.faults.disks import FragileDisk
from tests.faults.failpoints import POINTS, SHARED_POINTS
from tests.faults.process import PATIENCE
from tests.faults.recorder import RecordingClient
from tests.faults.suite.fleet import Member
from tests.faults.suite.load import connected
from tests.faults.suite.run import Run
from tests.faults.suite.trial import Trial

_CHECKPOINT_BYTES = 64 << 10
_BY_PARENT, _WHILE_STARTING = "any-moment", "while-starting"
_POINT_SECONDS = 2.0
"""How long to wait for a point to be reached. One that is not is no failure: it is killed all the same."""

_DEATHS_PER_TRIAL = 40
_CUTS_PER_TRIAL = 40
_VILLAINS_PER_TRIAL = 3
"""Each leaves a slot taken for as long as its server lives."""

_OUTPUT = 1 << 30
_EXITED = 4
_MEMORY = 160 << 20
"""How much more memory a server may take for jobs that write without end, hang or fail."""


def kills(run: Run, times: int) -> None:
    """kill -9: at a named point, at any moment, and while it starts."""
    for start in range(0, times, _DEATHS_PER_TRIAL):
        folder = run.new_folder()
        with Trial(run, folder, [run.store(folder)], checkpoint_bytes=_CHECKPOINT_BYTES) as trial:
            for _ in range(start, min(start + _DEATHS_PER_TRIAL, times)):
                _kill_once(run, trial, run.chance.choice(trial.fleet.members))


def _kill_once(run: Run, trial: Trial, member: Member) -> None:
    points = POINTS if run.kind == "sqlite" else SHARED_POINTS
    death = run.chance.choice((*points, _BY_PARENT, _BY_PARENT, _WHILE_STARTING))
    trial.let_work(run.chance.uniform(0, 0.2))
    member.kill()
    # Checkpoints are rarer than the rest.
    passage = run.chance.randint(1, 4 if "checkpoint" in death else 20)
    member.begin(f"{death}:{passage}" if death in points else "")
    seconds = {_BY_PARENT: run.chance.uniform(0, 0.8), _WHILE_STARTING: run.chance.uniform(0, 0.3)}
    status = member.wait(seconds.get(death, _POINT_SECONDS))
    if status is None:
        member.kill()
    else:
        assert status == -SIGKILL, f"{member.name} ended with {status}:\n{member.tail()}"
    run.figures["kills"] += 2
    run.figures["kills at a point"] += status is not None
    trial.start(member)
    trial.prove_life()


def power(run: Run, times: int) -> None:
    """The power goes: the server is gone at once, and of its disk everything that no sync has brought there."""
    for start in range(0, times, _CUTS_PER_TRIAL):
        folder = run.new_folder()
        disk = FragileDisk(folder)
        try:
            with Trial(run, folder, [run.store(disk.path)], checkpoint_bytes=_CHECKPOINT_BYTES) as trial:
                for _ in range(start, min(start + _CUTS_PER_TRIAL, times)):
                    trial.let_work(run.chance.uniform(0.02, 0.4))
                    _cut_power(trial, disk)
                    run.figures["power cuts"] += 1
                    trial.prove_life()
        finally:
            disk.close()


def _cut_power(trial: Trial, disk: FragileDisk) -> None:
    (member,) = trial.fleet.members
    # At once, and not when it is gone: a sync may be under way.
    member.process.signal(SIGKILL)
    disk.cut()
    member.kill()
    disk.restore()
    trial.start(member)


def rolling(run: Run, times: int) -> None:
    """SIGTERM, and a new one in its place, one server after the other."""
    folder = run.new_folder()
    with Trial(run, folder, [run.store(folder)]) as trial:
        for number in range(times):
            member = trial.fleet.members[number % run.servers]
            trial.let_work(run.chance.uniform(0, 0.3))
            status = member.process.terminate()
            assert status == 0, f"{member.name} ended with {status}:\n{member.tail()}"
            trial.start(member)
            run.figures["restarts in peace"] += 1
            trial.prove_life()


def hostile(run: Run, times: int) -> None:
    """Jobs that hang, that exit, that take their server with them, and that print a gigabyte."""
    for start in range(0, times, _VILLAINS_PER_TRIAL):
        folder = run.new_folder()
        with Trial(run, folder, [run.store(folder)]) as trial:
            for number in range(start, min(start + _VILLAINS_PER_TRIAL, times)):
                trial.prove_life()
                before = _memory(trial)
                for kind in ("hangs", "exits", "prints"):
                    _suffer(trial, kind, number)
                trial.prove_life(30)
                grown = _memory(trial) - before
                assert grown < _MEMORY, f"they took {grown >> 20} MB more"
                _die_of_a_job(trial, number)
                run.figures["hostile jobs"] += 4


def _memory(trial: Trial) -> int:
    return sum(member.process.peak_memory() for member in trial.fleet.members)


def _suffer(trial: Trial, kind: str, number: int) -> None:
    """Runs such a job to its end."""
    with connected(trial.fleet.members[0].address) as wire:
        client = RecordingClient(trial.recorder, f"villain-{kind}-{number}", JobServiceStub(wire), PATIENCE)
        job = client.submit(_villain(trial, kind, number))
        client.wait(job.id)


def _die_of_a_job(trial: Trial, number: int) -> None:
    """Some server runs it, and ends with it."""
    with connected(trial.fleet.members[0].address) as wire:
        client = RecordingClient(trial.recorder, f"villain-kills-{number}", JobServiceStub(wire), PATIENCE)
        try:
            client.submit(_villain(trial, "kills", number))
        except grpc.RpcError as error:
            # It may run, and end everything, before the answer is sent.
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
    member = trial.fleet.wait_death()
    assert member.wait(PATIENCE) == _EXITED
    trial.start(member)


def _villain(trial: Trial, kind: str, number: int) -> SubmitRequest:
    payload = Payload(content_type="application/json", data=str(_OUTPUT).encode())
    spec = JobSpec(kind=kind, payload=payload, priority=9)
    return SubmitRequest(spec=spec, request_id=f"villain-{kind}-{number}")
