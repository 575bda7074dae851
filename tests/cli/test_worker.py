"""`slotd worker` as a process, against a service that does what the test says."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import grpc
import pytest

from tests.cli.conftest import ROOT, Slotd, command, environment
from tests.worker.fake import PATIENCE, FakeService, value

HANDLERS = "tests.fundamentals.handlers"

Spawn = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def fake() -> Iterator[FakeService]:
    service = FakeService()
    yield service
    service.stop()


@pytest.fixture
def spawn(fake: FakeService) -> Iterator[Spawn]:
    """Starts `slotd worker` with these words behind it."""
    started: list[subprocess.Popen[str]] = []

    def run(*args: str, **more: str) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                command("worker", *args),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env=environment(**{"SLOTD_ADDRESS": fake.address, **more}),
            )
        )
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate(timeout=PATIENCE)


def line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().strip()


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit status and the rest that it wrote to stderr."""
    _, err = process.communicate(timeout=20)
    return process.returncode, err


def test_it_runs_the_handlers_of_a_module_until_it_is_told_to_stop(fake: FakeService, spawn: Spawn) -> None:
    process = spawn(HANDLERS, "--slots", "3", "--name", "blue")
    call = fake.call()
    assert (call.hello.hello.name, call.hello.slots) == ("blue", 3)
    assert "add" in [kind.kind for kind in call.hello.hello.kinds]
    call.welcome()
    assert line(process.stdout) == f"slotd worker {call.hello.hello.worker_id} connected"
    call.assign("one", "add", [1, 2])
    assert value(call.finish()) == 3
    process.send_signal(signal.SIGTERM)
    call.wait_left()
    status, err = end(process)
    assert status == 0
    assert "connected to" in err
    assert "left" in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_what_runs_end_and_a_second_gives_it_back(
    fake: FakeService, spawn: Spawn, number: signal.Signals
) -> None:
    process = spawn(HANDLERS, "--drain-timeout", "1h")
    call = fake.call()
    call.welcome()
    call.assign("one", "print-then-wait", "never")
    assert call.report().output == b"before\n"
    process.send_signal(number)
    assert call.next(lambda request: request.HasField("slots")).slots == 0
    process.send_signal(number)
    assert call.finish().WhichOneof("outcome") == "released"
    status, _ = end(process)
    assert status == 0


def test_a_signal_counts_also_where_it_does_not_wake_the_main_thread(fake: FakeService, spawn: Spawn) -> None:
    process = spawn(HANDLERS, "--slots", "2", "--drain-timeout", "1h")
    call = fake.call()
    call.welcome()
    # With this one the main thread waits for what comes next.
    assert line(process.stdout).endswith("connected")
    call.assign("one", "raise-signal", signal.SIGTERM)
    assert call.next(lambda request: request.HasField("slots")).slots == 0
    process.send_signal(signal.SIGTERM)
    assert call.finish().WhichOneof("outcome") == "released"
    status, _ = end(process)
    assert status == 0


def test_so_it_does_in_a_program_of_ones_own(fake: FakeService) -> None:
    program = f"""
import signal, slotd, {HANDLERS}
worker = slotd.Worker("{fake.address}", slots=1)
signal.signal(signal.SIGTERM, lambda *_: worker.stop(0))
worker.run()
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=environment()) as process:
        try:
            call = fake.call()
            call.welcome()
            call.assign("one", "raise-signal", signal.SIGTERM)
            assert call.finish().WhichOneof("outcome") == "released"
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


@pytest.mark.parametrize("signals", [2, 3])
def test_a_second_signal_ends_it_also_where_nobody_answers_and_a_third_at_once(
    fake: FakeService, spawn: Spawn, signals: int
) -> None:
    process = spawn(HANDLERS, "--drain-timeout", "1h")
    call = fake.call()
    call.welcome()
    call.assign("one", "print-then-wait", "never")
    assert call.report().output == b"before\n"
    process.send_signal(signal.SIGTERM)
    call.next(lambda request: request.HasField("slots"))
    process.send_signal(signal.SIGTERM)
    call.next(lambda request: request.finishes)
    # Its last words are not settled.
    if signals == 3:
        process.send_signal(signal.SIGTERM)
    status, _ = end(process)
    assert status == 130


def test_one_that_is_refused_says_why(fake: FakeService, spawn: Spawn) -> None:
    process = spawn(HANDLERS)
    fake.call().end(grpc.StatusCode.ABORTED, "WORKER_REPLACED")
    status, err = end(process)
    assert status == 3
    assert "WORKER_REPLACED" in err


def test_several_addresses_are_tried_in_turn(fake: FakeService, spawn: Spawn) -> None:
    spawn(HANDLERS, "--address", f"127.0.0.1:1,{fake.address}", SLOTD_ADDRESS="127.0.0.1:1")
    fake.call().welcome()


def test_commands_are_a_kind_only_where_some_are_allowed(fake: FakeService, spawn: Spawn) -> None:
    spawn(HANDLERS)
    assert "command" not in [kind.kind for kind in fake.call().hello.hello.kinds]
    spawn(HANDLERS, "--allow-command", "echo")
    call = fake.call()
    assert "command" in [kind.kind for kind in call.hello.hello.kinds]
    call.welcome()
    call.assign("one", "command", {"argv": ["echo", "hello"]})
    output, finish = call.all_of_it()
    assert (output, value(finish)) == (b"hello\n", {"exit_code": 0})


def test_handlers_run_in_processes_where_that_is_wanted(fake: FakeService, spawn: Spawn) -> None:
    process = spawn(HANDLERS, "--isolation", "process")
    call = fake.call()
    call.welcome()
    call.assign("one", "add", [1, 2])
    assert value(call.finish()) == 3
    process.send_signal(signal.SIGTERM)
    assert end(process)[0] == 0


def test_a_module_that_can_not_be_loaded(slotd: Slotd) -> None:
    result = slotd("worker", "no.such.module")
    assert result.exit_code == 2
    assert "no.such.module" in result.stderr


def test_nothing_to_run(spawn: Spawn, tmp_path: Path) -> None:
    empty = tmp_path / "empty.py"
    empty.write_text("")
    status, err = end(spawn(str(empty)))
    assert status == 2
    assert "no handlers" in err
