"""What stands in the tables, and in which order."""

import pytest

from slotd import v1
from slotd.top.panes import Ended, Queues, Running, Slots, bar
from slotd.top.query import Query
from slotd.top.state import Answers, State
from tests.top.jobs import Clock, changed, job, state_at, told

ALL = Query()


@pytest.fixture
def state() -> State:
    made = state_at(Clock(100.0))
    made.begin([], [])
    made.apply(told(synced=True))
    return made


def queue(name: str, **counters: int) -> v1.Queue:
    return v1.Queue(name=name, counters=v1.Counters(**counters))


@pytest.mark.parametrize(
    ("share", "drawn"), [(-1.0, "░░░░"), (0.0, "░░░░"), (0.5, "██░░"), (0.625, "██▌░"), (1.0, "████"), (7.0, "████")]
)
def test_a_bar_is_as_long_as_its_share(share: float, drawn: str) -> None:
    assert bar(share, 4) == drawn


def test_a_pool_is_drawn_as_full_as_it_is(state: State) -> None:
    pool = v1.PoolSlots(slots=10, free=4, running=5, zombie=1, limit=10)
    words = [cell.words for cell in Slots().cells(pool, state)]
    assert words == ["the server itself", "██████████▚▚░░░░░░░░", "6/10", "5", "4", "1", "10"]


def test_an_empty_pool_has_no_bar(state: State) -> None:
    cells = Slots().cells(v1.PoolSlots(worker="w", name="\x1b[2Jhelper"), state)
    assert [cell.words for cell in cells[:3]] == ["\\x1b[2Jhelper", "", "0/0"]


def test_queues_stand_by_name_by_what_waits_by_what_runs_and_by_rate(state: State) -> None:
    queues = [queue("a", queued=1, blocked=1), queue("b", scheduled=5), queue("c", running=9)]
    state.answer(Answers(queues, v1.ListSlotsResponse()))
    state.apply(told(changed(job("j", v1.JOB_STATE_SUCCEEDED, ended=1, queue="b"), v1.JOB_STATE_RUNNING)))
    clock = state.clock
    assert isinstance(clock, Clock)
    clock.seconds += 1
    pane = Queues()
    orders = {order: "".join(one.name for one in pane.items(state, ALL, order)) for order in pane.orders}
    assert orders == {"name": "abc", "waiting": "bac", "running": "cab", "rate": "bac"}
    assert [one.name for one in pane.items(state, Query("queue:b"), "name")] == ["b"]


def test_a_queue_tells_of_its_limits_and_that_it_is_paused(state: State) -> None:
    one = v1.Queue(name="q", slots=3, paused=True, max_queued=50, slots_per_key=2)
    one.rate_limit.starts_per_second = 0.5
    one.counters.MergeFrom(v1.Counters(queued=2, blocked=1, failed=7))
    words = [cell.words for cell in Queues().cells(one, state)]
    assert words == ["q", "3", "0", "3", "0.0", "7", "0.5/s, max 50, 2 per key", "paused"]


def test_running_jobs_stand_by_start_by_progress_by_kind_and_by_queue(state: State) -> None:
    jobs = [
        job("1", started=3, kind="b", queue="x"),
        job("2", started=1, kind="c", queue="z"),
        job("3", started=2, kind="a", queue="y"),
    ]
    jobs[0].progress.MergeFrom(v1.Progress(done=9, total=10))
    jobs[2].progress.MergeFrom(v1.Progress(done=1, total=10))
    state.begin(jobs, [])
    pane = Running()
    orders = {order: "".join(one.id for one in pane.items(state, ALL, order)) for order in pane.orders}
    assert orders == {"started": "231", "progress": "132", "kind": "312", "queue": "132"}
    assert [one.id for one in pane.items(state, Query("kind:c"), "started")] == ["2"]


def test_a_running_job_tells_how_far_it_is_and_where(state: State) -> None:
    state.answer(
        Answers([], v1.ListSlotsResponse(), [v1.Server(id="here", name="host")], [v1.Worker(id="w", name="helper")])
    )
    one = job("0123456789abcdef", started=40)
    one.progress.MergeFrom(v1.Progress(done=3, total=10, message="de\ncoding"))
    words = [cell.words for cell in Running().cells(one, state)]
    assert words == [
        "456789abcdef",
        "0123456789abcdef",
        "work",
        "default",
        "███░░░░░░░",
        "30% de\\ncoding",
        "1/3",
        "1m00s",
        "host",
    ]
    on_worker = [cell.words for cell in Running().cells(job("b", worker="w"), state)]
    assert on_worker[-1] == "helper"
    assert on_worker[4] == ""
    assert Running().cells(job("d", kind="\x1b[2J"), state)[2].words == "\\x1b[2J"
    unknown = [cell.words for cell in Running().cells(job("c", worker="who"), state)]
    assert unknown[-1] == "who"


def test_a_job_that_is_to_stop_says_so(state: State) -> None:
    one = job("a")
    one.cancel_requested = True
    assert "cancelling" in [cell.words for cell in Running().cells(one, state)]


def test_ended_jobs_stand_newest_first_failed_ones_first_by_kind_and_by_queue(state: State) -> None:
    state.begin(
        [],
        [
            job("1", v1.JOB_STATE_FAILED, ended=1, kind="c", queue="x"),
            job("2", v1.JOB_STATE_SUCCEEDED, ended=2, kind="a", queue="z"),
            job("3", v1.JOB_STATE_SUCCEEDED, ended=3, kind="b", queue="y"),
        ],
    )
    pane = Ended()
    orders = {order: "".join(one.id for one in pane.items(state, ALL, order)) for order in pane.orders}
    assert orders == {"newest": "321", "failed": "132", "kind": "231", "queue": "132"}


def test_a_failed_job_says_why_and_one_that_succeeded_what_it_told_last(state: State) -> None:
    failed = job("a", v1.JOB_STATE_FAILED, started=10, ended=13)
    failed.error.message = "no\troom"
    words = [cell.words for cell in Ended().cells(failed, state)]
    assert words[4:] == ["FAILED", "no\\troom", "3.0s", "1m27s"]
    done = job("b", v1.JOB_STATE_SUCCEEDED, ended=13)
    done.error.message = "of an attempt before"
    done.progress.MergeFrom(v1.Progress(done=2, total=2, message="all"))
    assert [cell.words for cell in Ended().cells(done, state)][5] == "2/2 all"
