"""Handlers in child processes: what they get, what comes of them, and which process runs them."""

import errno
import os
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from slotd.attempts import Failed, Outcome, Snoozed, Succeeded
from slotd.handlers import Handler
from slotd.isolation.base import NOTHING, Lease, Limits
from slotd.isolation.children import Children
from slotd.results import Encoded
from tests.isolation.conftest import MakeChildren
from tests.isolation.running import PATIENCE, Bench, await_gone, await_no_children

MEBIBYTE = 1 << 20


class TestRunning:
    def test_a_handler_knows_its_job(self, bench: Bench) -> None:
        before = time.time()
        known = bench.value("context", time_left=60)
        assert before + 60 <= known.pop("deadline") <= time.time() + 60
        assert known == {
            "job_id": "job-1",
            "attempt": 2,
            "kind": "isolated/context",
            "queue": "default",
            "labels": {"team": "blue"},
            "main thread": True,
        }

    def test_without_a_time_limit_there_is_no_deadline(self, bench: Bench) -> None:
        assert bench.value("context")["deadline"] is None

    @pytest.mark.parametrize("value", [None, {"ü": [1, None]}, "text", b"\x00\xff", "x" * (MEBIBYTE - 2)], ids=type)
    def test_payload_and_result_come_through(self, bench: Bench, value: object) -> None:
        assert bench.value("echo", value) == value

    def test_how_large_they_may_be_is_a_setting(self, children: MakeChildren) -> None:
        large = os.urandom(6 * MEBIBYTE)
        assert children(result_limit=8 * MEBIBYTE).value("echo", large) == large

    def test_a_payload_that_can_t_be_read_never_will_be(self, bench: Bench) -> None:
        failed = bench.failure("echo", encoded=("application/json", b"{"))
        assert (failed.reason, failed.permanent) == ("PAYLOAD_INVALID", True)

    def test_a_result_that_is_too_large_is_an_error(self, children: MakeChildren) -> None:
        bench = children(result_limit=1000)
        assert bench.value("echo", bytes(1000)) == bytes(1000)
        failed = bench.failure("echo", bytes(1001))
        assert (failed.reason, failed.permanent) == ("RESULT_TOO_LARGE", True)

    def test_limits_that_come_with_an_attempt_are_its_own(self, children: MakeChildren) -> None:
        bench = children(result_limit=1000, output_limit=1000)
        pid = bench.value("pid")
        # What a worker asks for that has gone over to another service: more, less, and nothing said.
        more, less = Limits(6 * MEBIBYTE, 3 * MEBIBYTE), Limits(10, 10)
        large = os.urandom(6 * MEBIBYTE)
        assert bench.value("echo", large, limits=more) == large
        assert len(bench.run("burst", 4, limits=more).told.output) == 3 * MEBIBYTE + 1
        assert bench.failure("echo", bytes(11), limits=less).reason == "RESULT_TOO_LARGE"
        assert len(bench.run("burst", 1, limits=less).told.output) == 11
        assert bench.failure("echo", bytes(1001)).reason == "RESULT_TOO_LARGE"
        assert bench.value("pid") == pid

    @pytest.mark.parametrize(
        ("name", "outcome"),
        [
            ("ValueError", Failed("HANDLER_ERROR", "ValueError: bad")),
            ("PermanentError", Failed("PERMANENT_ERROR", "PermanentError: no such bucket", permanent=True)),
            ("Snooze", Snoozed(1.5)),
            ("SystemExit", Failed("HANDLER_ERROR", "SystemExit: 3")),
            ("KeyboardInterrupt", Failed("HANDLER_ERROR", "KeyboardInterrupt")),
        ],
    )
    def test_what_it_raises_is_its_outcome(self, bench: Bench, name: str, outcome: Outcome) -> None:
        assert bench.run("raise", name).outcome == outcome

    def test_an_async_handler_is_awaited(self, bench: Bench) -> None:
        assert bench.value("async", [1, 2]) == 3

    def test_it_has_the_results_of_other_jobs(self, bench: Bench) -> None:
        results = {"a": ("application/json", b"[1]"), "b": None, "c": ("text/plain", b"x" * 100_000)}
        assert bench.value("results", results=lambda: results) == {"a": [1], "b": None, "c": "x" * 100_000}

    def test_results_that_can_t_be_read_fail_the_attempt_alone(self, bench: Bench) -> None:
        def away() -> Mapping[str, Encoded | None]:
            raise RuntimeError("the store is away")

        pid = bench.value("pid")
        message = "OSError: the results of other jobs can't be read: the store is away"
        assert bench.failure("results", results=away) == Failed("HANDLER_ERROR", message)
        assert bench.value("pid") == pid

    def test_what_it_prints_goes_to_the_log_and_it_has_nothing_to_read(
        self, children: MakeChildren, capfd: pytest.CaptureFixture[str]
    ) -> None:
        bench = children()
        assert bench.value("print", "seen") == ""
        captured = capfd.readouterr()
        assert captured.err.count("seen") == 2
        assert captured.out == ""

    def test_as_many_run_at_once_as_are_started(self, bench: Bench, tmp_path: Path) -> None:
        for _ in range(4):
            bench.start("meet", f"{tmp_path}*4")
        ends = [bench.end() for _ in range(4)]
        assert all(isinstance(end.outcome, Succeeded) for end in ends)
        assert len({end.outcome for end in ends}) == 4


class TestTelling:
    def test_all_that_it_tells_arrives_in_order(self, bench: Bench) -> None:
        told = bench.run("steps", 2000).told
        assert told.progress == (2000, 2000, "step 2000")
        assert told.output.decode().split() == [str(number) for number in range(2000)]

    def test_it_is_announced_once_until_it_is_taken(self, bench: Bench) -> None:
        lease = bench.start("wait")
        assert int(bench.heard(lease)) != os.getpid()
        assert bench.processes.take(lease) is NOTHING
        bench.processes.stop(lease)
        assert bench.end().told == NOTHING
        assert not bench.is_told()

    def test_what_nobody_took_comes_with_the_end(self, bench: Bench) -> None:
        lease = bench.start("steps", 3)
        end = bench.end()
        assert (end.told.progress, end.told.output) == ((3, 3, "step 3"), b"0 1 2 ")
        assert bench.processes.take(lease) == NOTHING

    def test_what_an_earlier_one_says_too_late_is_nobody_s(self, bench: Bench) -> None:
        bench.run("leave-a-thread")
        assert bench.run("wake-the-thread") == (Lease("job-2", 1), Succeeded(None), NOTHING)
        assert not bench.is_told()

    def test_much_at_once_comes_in_pieces(self, bench: Bench) -> None:
        lease = bench.start("burst", 5)
        pieces = [bench.heard(lease) for _ in range(4)]
        end = bench.end()
        written = "".join(pieces) + end.told.output.decode()
        assert [len(piece) for piece in pieces[:3]] == [MEBIBYTE] * 3
        # The end follows the fourth without waiting, and has it too where that was not taken yet.
        assert len(pieces[3]) in {0, MEBIBYTE}
        assert written == "".join(letter * MEBIBYTE for letter in "ABCDE")

    def test_of_a_flood_so_much_is_carried_and_no_more_than_a_piece_waits(self, children: MakeChildren) -> None:
        bench = children(output_limit=3 * MEBIBYTE)
        lease = bench.start("flood", 1024)
        seen = 0
        while (end := bench.end_or_told(lease)) is None:
            piece = bench.processes.take(lease).output
            assert len(piece) <= MEBIBYTE
            seen += len(piece)
        assert end.outcome == Succeeded(None)
        assert seen + len(end.told.output) == 3 * MEBIBYTE + 1


class TestKeeping:
    """Which process runs what."""

    def test_one_process_does_one_job_after_another_whatever_comes_of_them(self, bench: Bench) -> None:
        pid = bench.value("pid")
        assert pid != os.getpid()
        bench.run("raise", "ValueError")
        bench.run("raise", "SystemExit")
        assert bench.value("pid") == pid

    def test_limits_are_a_process_s_own_and_one_takes_another_s_place(self, bench: Bench) -> None:
        plain = bench.value("pid")
        limited = bench.value("limited-pid")
        assert limited != plain
        await_gone(plain)
        assert bench.value("limited-pid") == limited

    def test_one_that_has_nothing_to_do_ends(self, children: MakeChildren) -> None:
        bench = children(idle_seconds=0.01)
        pid = bench.value("pid")
        await_gone(pid)
        assert bench.value("pid") != pid

    def test_one_that_goes_while_it_is_given_work_still_does_it(self, children: MakeChildren) -> None:
        bench = children(idle_seconds=0.001)
        for _ in range(12):
            assert bench.run("echo", 1).outcome == Succeeded(("application/json", b"1"))

    def test_an_idle_one_that_is_killed_is_not_used_again(self, bench: Bench) -> None:
        pid = bench.value("pid")
        os.kill(pid, 9)
        await_gone(pid)
        await_no_children()
        assert bench.value("pid") != pid


class TestStarting:
    def test_nobody_waits_for_it(self, children: MakeChildren, monkeypatch: pytest.MonkeyPatch) -> None:
        bench, go = children(), _gate(monkeypatch)
        lease = bench.start("pid")
        bench.processes.stop(lease)
        assert bench.processes.take(lease) == NOTHING
        go.set()
        assert isinstance(bench.end().outcome, Succeeded)

    def test_one_that_is_killed_before_it_is_there_never_runs(
        self, children: MakeChildren, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        bench, go = children(), _gate(monkeypatch)
        failed = Failed("TIMEOUT", "over")
        lease = bench.start("meet", f"{tmp_path}*1")
        assert bench.processes.kill(lease, failed)
        go.set()
        assert bench.end().outcome == failed
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("error", [OSError(errno.EAGAIN, "try again"), OSError(errno.ENOMEM, "no memory")])
    def test_where_the_system_has_no_process_left_the_attempt_fails(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, error: OSError
    ) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "Popen", refuse)
            failed = bench.failure("pid")
        assert failed == Failed("PROCESS_NOT_STARTED", f"the process could not be started: {error}")
        assert isinstance(bench.value("pid"), int)

    def test_where_it_has_no_thread_left_either(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(self: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            lease = bench.start("pid")
        assert bench.end() == (lease, Failed("PROCESS_NOT_STARTED", "can't start new thread"), NOTHING)
        assert isinstance(bench.value("pid"), int)

    def test_a_module_that_can_t_be_loaded_there_fails_each_attempt(
        self, children: MakeChildren, tmp_path: Path
    ) -> None:
        module = tmp_path / "broken.py"
        module.write_text("raise ImportError('no such library')", encoding="utf-8")
        bench = children(str(module))
        for _ in range(2):
            failed = bench.failure("pid")
            assert failed == Failed("HANDLER_NOT_LOADED", f"cannot load {module}: ImportError: no such library")

    def test_a_module_that_ends_the_process_does_too(self, children: MakeChildren, tmp_path: Path) -> None:
        module = tmp_path / "fatal.py"
        module.write_text("import os; os._exit(4)", encoding="utf-8")
        failed = children(str(module)).failure("pid")
        assert failed == Failed("PROCESS_DIED", "the process ended with exit status 4 while it started")

    def test_a_kind_that_is_not_there_is_named(self, children: MakeChildren, tmp_path: Path) -> None:
        module = tmp_path / "empty.py"
        module.touch()
        failed = children(str(module)).failure("pid")
        assert failed == Failed("HANDLER_NOT_LOADED", "no module has registered the kind isolated/pid")

    def test_a_neighbour_of_the_present_folder_is_not_taken_for_the_library_s(
        self, children: MakeChildren, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "argparse.py").write_text("raise SystemExit('not this one')", encoding="utf-8")
        (tmp_path / "mine.py").write_text(
            "from slotd import job\n@job('isolated/mine')\ndef mine(ctx, payload): return 'mine'\n", encoding="utf-8"
        )
        monkeypatch.chdir(tmp_path)
        handlers = {"isolated/mine": Handler("isolated/mine", print)}
        processes = Children(["mine"], handlers)
        try:
            assert Bench(processes).value("mine") == "mine"
        finally:
            processes.close()


def _gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """No process starts before it is set."""
    gate = threading.Event()
    popen = subprocess.Popen

    def wait(*arguments: Any, **options: Any) -> Any:
        assert gate.wait(PATIENCE)
        return popen(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", wait)
    return gate


def test_leases_are_told_apart_by_their_fence(bench: Bench) -> None:
    lease = bench.start("wait")
    bench.heard(lease)
    other = Lease(lease.job_id, lease.fence + 1)
    bench.processes.stop(other)
    assert not bench.processes.kill(other, Failed("TIMEOUT", "over"))
    assert bench.processes.take(other) == NOTHING
    bench.processes.stop(lease)
    assert bench.end().outcome == Failed("CANCELLED", "JobCancelled: job job-1 was cancelled")
