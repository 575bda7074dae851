"""Jobs that run an executable."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from slotd.attempts import Failed, Succeeded
from slotd.isolation.base import CLOSED, ENDED, NOTHING, Lease
from slotd.isolation.commands import KIND, CommandError, Commands, parsed
from tests.isolation.running import OVER, PATIENCE, Bench, await_gone, is_there, memory_of

KILL_GRACE = 0.05
DONE = Succeeded(("application/json", b'{"exit_code":0}'))

DEAF = "trap '' TERM; echo $$; touch \"${DEAF:-/dev/null}\"; while true; do sleep 1; done"
"""A script that ignores SIGTERM, and then says so by its process's id and a file."""


def _await(path: Path) -> str:
    """A script that waits for a file."""
    return f"while ! [ -e {path} ]; do sleep 0.01; done"


MakeCommands = Callable[..., "CommandBench"]


class CommandBench(Bench):
    """Runs commands."""

    def command(self, *argv: str, **fields: Any) -> Lease:
        """Start one."""
        return self.start(KIND, {"argv": argv, **fields})

    def shell(self, script: str, **fields: Any) -> Lease:
        """Start a shell's script."""
        return self.command("sh", "-c", script, **fields)

    def output(self, *argv: str, **fields: Any) -> str:
        """What one writes that succeeds."""
        end = self.run(KIND, {"argv": argv, **fields})
        assert end.outcome == DONE
        return end.told.output.decode()


@pytest.fixture
def commands() -> Iterator[MakeCommands]:
    """Makes benches on which these executables are allowed."""
    with ExitStack() as stack:

        def make(*allowed: str, **options: Any) -> CommandBench:
            commands = Commands(allowed, **options)
            stack.callback(commands.close)
            return CommandBench(commands, kinds="")

        yield make


@pytest.fixture
def bench(commands: MakeCommands) -> CommandBench:
    return commands("sh", "cat", "pwd", "env", kill_grace=KILL_GRACE)


class TestRunning:
    def test_what_it_writes_is_the_output_in_order_and_its_exit_code_the_result(self, bench: CommandBench) -> None:
        assert bench.output("sh", "-c", "echo one; echo two >&2; echo three") == "one\ntwo\nthree\n"

    def test_arguments_are_no_shell_s(self, bench: CommandBench) -> None:
        assert bench.output("sh", "-c", 'echo "$0/$1"', "$HOME", "a; b `c`") == "$HOME/a; b `c`\n"

    def test_one_that_fails_says_how(self, bench: CommandBench) -> None:
        assert bench.failure(KIND, {"argv": ["sh", "-c", "exit 3"]}) == Failed("COMMAND_FAILED", "exit status 3")
        assert bench.failure(KIND, {"argv": ["sh", "-c", "kill -SEGV $$"]}) == Failed(
            "COMMAND_FAILED", "signal SIGSEGV"
        )

    def test_it_runs_where_it_is_to(self, bench: CommandBench, tmp_path: Path) -> None:
        assert bench.output("pwd", cwd=str(tmp_path)) == f"{tmp_path}\n"

    def test_a_folder_that_is_not_there_fails_it(self, bench: CommandBench, tmp_path: Path) -> None:
        failed = bench.failure(KIND, {"argv": ["pwd"], "cwd": str(tmp_path / "none")})
        assert failed.reason == "PROCESS_NOT_STARTED"
        assert "No such file or directory" in failed.message

    def test_it_sees_little_of_the_service_s_environment(
        self, bench: CommandBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SECRET", "token")
        monkeypatch.setenv("TZ", "Europe/Vienna")
        monkeypatch.setenv("PYTHONPATH", "/somewhere")
        lines = bench.output("env", env={"MINE": "1 2"}).splitlines()
        seen = dict(line.split("=", 1) for line in lines)
        # Shells and their like add some of their own.
        assert seen.keys() - {"PWD", "SHLVL", "_"} <= {"PATH", "HOME", "LANG", "TZ", "MINE", "LC_CTYPE"}
        assert (seen["TZ"], seen["MINE"]) == ("Europe/Vienna", "1 2")

    @pytest.mark.parametrize("text", ["", "ü\n", "x" * (1 << 20)], ids=len)
    def test_it_reads_what_it_is_given(self, bench: CommandBench, text: str) -> None:
        assert bench.output("cat", stdin=text) == text

    def test_without_that_there_is_nothing_to_read(self, bench: CommandBench) -> None:
        assert bench.output("cat") == ""

    def test_output_arrives_while_it_runs(self, bench: CommandBench) -> None:
        lease = bench.shell("echo here; sleep 1000")
        assert bench.heard(lease) == "here\n"
        bench.processes.stop(lease)
        assert bench.end().outcome == Failed("CANCELLED", "signal SIGTERM")

    def test_a_flood_is_cut_and_takes_no_memory(self, commands: MakeCommands) -> None:
        bench = commands("head", output_limit=3 << 20)
        before = memory_of()
        lease = bench.command("head", "-c", "1G", "/dev/zero")
        seen = 0
        while (end := bench.end_or_told(lease)) is None:
            piece = bench.processes.take(lease).output
            assert len(piece) < 2 << 20
            seen += len(piece)
        assert end.outcome == DONE
        assert seen + len(end.told.output) == (3 << 20) + 1
        assert memory_of() - before < 64 << 20

    def test_one_that_closes_its_output_is_waited_for(self, bench: CommandBench, tmp_path: Path) -> None:
        path = tmp_path / "late"
        lease = bench.shell(f"exec >&- 2>&-; {_await(path)}; exit 5")
        path.touch()
        assert bench.end()[:2] == (lease, Failed("COMMAND_FAILED", "exit status 5"))

    def test_many_run_at_once(self, bench: CommandBench, tmp_path: Path) -> None:
        script = f"touch {tmp_path}/$$; while [ $(ls {tmp_path} | wc -l) -lt 8 ]; do sleep 0.01; done"
        for _ in range(8):
            bench.shell(script)
        assert [bench.end().outcome for _ in range(8)] == [DONE] * 8


class TestAllowing:
    def test_one_that_is_not_allowed_never_runs(self, bench: CommandBench) -> None:
        failed = bench.failure(KIND, {"argv": ["touch", "x"]})
        assert failed == Failed("COMMAND_NOT_ALLOWED", "touch is not one of the commands allowed here", permanent=True)

    def test_nothing_is_allowed_where_nothing_is_named(self, commands: MakeCommands) -> None:
        assert commands().failure(KIND, {"argv": ["sh"]}).reason == "COMMAND_NOT_ALLOWED"

    @pytest.mark.parametrize("by_name", [False, True])
    def test_a_name_and_its_path_are_the_same(self, commands: MakeCommands, by_name: bool) -> None:
        path = shutil.which("cat")
        assert path is not None
        allowed, called = ("cat", path) if by_name else (path, "cat")
        assert commands(allowed).output(called, stdin="yes") == "yes"

    def test_a_link_to_an_allowed_one_is_not(self, commands: MakeCommands, tmp_path: Path) -> None:
        sh = shutil.which("sh")
        assert sh is not None
        link = tmp_path / "sh"
        link.symlink_to(sh)
        assert commands("sh").failure(KIND, {"argv": [str(link)]}).reason == "COMMAND_NOT_ALLOWED"
        # Nor is what an allowed link leads to: many executables are one, which does what it is called.
        assert commands(str(link)).failure(KIND, {"argv": ["sh"]}).reason == "COMMAND_NOT_ALLOWED"

    def test_a_path_from_where_it_runs_is_not(
        self, commands: MakeCommands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "tool").write_text("#!/bin/sh\n", encoding="utf-8")
        (tmp_path / "tool").chmod(0o755)
        monkeypatch.chdir(tmp_path)
        assert commands("./tool").failure(KIND, {"argv": ["tool"]}).reason == "COMMAND_NOT_ALLOWED"
        assert commands(str(tmp_path / "tool")).failure(KIND, {"argv": ["./tool"]}).reason == "COMMAND_NOT_ALLOWED"
        # Where it runs is up to the caller: what is there by this name could be anything.
        assert commands("./tool").failure(KIND, {"argv": ["./tool"]}).reason == "COMMAND_NOT_FOUND"
        assert commands(str(tmp_path / "tool")).output(str(tmp_path / "tool")) == ""

    def test_one_that_is_not_there_is_named(self, commands: MakeCommands) -> None:
        failed = commands("no-such-tool").failure(KIND, {"argv": ["no-such-tool"]})
        assert failed == Failed("COMMAND_NOT_FOUND", "there is no executable no-such-tool")

    def test_one_that_can_t_be_executed_ends_as_in_a_shell(self, commands: MakeCommands, tmp_path: Path) -> None:
        tool = tmp_path / "tool"
        tool.write_bytes(b"\x7fELF, but not really")
        tool.chmod(0o755)
        end = commands(str(tool)).run(KIND, {"argv": [str(tool)]})
        assert end.outcome == Failed("COMMAND_FAILED", "exit status 126")
        assert end.told.output.decode() == f"{tool}: Exec format error\n"

    @pytest.mark.parametrize(
        "payload",
        [
            None,
            [],
            {},
            {"argv": "cat"},
            {"argv": []},
            {"argv": ["cat", 1]},
            {"argv": ["cat"], "env": []},
            {"argv": ["cat"], "env": {"A": 1}},
            {"argv": ["cat"], "env": {"A=B": "1"}},
            {"argv": ["cat"], "cwd": 1},
            {"argv": ["cat"], "stdin": 1},
            {"argv": ["cat"], "shell": True},
            {"argv": ["cat", "a\0b"]},
            b"cat",
        ],
        ids=repr,
    )
    def test_what_is_no_command_never_will_be(self, bench: CommandBench, payload: object) -> None:
        failed = bench.failure(KIND, payload)
        assert (failed.reason, failed.permanent) == ("PAYLOAD_INVALID", True)

    @pytest.mark.parametrize(
        ("payload", "message"),
        [
            (rb'{"argv": ["\ud800"]}', "? is not one of the commands allowed here"),
            (rb'{"argv": ["cat"], "\ud800": 1}', "a command has no ?"),
        ],
    )
    def test_half_a_character_is_not_repeated(self, payload: bytes, message: str) -> None:
        """It could neither be stored nor sent."""
        with pytest.raises(CommandError) as refused:
            parsed(("application/json", payload), ["cat"])
        assert refused.value.failed.message == message

    def test_nor_is_a_name_without_end(self) -> None:
        with pytest.raises(CommandError) as refused:
            parsed(("application/json", b'{"argv": ["%s"]}' % (b"a" * 100_000)), ["cat"])
        assert len(refused.value.failed.message) == 4096


class TestEnding:
    def test_one_that_is_asked_to_stop_may_end_in_good_order(self, bench: CommandBench) -> None:
        lease = bench.shell("trap 'echo bye; exit 0' TERM; echo on; while true; do sleep 0.01; done")
        bench.heard(lease)
        bench.processes.stop(lease)
        end = bench.end()
        assert end.outcome == DONE
        assert end.told.output.endswith(b"bye\n")

    def test_one_that_is_deaf_is_killed_with_all_it_has_started(self, bench: CommandBench, tmp_path: Path) -> None:
        # The second is started when the first is deaf.
        lease = bench.shell(f"({DEAF}) & {_await(tmp_path / 'deaf')}; {DEAF}", env={"DEAF": str(tmp_path / "deaf")})
        heard = bench.heard(lease)
        while heard.count("\n") < 2:
            heard += bench.heard(lease)
        bench.processes.stop(lease)
        assert bench.processes.kill(lease, OVER)
        assert bench.end().outcome == OVER
        assert not any(is_there(int(pid)) for pid in heard.split())

    def test_what_it_leaves_behind_ends_with_it(self, bench: CommandBench, tmp_path: Path) -> None:
        path = tmp_path / "deaf"
        lease = bench.shell(f'sh -c "$SCRIPT" & {_await(path)}', env={"SCRIPT": DEAF, "DEAF": str(path)})
        end = bench.end()
        assert (end.lease, end.outcome) == (lease, DONE)
        assert not is_there(int(end.told.output))

    def test_one_that_escapes_with_its_output_open_is_not_waited_for(self, bench: CommandBench, tmp_path: Path) -> None:
        path = tmp_path / "deaf"
        lease = bench.shell(f'setsid sh -c "$SCRIPT" & {_await(path)}', env={"SCRIPT": DEAF, "DEAF": str(path)})
        end = bench.end()
        assert (end.lease, end.outcome) == (lease, DONE)
        pid = int(end.told.output)
        assert is_there(pid)
        os.killpg(pid, signal.SIGKILL)

    def test_what_nobody_takes_does_not_keep_it_from_ending(self, commands: MakeCommands) -> None:
        # It goes on writing during its grace.
        bench = commands("sh", kill_grace=0.3)
        lease = bench.shell("trap '' TERM; exec cat /dev/zero")
        bench.await_told(lease)
        assert bench.processes.kill(lease, OVER)
        assert bench.end().outcome == OVER

    def test_one_that_is_killed_before_it_is_there_never_runs(
        self, bench: CommandBench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        gate = threading.Event()
        popen = subprocess.Popen

        def wait(*arguments: Any, **options: Any) -> Any:
            assert gate.wait(PATIENCE)
            return popen(*arguments, **options)

        monkeypatch.setattr(subprocess, "Popen", wait)
        lease = bench.shell(DEAF)
        assert bench.processes.kill(lease, OVER)
        gate.set()
        assert bench.end()[:2] == (lease, OVER)

    def test_one_that_can_t_be_watched_is_ended(self, bench: CommandBench, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(pid: int) -> int:
            pids.append(pid)
            raise OSError(errno.EMFILE, "too many open files")

        pids: list[int] = []
        with monkeypatch.context() as patch:
            patch.setattr(os, "pidfd_open", refuse)
            failed = bench.failure(KIND, {"argv": ["sh", "-c", DEAF]})
        assert failed.reason == "PROCESS_NOT_STARTED"
        assert not is_there(pids[0])

    def test_closing_ends_all_and_starts_nothing(self, bench: CommandBench) -> None:
        lease = bench.shell(DEAF)
        pid = int(bench.heard(lease))
        bench.processes.close()
        assert bench.end()[:2] == (lease, ENDED)
        assert not is_there(pid)
        later = bench.shell("true")
        assert bench.end() == (later, CLOSED, NOTHING)

    def test_it_ends_with_the_service_that_is_killed(self) -> None:
        with subprocess.Popen([sys.executable, "-c", _SERVICE, DEAF], stdout=subprocess.PIPE, text=True) as service:
            assert service.stdout is not None
            pid = int(service.stdout.readline())
            assert is_there(pid)
            service.kill()
        await_gone(pid)


_SERVICE = """
import json, queue, sys
from slotd.isolation.base import Assigned, Lease
from slotd.isolation.commands import Commands

class Listener:
    def __init__(self):
        self.heard = queue.SimpleQueue()
    def told(self, lease):
        self.heard.put(commands.take(lease).output.decode())

commands, listener = Commands(["sh"]), Listener()
payload = ("application/json", json.dumps({"argv": ["sh", "-c", sys.argv[1]]}).encode())
commands.start(Assigned(Lease("job", 1), "command", "default", 1, {}, payload), listener)
print(listener.heard.get(), end="", flush=True)
listener.heard.get()
"""
