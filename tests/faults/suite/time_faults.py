"""Time that goes wrong: servers that stand still for longer than their lease, and clocks that jump."""

from slotd.v1 import JOB_STATE_RUNNING, JobFilter, JobServiceStub, ListRequest
from tests.faults.failpoints import POINTS, SHARED_POINTS
from tests.faults.preload import JumpingClock
from tests.faults.process import PATIENCE
from tests.faults.suite.fleet import Member
from tests.faults.suite.load import connected
from tests.faults.suite.run import Run
from tests.faults.suite.trial import LEASE, Trial

_PAUSES_PER_TRIAL = 25
_POINT_SECONDS = 2.0
_TIMEOUT = 2.0
"""How long a client waits for an answer: those that ask the server that stands still shall ask another."""
_GIVEN_BACK_WITHIN = LEASE + 2
_FURTHEST = 7200.0


def pauses(run: Run, times: int) -> None:
    """SIGSTOP, at any moment or at a named point, mostly for longer than the lease; then it goes on where it was."""
    for start in range(0, times, _PAUSES_PER_TRIAL):
        folder = run.new_folder()
        with Trial(run, folder, [run.store(folder)], load={"timeout": _TIMEOUT}) as trial:
            for _ in range(start, min(start + _PAUSES_PER_TRIAL, times)):
                trial.let_work(run.chance.uniform(0, 0.3))
                member = run.chance.choice(trial.fleet.members)
                if run.chance.random() < 0.5:
                    _pause(run, trial, member)
                else:
                    _pause_at_point(run, trial, member)
                run.figures["pauses"] += 1
                trial.prove_life()


def _pause(run: Run, trial: Trial, member: Member) -> None:
    others = [one for one in trial.fleet.members if one is not member]
    member.pause()
    try:
        if others and run.chance.random() < 0.5:
            trial.let_work(_GIVEN_BACK_WITHIN)
            other = run.chance.choice(others)
            trial.wait_given_back(member.name, lambda: _left(member, other))
            run.figures["pauses after which all was given back"] += 1
        else:
            trial.let_work(run.chance.uniform(0.1, 1.5 * LEASE))
    finally:
        member.resume()


def _pause_at_point(run: Run, trial: Trial, member: Member) -> None:
    """Also where it has the lock that all need: the others must get on with their work."""
    points = POINTS if run.kind == "sqlite" else SHARED_POINTS
    member.kill()
    member.begin(f"{run.chance.choice(points)}:{run.chance.randint(1, 20)}:stop")
    if not member.wait_stopped(_POINT_SECONDS):
        # Else it would stop there later on.
        member.kill()
        trial.start(member)
        return
    run.figures["pauses at a point"] += 1
    try:
        trial.let_work(run.chance.uniform(0.1, 1.5 * LEASE))
        if run.servers > 1:
            trial.load.tally.wait_more("acknowledged", 5)
    finally:
        member.resume()
    if not member.process.listening():
        # It stood still while it started, and lost its connection over that: whoever supervises it tries again.
        member.begin()
    trial.answers(member)


def _left(member: Member, other: Member) -> list[str]:
    """Which of its jobs run yet, so far as another server knows."""
    request = ListRequest(filter=JobFilter(states=[JOB_STATE_RUNNING]), page_size=1000)
    with connected(other.address) as wire:
        jobs = JobServiceStub(wire).List(request, timeout=PATIENCE).jobs
    return [job.id for job in jobs if job.attempts[-1].server == member.boot]


def clocks(run: Run, times: int) -> None:
    """The servers' time of day jumps, to and fro, by moments or by hours."""
    folder = run.new_folder()
    clock = JumpingClock(folder)
    with Trial(run, folder, [run.store(folder)], environment=clock.environment) as trial:
        for _ in range(times):
            furthest = run.chance.choice((1.0, 60.0, _FURTHEST))
            clock.jump(run.chance.uniform(-furthest, furthest))
            trial.let_work(run.chance.uniform(0, 0.5))
            run.figures["jumps"] += 1
            trial.prove_life()
        # What was put off while it was late is due now.
        clock.jump(2 * _FURTHEST)
