"""Child processes that die, and that are ended by force: one attempt each, and nothing is left."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from slotd.attempts import Failed, Succeeded
from slotd.isolation.base import CLOSED, ENDED, NOTHING
from tests.isolation.conftest import MODULE, MakeChildren
from tests.isolation.running import OVER, PATIENCE, Bench, await_gone, await_no_children, is_there, memory_of

KILL_GRACE = 0.05


def died(how: str) -> Failed:
    return Failed("PROCESS_DIED", f"the process ended with {how}")


class TestDying:
    @pytest.mark.parametrize(
        ("kind", "payload", "how"),
        [
            ("segfault", None, "signal SIGSEGV"),
            ("exit", 3, "exit status 3"),
            ("exit", 0, "exit status 0"),
            ("abort", None, "signal SIGABRT"),
        ],
    )
    def test_it_costs_one_attempt(self, bench: Bench, kind: str, payload: object, how: str) -> None:
        before = bench.value("pid")
        assert bench.failure(kind, payload) == died(how)
        assert not is_there(before)
        assert bench.value("pid") != before

    def test_one_that_is_killed_from_outside(self, bench: Bench) -> None:
        lease = bench.start("loop", False)
        os.kill(int(bench.heard(lease)), signal.SIGKILL)
        assert bench.end().outcome == died("signal SIGKILL")

    def test_others_run_on(self, bench: Bench) -> None:
        lease = bench.start("wait")
        bench.heard(lease)
        assert bench.failure("segfault") == died("signal SIGSEGV")
        bench.processes.stop(lease)
        assert bench.end().outcome == Failed("CANCELLED", "JobCancelled: job job-1 was cancelled")

    def test_what_it_told_before_is_kept(self, bench: Bench) -> None:
        lease = bench.start("fall")
        bench.await_told(lease)
        assert bench.processes.take(lease) == ((1, 2, "about to fall"), b"")
        bench.await_told(lease)
        bench.processes.stop(lease)
        end = bench.end()
        assert end.outcome == died("signal SIGSEGV")
        assert end.told == (None, b"last words")

    def test_what_it_has_started_goes_with_it(self, bench: Bench) -> None:
        lease = bench.start("parent", "die")
        pids = [int(pid) for pid in bench.heard(lease).split()]
        bench.processes.stop(lease)
        assert bench.end().outcome == died("exit status 1")
        assert not any(is_there(pid) for pid in pids)

    def test_a_copy_that_has_the_connection_open_does_not_hide_it(self, bench: Bench) -> None:
        lease = bench.start("fork")
        copy = int(bench.heard(lease))
        try:
            bench.processes.stop(lease)
            assert bench.end().outcome == died("exit status 7")
            assert bench.value("pid") != bench.value("limited-pid")
        finally:
            os.kill(copy, signal.SIGKILL)

    def test_one_that_cuts_its_connection(self, children: MakeChildren) -> None:
        bench = children(kill_grace=KILL_GRACE)
        pid = bench.value("pid")
        lost = Failed("PROCESS_DIED", "the process lost its connection to the service")
        assert bench.failure("close-files") == lost
        assert not is_there(pid)
        assert bench.value("pid") != pid

    def test_one_that_writes_into_its_connection(self, children: MakeChildren) -> None:
        bench = children(kill_grace=KILL_GRACE)
        pid = bench.value("pid")
        assert bench.failure("write-anywhere").reason == "PROCESS_DIED"
        assert not is_there(pid)
        assert bench.value("pid") != pid


class TestMemory:
    def test_a_handler_that_wants_too_much_gets_an_error(self, bench: Bench) -> None:
        pid = bench.value("limited-pid")
        assert bench.failure("eat", 128) == Failed("HANDLER_ERROR", "MemoryError")
        assert bench.value("eat", 16) == 16 << 20
        assert bench.value("limited-pid") == pid

    def test_a_process_in_which_much_was_kept_is_replaced(self, bench: Bench) -> None:
        pid = bench.value("keep", 4)
        assert bench.value("keep", 40) == pid
        assert bench.value("limited-pid") != pid
        await_gone(pid)

    def test_one_that_keeps_all_there_is_is_still_told_of(self, bench: Bench) -> None:
        pid = bench.value("limited-pid")
        assert bench.value("fill") == bytes(900_000)
        await_gone(pid)
        assert bench.value("limited-pid") != pid


class TestEnding:
    @pytest.mark.parametrize("deaf", [False, True])
    def test_an_endless_loop_is_ended_for_certain(self, children: MakeChildren, deaf: bool) -> None:
        bench = children(kill_grace=KILL_GRACE)
        lease = bench.start("loop", deaf)
        pid = int(bench.heard(lease))
        assert bench.processes.kill(lease, OVER)
        assert bench.end().outcome == OVER
        assert not is_there(pid)
        assert bench.value("pid") != pid

    def test_it_has_time_to_end_in_good_order(self, children: MakeChildren, tmp_path: Path) -> None:
        bench = children(kill_grace=PATIENCE)
        path = tmp_path / "cleaned"
        lease = bench.start("clean-up", str(path))
        bench.heard(lease)
        assert bench.processes.kill(lease, OVER)
        assert bench.end().outcome == OVER
        assert path.read_text(encoding="utf-8") == "cleaned"

    def test_what_it_has_started_is_ended_too(self, children: MakeChildren) -> None:
        bench = children(kill_grace=KILL_GRACE)
        lease = bench.start("parent", "wait")
        pids = [int(pid) for pid in bench.heard(lease).split()]
        assert all(is_there(pid) for pid in pids)
        bench.processes.stop(lease)
        assert bench.processes.kill(lease, OVER)
        assert bench.end().outcome == OVER
        assert not any(is_there(pid) for pid in pids)

    def test_it_ends_once_and_the_first_reason_counts(self, children: MakeChildren) -> None:
        bench = children(kill_grace=KILL_GRACE)
        lease = bench.start("loop", True)
        bench.heard(lease)
        assert bench.processes.kill(lease, OVER)
        assert bench.processes.kill(lease, Failed("CANCELLED", "second"))
        assert bench.end().outcome == OVER
        assert not bench.processes.kill(lease, OVER)
        await_no_children()
        assert bench.is_quiet()

    def test_what_has_ended_can_t_be_ended(self, bench: Bench) -> None:
        lease = bench.start("pid")
        assert isinstance(bench.end().outcome, Succeeded)
        assert not bench.processes.kill(lease, OVER)
        bench.processes.stop(lease)
        assert isinstance(bench.value("pid"), int)

    def test_an_async_handler_is_cancelled_where_it_waits(self, bench: Bench) -> None:
        lease = bench.start("async-wait")
        assert bench.heard(lease) == "waiting"
        bench.processes.stop(lease)
        end = bench.end()
        assert end.outcome == Failed("CANCELLED", "CancelledError")
        assert end.told.output == b", cleaned"


class TestClosing:
    def test_all_is_ended_and_nothing_is_left(self, children: MakeChildren) -> None:
        bench = children(kill_grace=KILL_GRACE)
        idle = bench.value("pid")
        busy = bench.start("loop", True)
        other = bench.start("loop", True)
        pids = [int(bench.heard(lease)) for lease in (busy, other)]
        bench.processes.close()
        assert {bench.end()[:2], bench.end()[:2]} == {(busy, ENDED), (other, ENDED)}
        assert not any(is_there(pid) for pid in (idle, *pids))
        bench.processes.close()

    def test_nothing_is_started_any_more(self, children: MakeChildren) -> None:
        bench = children()
        bench.processes.close()
        lease = bench.start("pid")
        assert bench.end() == (lease, CLOSED, NOTHING)

    def test_the_socket_is_private_and_goes(
        self, children: MakeChildren, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        bench = children()
        bench.run("pid")
        (folder,) = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        bench.processes.close()
        assert list(tmp_path.iterdir()) == []

    def test_an_interpreter_that_closes_nothing_ends_and_so_do_they(self) -> None:
        with serving(["loop", False], ["loop", True], ["pid", None]) as service:
            assert service.stdout is not None
            assert service.stdin is not None
            pids = [int(service.stdout.readline()) for _ in range(3)]
            service.stdin.close()
            assert service.wait(PATIENCE) == 0
        for pid in pids:
            await_gone(pid)

    def test_children_end_with_the_service_that_is_killed(self) -> None:
        with serving(["loop", False], ["loop", True], ["pid", None]) as service:
            assert service.stdout is not None
            pids = [int(service.stdout.readline()) for _ in range(3)]
            assert all(is_there(pid) for pid in pids)
            service.kill()
        for pid in pids:
            await_gone(pid)

    def test_so_does_one_that_never_lets_go_of_its_interpreter(self, tmp_path: Path) -> None:
        fifo = tmp_path / "fifo"
        os.mkfifo(fifo)
        with serving(["hog", str(fifo)]) as service:
            pid = int(fifo.read_text(encoding="ascii"))
            assert is_there(pid)
            service.kill()
        await_gone(pid)


def serving(*jobs: list[object]) -> "subprocess.Popen[str]":
    """A process that runs these jobs, each a kind and a payload, and prints what each first writes or returns. It ends
    with its input."""
    command = [sys.executable, "-c", _SERVICE, MODULE, json.dumps(jobs)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


_SERVICE = """
import json, queue, sys
from slotd.codec import encode_value
from slotd.handlers import load, registered
from slotd.isolation.base import Assigned, Lease
from slotd.isolation.children import Children

class Listener:
    def __init__(self):
        self.heard = queue.SimpleQueue()
    def told(self, lease):
        self.heard.put(children.take(lease).output.decode())
    def finished(self, lease, outcome, told):
        self.heard.put(outcome.result[1].decode())

load(sys.argv[1])
children, listener, jobs = Children([sys.argv[1]], registered()), Listener(), json.loads(sys.argv[2])
for number, (kind, payload) in enumerate(jobs):
    assigned = Assigned(Lease("job", number), f"isolated/{kind}", "default", 1, {}, encode_value(payload))
    children.start(assigned, listener)
for _ in jobs:
    print(listener.heard.get(), flush=True)
sys.stdin.read()
"""


def test_a_flood_takes_no_memory_here(children: MakeChildren) -> None:
    bench = children(output_limit=1 << 30)
    bench.run("pid")
    before = memory_of()
    lease = bench.start("flood", 256)
    highest = seen = 0
    while (end := bench.end_or_told(lease)) is None:
        seen += len(bench.processes.take(lease).output)
        highest = max(highest, memory_of())
    assert seen + len(end.told.output) == 256 << 20
    assert highest - before < 64 << 20


def test_the_grace_is_kept(children: MakeChildren) -> None:
    bench = children(kill_grace=0.3)
    lease = bench.start("loop", True)
    bench.heard(lease)
    begun = time.monotonic()
    bench.processes.kill(lease, OVER)
    bench.end()
    assert time.monotonic() - begun >= 0.3
