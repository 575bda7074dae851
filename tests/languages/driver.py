"""A conformance driver: a program in some language that does what it is told, one JSON object a line, by its client."""

import itertools
import json
import subprocess
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

PATIENCE = 60.0
"""Seconds within which a driver has answered, beyond the time that it was given; on the slowest of machines."""


class DriverFailed(Exception):
    """A driver that ended, went silent, or does not speak the protocol. The message has the end of what it logged."""


class Speaker(Protocol):
    """What a section is played on: a driver, or one that is made to lie."""

    def send(self, op: str, arguments: Mapping[str, Any]) -> "Future[dict[str, Any]]":
        """Asks for an operation; the future has the answer, with `ok` or `error`. Raises DriverFailed, as it may."""
        ...


class Driver:
    """A driver's process. Close it, or end it; what it writes to stderr is put at the end of the file `log`."""

    def __init__(self, command: list[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment
            )
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._over: str | None = None
        self._reader = threading.Thread(target=self._read, name="driver", daemon=True)
        self._reader.start()

    def send(self, op: str, arguments: Mapping[str, Any]) -> "Future[dict[str, Any]]":
        answer: Future[dict[str, Any]] = Future()
        assert self._process.stdin is not None
        with self._lock:
            if self._over is not None:
                raise DriverFailed(self._over)
            number = next(self._ids)
            self._waiting[number] = answer
            line = json.dumps({"id": number, "op": op, **arguments}, ensure_ascii=False)
            # Of one that has gone the reader tells, with what it logged.
            with suppress(BrokenPipeError):
                self._process.stdin.write(line.encode() + b"\n")
                self._process.stdin.flush()
        return answer

    def close(self) -> None:
        """Ends its input, upon which it ends with status 0. Raises DriverFailed where it does not."""
        assert self._process.stdin is not None
        # One that has gone already tells by its status.
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            status = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise DriverFailed(f"the driver did not end at the end of its input{self._logged()}") from None
        finally:
            self._reader.join()
        if status != 0:
            raise DriverFailed(f"the driver ended with status {status}{self._logged()}")

    def end(self) -> None:
        """Ends it, if it has not ended, without asking. Idempotent."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        over = "the driver closed its output"
        for line in self._process.stdout:
            try:
                answer = json.loads(line)
                with self._lock:
                    waiting = self._waiting.pop(answer["id"])
            except (ValueError, KeyError, TypeError):
                over = f"the driver wrote what is no answer: {line[:500]!r}"
                break
            waiting.set_result(answer)
        with self._lock:
            self._over = over + self._logged()
            lost = list(self._waiting.values())
            self._waiting.clear()
        for waiting in lost:
            waiting.set_exception(DriverFailed(self._over))
        # So that it never blocks on a pipe that nobody reads.
        for _ in self._process.stdout:
            pass
        self._process.stdout.close()

    def _logged(self) -> str:
        text = self._log.read_text(encoding="utf-8", errors="replace").strip()
        return f"; it logged:\n{text[-3_000:]}" if text else ""
