"""The threads behind the thread runner: kept for the next attempt, let go in the end."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from queue import SimpleQueue

import pytest

from slotd_server.domain.commands import Finish, Lease
from slotd_server.domain.job import Failure
from slotd_server.domain.outcome import Failed, Succeeded
from slotd_server.execution import threads
from slotd_server.execution.threads import ThreadRunner
from tests.conformance.running import PATIENCE, Bench, Signal

RESULT_LIMIT = 1000
OUTPUT_LIMIT = 1 << 20


def ours() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "slotd-job"}


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench(
        lambda handlers, reporting, results: ThreadRunner(
            handlers, reporting, results=results, result_limit=RESULT_LIMIT, output_limit=OUTPUT_LIMIT
        )
    )
    yield bench
    bench.runner.close()


def test_one_after_another_need_no_new_threads(bench: Bench) -> None:
    seen: set[int] = set()
    for _ in range(50):
        bench.run(lambda ctx, payload: seen.add(threading.get_ident()))
    # One that runs, and those that may be on their way meanwhile.
    assert len(seen) <= 3


def test_about_as_many_threads_as_run_at_once(bench: Bench) -> None:
    seen: set[int] = set()
    all_in = threading.Barrier(8, timeout=PATIENCE)

    def meet(ctx: object, payload: object) -> None:
        seen.add(threading.get_ident())
        all_in.wait()

    for _ in range(5):
        for _ in range(8):
            bench.start(meet)
        for _ in range(8):
            bench.finished()
    assert 8 <= len(seen) <= 10


def test_four_hundred_jobs_leave_no_threads_behind(bench: Bench) -> None:
    before = ours()
    for _ in range(400):
        bench.start(lambda ctx, payload: None)
    for _ in range(400):
        bench.finished()
    left = ours() - before
    bench.runner.close()
    for thread in left:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_what_runs_when_it_closes_runs_on_and_then_goes(bench: Bench) -> None:
    before = ours()
    begun, go = Signal(), Signal()

    def wait(ctx: object, payload: object) -> str:
        begun.set()
        go.await_it()
        return "done"

    bench.start(wait)
    begun.await_it()
    (thread,) = ours() - before
    bench.runner.close()
    bench.runner.close()
    assert thread.is_alive()
    go.set()
    bench.finished()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_thread_with_nothing_to_do_goes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_IDLE_SECONDS", 0.0)
    before = ours()
    for _ in range(100):
        bench.run(lambda ctx, payload: None)
    for thread in ours() - before:
        thread.join(PATIENCE)
    assert ours() <= before


NO_THREAD = Failed(Failure("HANDLER_ERROR", "no thread: can't start new thread"))


def test_where_the_system_has_no_thread_left_that_costs_the_attempt(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert bench.run(lambda ctx, payload: None).outcome == NO_THREAD
    assert bench.run(lambda ctx, payload: None).outcome == Succeeded(None)


def test_so_it_does_where_a_thread_finds_more_than_it_can_run(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    first: list[threading.Thread] = []
    begin = threading.Thread.start

    def refuse(self: threading.Thread) -> None:
        if first:
            raise RuntimeError("can't start new thread")
        first.append(self)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        runs = bench.start(lambda ctx, payload: None)
        waits = bench.start(lambda ctx, payload: None)
        begin(first[0])
        ends = {bench.finished(), bench.finished()}
    assert ends == {Finish(runs, Succeeded(None)), Finish(waits, NO_THREAD)}
    assert bench.run(lambda ctx, payload: None).outcome == Succeeded(None)


def test_what_has_ended_does_not_wait_for_a_thread_that_can_not_come(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[threading.Thread] = []
    begin = threading.Thread.start
    one_runs, one_may_end, second_has_looked, second_goes_on, third_may_end = (Signal() for _ in range(5))

    def refuse(self: threading.Thread) -> None:
        if len(made) == 2:
            raise RuntimeError("can't start new thread")
        made.append(self)

    def run_until(go: Signal) -> Callable[[object, object], None]:
        def run(ctx: object, payload: object) -> None:
            one_runs.set()
            # For longer than the test looks for what must not wait for this.
            go.wait()

        return run

    assert isinstance(bench.runner, ThreadRunner)
    wake = bench.runner._wake

    def hold_second() -> None:
        if threading.current_thread() is made[-1]:
            second_has_looked.set()
            second_goes_on.await_it()
        wake()

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        one = bench.start(run_until(one_may_end))
        begin(made[0])
        one_runs.await_it()
        second, third = bench.start(run_until(third_may_end)), bench.start(run_until(third_may_end))
        fourth = bench.start(run_until(third_may_end))
        patch.setattr(bench.runner, "_wake", hold_second)
        begin(made[1])
        second_has_looked.await_it()
        # The first thread takes the third attempt, and wants company for the fourth.
        one_may_end.set()
        assert {bench.finished(), bench.finished()} == {Finish(one, Succeeded(None)), Finish(fourth, NO_THREAD)}
        third_may_end.set()
        second_goes_on.set()
        assert {bench.finished().lease, bench.finished().lease} == {second, third}


def test_finished_attempts_are_forgotten(bench: Bench) -> None:
    for _ in range(10):
        bench.run(lambda ctx, payload: None)
    assert isinstance(bench.runner, ThreadRunner)
    assert bench.runner._attempts == {}


class Settling(Bench):
    """Has ends reported by the threads that have time. `then` is what comes of the next of those reports, on the thread
    that makes it."""

    def __init__(self) -> None:
        super().__init__(
            lambda handlers, reporting, _: ThreadRunner(
                handlers, reporting._replace(ended=self._settle), result_limit=RESULT_LIMIT
            )
        )
        self.settled: SimpleQueue[tuple[str, list[Lease]]] = SimpleQueue()
        self.then: Callable[[], None] | None = None

    @property
    def threads(self) -> ThreadRunner:
        assert isinstance(self.runner, ThreadRunner)
        return self.runner

    @property
    def hurried(self) -> bool:
        """Whether anything was reported by a thread that goes on to something else."""
        return not self._finished.empty()

    def _settle(self, ended: Sequence[Finish]) -> None:
        then, self.then = self.then, None
        if then is not None:
            then()
        self.settled.put((threading.current_thread().name, [finish.lease for finish in ended]))

    def next_settled(self) -> list[Lease]:
        thread, leases = self.settled.get(timeout=PATIENCE)
        assert thread == "slotd-job"
        return leases


@pytest.fixture
def settling() -> Iterator[Settling]:
    bench = Settling()
    yield bench
    bench.runner.close()


def nothing(ctx: object, payload: object) -> None:
    """Return at once."""


def test_a_thread_that_has_time_reports_itself(settling: Settling) -> None:
    lease = settling.start(nothing)
    assert settling.next_settled() == [lease]


def test_a_report_knows_nothing_of_what_a_function_has_left_on_its_thread(settling: Settling) -> None:
    left: ContextVar[str] = ContextVar("left", default="nothing")
    found: list[str] = []

    def leave(ctx: object, payload: object) -> None:
        left.set("something")

    settling.then = lambda: found.append(left.get())
    settling.start(leave)
    settling.next_settled()
    assert found == ["nothing"]


def test_what_is_started_by_a_report_runs_on_the_thread_that_made_it(settling: Settling) -> None:
    before = ours()
    seen: set[int] = set()
    done = Signal()
    left = 100

    def again() -> None:
        nonlocal left
        left -= 1
        settling.then = again if left else done.set
        settling.start(lambda ctx, payload: seen.add(threading.get_ident()))

    again()
    done.await_it()
    assert len(seen) == 1
    assert len(ours() - before) == 1, "nobody else was woken"


def test_what_a_report_starts_is_not_kept_waiting_by_its_thread(settling: Settling) -> None:
    """The thread takes one; for the other it has to wake somebody."""
    both_in = threading.Barrier(3, timeout=PATIENCE)

    def meet(ctx: object, payload: object) -> None:
        both_in.wait()

    def two() -> None:
        settling.start(meet)
        settling.start(meet)

    settling.then = two
    settling.start(nothing)
    both_in.wait()


def nobody_comes(runner: ThreadRunner, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(runner, "_wake", lambda: None)


def somebody_is_coming(runner: ThreadRunner, patch: pytest.MonkeyPatch) -> None:
    """Though it takes him long."""

    def wake() -> None:
        runner._coming = 1

    patch.setattr(runner, "_wake", wake)


@pytest.mark.parametrize("others", [nobody_comes, somebody_is_coming])
def test_no_report_waits_for_the_next_function(
    settling: Settling, monkeypatch: pytest.MonkeyPatch, others: Callable[[ThreadRunner, pytest.MonkeyPatch], None]
) -> None:
    """All are started before the thread looks, which then has one after the other."""
    inside, go = Signal(), Signal()
    brief: list[Lease] = []
    long: list[Lease] = []
    hurried: list[bool] = []

    def look(ctx: object, payload: object) -> None:
        hurried.append(settling.hurried)

    def wait(ctx: object, payload: object) -> None:
        inside.set()
        # Longer than for what it must not keep.
        assert go.wait(2 * PATIENCE)

    def three() -> None:
        brief.append(settling.start(nothing))
        brief.append(settling.start(look))
        long.append(settling.start(wait))
        others(settling.threads, monkeypatch)

    settling.then = three
    settling.start(nothing)
    settling.next_settled()
    inside.await_it()
    assert hurried == [False], "where another waits, somebody will be woken for it, and report"
    if others is nobody_comes:
        assert [settling.finished().lease for _ in brief] == brief
    else:
        assert not settling.hurried
        assert settling.settled.empty()
        late = threading.Thread(target=settling.threads._work, args=(threads._Worker(),), name="slotd-job", daemon=True)
        late.start()
        assert settling.next_settled() == brief
    go.set()
    assert settling.next_settled() == long
