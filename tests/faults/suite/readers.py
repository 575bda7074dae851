"""Many subscribers at once, and among them some that never read a word."""

from contextlib import ExitStack

from slotd.v1 import JOB_VIEW_FULL, JobServiceStub, StreamRequest
from tests.faults.suite.load import connected
from tests.faults.suite.run import Run
from tests.faults.suite.trial import Trial

_MOST = 200
_EACH = 1_000
_SILENT = 5
"""Every so many-th subscriber never reads."""
_AUDIENCES = 2
"""How many processes the others have."""

_BUFFERED = 8 << 20
"""What a server may keep for a subscriber that does not read, in bytes."""
_GROWTH = 64 << 20
"""What it may take besides, for its own work."""

_SUBMITTERS = 4
_BATCH = 50
_SLOTS = 64
"""Many jobs at once, so that a change has many events: on few cores as many messages as events would take hours."""

_KEPT = 1 << 31
"""Events: all of them, as they are read once more at the end."""


def readers(run: Run, times: int) -> None:
    """So many thousand events, to up to 200 subscribers on all servers."""
    folder = run.new_folder()
    load = {"count": _SUBMITTERS, "batch": _BATCH}
    with (
        Trial(run, folder, [run.store(folder)], load=load, slots=_SLOTS, events_kept=_KEPT) as trial,
        ExitStack() as stack,
    ):
        before = _memory(trial)
        number = min(_MOST, 10 * times)
        silent = number // _SILENT
        for one in range(_AUDIENCES):
            trial.seat(f"audience-{one}", (number - silent) // _AUDIENCES)
        for one in range(silent):
            member = trial.fleet.members[one % len(trial.fleet.members)]
            wire = stack.enter_context(connected(member.address))
            request = StreamRequest(cursor=trial.cursor, view=JOB_VIEW_FULL, include_progress=True)
            call = JobServiceStub(wire).Stream(request)
            stack.callback(call.cancel)
        for step in range(times):
            trial.log.wait_revision((step + 1) * _EACH)
            trial.load.check()
        grown = _memory(trial) - before
        allowed = silent * _BUFFERED + _GROWTH * len(trial.fleet.members)
        assert grown < allowed, f"{silent} subscribers that do not read cost {grown >> 20} MB"
        run.figures["subscribers"] += number
        run.figures["subscribers that never read"] += silent


def _memory(trial: Trial) -> int:
    return sum(member.process.peak_memory() for member in trial.fleet.members)
