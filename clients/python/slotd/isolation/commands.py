"""Jobs that run an executable, without a shell. Only those that are allowed by name or path run at all: but what an
allowed one can do, every caller can have it do.

The payload is JSON: `{"argv": ["git", "fetch"], "cwd": "/srv/repository", "env": {"GIT_DIR": "…"}, "stdin": "…"}`, of
which only `argv` is required. What it writes is the job's output, and `{"exit_code": 0}` the job's result.
"""

import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, Final, NamedTuple

from slotd.attempts import Failed, Outcome, Succeeded
from slotd.codec import DecodeError, decode_value, encode_value
from slotd.context import JobContext, Told
from slotd.isolation import orphans
from slotd.isolation.base import CLOSE_SECONDS, CLOSED, ENDED, NOTHING, Assigned, Lease, Listener
from slotd.isolation.groups import Group, described
from slotd.results import Encoded

KIND: Final = "command"
"""The kind of these jobs."""

_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "TZ")

_READ_BYTES = 1 << 16

_LAST_BYTES = 1 << 20
"""As much as a pipe holds at most. What comes after the end in more than that is from somebody else who has it open."""


class CommandError(Exception):
    """A command that can't be run; `failed` says why."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.message)
        self.failed = failed


class Command(NamedTuple):
    """What is to be run: `path`, under the name and with the arguments that `argv` has."""

    path: str
    argv: Sequence[str]
    cwd: str | None
    env: Mapping[str, str]
    stdin: str | None


@dataclass(eq=False)
class _Run:
    """A command that runs. `killed` is what it ends with, once it is to be ended by force."""

    context: JobContext
    listener: Listener
    group: Group | None = None
    killed: Failed | None = None


class Commands:
    """Runs commands, each in a session and a process group of its own. `allowed` are absolute paths, or names that are
    looked for in PATH. The limit is bytes, for attempts that come without limits of their own. With `kill_grace`, in
    seconds, a process that is ended by force may end in good order; one that is asked to stop gets its SIGTERM alone.
    """

    def __init__(self, allowed: Sequence[str], *, output_limit: int = 16 << 20, kill_grace: float = 1) -> None:
        self._allowed = allowed
        self._output_limit = output_limit
        self._kill_grace = kill_grace
        self._lock = threading.Lock()
        self._empty = threading.Condition(self._lock)
        self._running: dict[Lease, _Run] = {}
        self._closed = False

    def start(self, assigned: Assigned, listener: Listener) -> None:
        """As of Processes."""
        run = _Run(self._context(assigned, listener), listener)
        with self._lock:
            closed = self._closed
            if not closed:
                self._running[assigned.lease] = run
        if closed:
            listener.finished(assigned.lease, CLOSED, NOTHING)
            return
        # A thread of its own: it lives as long as the process, whose parent it is.
        thread = threading.Thread(target=self._keep, args=(assigned, run), name="slotd-command", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            self._finish(assigned.lease, run, Failed("PROCESS_NOT_STARTED", str(error)))

    def stop(self, lease: Lease) -> None:
        """As of Processes: SIGTERM to the process group."""
        with self._lock:
            run = self._running.get(lease)
            if run is not None:
                run.context.cancel()
                if run.group is not None:
                    run.group.ask()

    def kill(self, lease: Lease, outcome: Failed) -> bool:
        """As of Processes."""
        with self._lock:
            run = self._running.get(lease)
            if run is None:
                return False
            self._doom(run, outcome)
        return True

    def take(self, lease: Lease) -> Told:
        """As of Processes."""
        with self._lock:
            run = self._running.get(lease)
        return NOTHING if run is None else run.context.take()

    def close(self) -> None:
        """As of Processes."""
        with self._lock:
            self._closed = True
            for run in self._running.values():
                self._doom(run, ENDED)
            self._empty.wait_for(lambda: not self._running, self._kill_grace + CLOSE_SECONDS)

    def _context(self, assigned: Assigned, listener: Listener) -> JobContext:
        return JobContext(
            job_id=assigned.lease.job_id,
            attempt=assigned.attempt,
            kind=assigned.kind,
            queue=assigned.queue,
            labels=assigned.labels,
            deadline=None,
            announce=partial(listener.told, assigned.lease),
            output_limit=self._output_limit if assigned.limits is None else assigned.limits.output,
        )

    def _doom(self, run: _Run, outcome: Failed) -> None:
        run.context.cancel()
        if run.killed is None:
            run.killed = outcome
            if run.group is not None:
                run.group.terminate(self._kill_grace)

    def _keep(self, assigned: Assigned, run: _Run) -> None:
        """Start a command, and wait until it is gone."""
        try:
            command = parsed(assigned.payload, self._allowed, assigned.traceparent)
            outcome = self._carry_out(command, run)
        except CommandError as error:
            outcome = error.failed
        except ValueError as error:
            # What no program can be given: a zero byte, or half a character.
            outcome = Failed("PAYLOAD_INVALID", str(error), permanent=True)
        except (OSError, subprocess.SubprocessError) as error:
            outcome = Failed("PROCESS_NOT_STARTED", f"the process could not be started: {error}")
        self._finish(assigned.lease, run, outcome)

    def _carry_out(self, command: Command, run: _Run) -> Outcome:
        with _file_with(command.stdin) as stdin:
            group = _started(command, stdin)
        output = group.process.stdout
        assert output is not None
        with output:
            with self._lock:
                run.group = group
                if run.killed is not None:
                    group.terminate(self._kill_grace)
                elif run.context.cancelled:
                    group.ask()
            try:
                _copy(output.fileno(), group, run.context)
            except OSError:
                # Without its output it is of no use, and it must not run on unseen.
                group.terminate(self._kill_grace)
                group.wait()
                raise
            status = group.wait()
            _copy_rest(output.fileno(), run.context)
        return _outcome(status, cancelled=run.context.cancelled)

    def _finish(self, lease: Lease, run: _Run, outcome: Outcome) -> None:
        with self._lock:
            del self._running[lease]
            self._empty.notify_all()
        run.listener.finished(lease, run.killed or outcome, run.context.take())


def parsed(payload: Encoded | None, allowed: Sequence[str], traceparent: str = "") -> Command:
    """The command that a payload asks for. Raises CommandError for one that is none, or not allowed.

    It finds `traceparent` in its environment, as TRACEPARENT, which is where OpenTelemetry puts it.
    """
    try:
        fields = None if payload is None else decode_value(*payload)
    except DecodeError as error:
        raise _invalid(str(error)) from error
    if not isinstance(fields, dict):
        raise _invalid("the payload of a command is a JSON object")
    if unknown := sorted(fields.keys() - {"argv", "cwd", "env", "stdin"}):
        raise _invalid(f"a command has no {', '.join(unknown)}")
    argv, env = fields.get("argv"), fields.get("env", {})
    if not (_are_texts(argv) and argv):
        raise _invalid("argv is a list of texts, the executable first")
    if not (isinstance(env, dict) and _are_texts(list(env.values())) and not any("=" in name for name in env)):
        raise _invalid("env is an object of texts")
    cwd, stdin = fields.get("cwd"), fields.get("stdin")
    if not _are_texts([text for text in (cwd, stdin) if text is not None]):
        raise _invalid("cwd and stdin are texts")
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    traced = {"TRACEPARENT": traceparent} if traceparent else {}
    return Command(_path_of(argv[0], allowed), argv, cwd, kept | traced | env, stdin)


def _invalid(message: str) -> CommandError:
    return CommandError(Failed("PAYLOAD_INVALID", message, permanent=True))


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _path_of(name: str, allowed: Sequence[str]) -> str:
    """Where an allowed executable is. Symbolic links stay: many an executable goes by the name it is called."""
    is_plain = os.sep not in name or os.path.isabs(name)
    path = shutil.which(name) if is_plain else None
    if path is not None and path in {shutil.which(one) for one in allowed}:
        return path
    if name in allowed:
        raise CommandError(Failed("COMMAND_NOT_FOUND", f"there is no executable {name}"))
    raise CommandError(Failed("COMMAND_NOT_ALLOWED", f"{name} is not one of the commands allowed here", permanent=True))


@contextmanager
def _file_with(text: str | None) -> Iterator[IO[bytes]]:
    """A file to be read: a pipe would have to be filled while the command's output is read."""
    with tempfile.TemporaryFile() as file:
        file.write((text or "").encode())
        file.seek(0)
        yield file


def _started(command: Command, stdin: IO[bytes]) -> Group:
    # By way of a process that sees to it that the command does not outlive this one.
    way = [sys.executable, "-I", "-S", orphans.__file__, str(os.getpid()), command.path]
    return Group(
        [*way, *command.argv],
        cwd=command.cwd,
        env=command.env,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def _copy(output: int, group: Group, context: JobContext) -> None:
    """What the process writes, until it has ended or closes its output. Who else may have it open is not waited for."""
    ended = os.pidfd_open(group.process.pid)
    try:
        poll = select.poll()
        poll.register(output, select.POLLIN)
        poll.register(ended, select.POLLIN)
        while ended not in (ready := dict(poll.poll())):
            data = os.read(output, _READ_BYTES) if output in ready else b""
            if not data:
                return
            context.write(data)
    finally:
        os.close(ended)


def _copy_rest(output: int, context: JobContext) -> None:
    os.set_blocking(output, False)
    left = _LAST_BYTES
    while left > 0:
        try:
            data = os.read(output, _READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            return
        context.write(data)
        left -= len(data)


def _outcome(status: int, *, cancelled: bool) -> Outcome:
    if status == 0:
        return Succeeded(encode_value({"exit_code": 0}))
    return Failed("CANCELLED" if cancelled else "COMMAND_FAILED", described(status))
