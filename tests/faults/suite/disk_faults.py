"""Disks that fail: syncs that report an error, and no room."""

from contextlib import ExitStack

from tests.faults.disks import Ballast, FragileDisk, memory, mounted, why_no_power_cuts
from tests.faults.preload import FailingSync
from tests.faults.process import PATIENCE
from tests.faults.suite.run import Run
from tests.faults.suite.trial import Trial

_CHECKPOINT_BYTES = 64 << 10
_FAILURES_PER_TRIAL = 20

_FILLS_PER_TRIAL = 4
"""What has been kept of the jobs of more would not leave much to fill."""
_MEGABYTES = 64


def syncs(run: Run, times: int) -> None:
    """A sync reports an error, that of a commit or that of a checkpoint; then, where it can be cut, the power
    goes: what was not synced is not there any more."""
    for start in range(0, times, _FAILURES_PER_TRIAL):
        folder = run.new_folder()
        with ExitStack() as stack:
            disk = None if why_no_power_cuts() else FragileDisk(folder)
            if disk is not None:
                stack.callback(disk.close)
            sync = FailingSync(folder)
            store = run.store(folder if disk is None else disk.path)
            trial = stack.enter_context(
                Trial(run, folder, [store], environment=sync.environment, checkpoint_bytes=_CHECKPOINT_BYTES)
            )
            for _ in range(start, min(start + _FAILURES_PER_TRIAL, times)):
                _fail_sync(run, trial, sync, disk)


def _fail_sync(run: Run, trial: Trial, sync: FailingSync, disk: FragileDisk | None) -> None:
    (member,) = trial.fleet.members
    trial.let_work(run.chance.uniform(0.02, 0.3))
    sync.fail(run.chance.choice(("-wal", "jobs.db")))
    status = member.wait(PATIENCE)
    assert status == 1, f"a sync failed, and {member.name} ended with {status}:\n{member.tail()}"
    if disk is not None:
        disk.cut()
        disk.restore()
    sync.mend()
    trial.start(member)
    run.figures["failed syncs"] += 1
    trial.prove_life()


def space(run: Run, times: int) -> None:
    """The disk is full; some servers die of something else meanwhile."""
    for start in range(0, times, _FILLS_PER_TRIAL):
        folder = run.new_folder()
        with mounted(folder / "disk", *memory(_MEGABYTES)) as disk:
            ballast = Ballast(disk)
            with Trial(run, folder, [run.store(disk)], checkpoint_bytes=_CHECKPOINT_BYTES) as trial:
                for _ in range(start, min(start + _FILLS_PER_TRIAL, times)):
                    _fill(run, trial, ballast)


def _fill(run: Run, trial: Trial, ballast: Ballast) -> None:
    (member,) = trial.fleet.members
    trial.let_work(run.chance.uniform(0.02, 0.3))
    refused = trial.load.tally.waiting_for("full", 10)
    ballast.fill()
    refused()
    if run.chance.random() < 0.3:
        member.kill()
        ballast.free()
        trial.start(member)
    ballast.free()
    run.figures["full disks"] += 1
    trial.prove_life()
