"""The threads behind the thread runner: kept for the next attempt, let go in the end."""

import threading
from collections.abc import Iterator

import pytest

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


def test_finished_attempts_are_forgotten(bench: Bench) -> None:
    for _ in range(10):
        bench.run(lambda ctx, payload: None)
    assert isinstance(bench.runner, ThreadRunner)
    assert bench.runner._attempts == {}
