"""The service as a child process: started, waited for, and stopped in an orderly way."""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from importlib.util import find_spec
from pathlib import Path

from examples.payloads import ROOTS_VARIABLE

DEFAULT_LISTEN = "127.0.0.1:7433"
DEFAULT_HTTP = "127.0.0.1:7480"

_PAGE = "slotd dashboard on "
_START_SECONDS = 60
_LOOK_SECONDS = 0.1
_TAIL = 5


class ServiceFailed(Exception):
    """The service did not start, or ended by itself; the message holds the last lines of its log."""


class ServiceProcess:
    """`slotd serve` on a SQLite file in the folder `var`, with `slotd.log` beside it.

    `listen` and `http` are addresses as of `slotd serve`, the latter empty for no HTTP; handlers may use paths under
    `roots` alone.
    """

    def __init__(self, var: Path, handlers: Path, listen: str, roots: list[Path], http: str = "") -> None:
        self.store = var / "slotd.db"
        self.log = var / "slotd.log"
        self._ready = var / "slotd.ready"
        self._ready.unlink(missing_ok=True)
        arguments = ["--listen", listen, "--store", f"sqlite:///{self.store}", "--ready-file", str(self._ready)]
        if http:
            arguments += ["--http", http]
        with self.log.open("ab") as log:
            self._began = log.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "slotd", "serve", str(handlers), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, ROOTS_VARIABLE: os.pathsep.join(map(str, roots))},
                # Ctrl-C on a terminal goes to its whole process group, and to the service a second signal means "at
                # once": it hears from this process alone.
                start_new_session=True,
            )

    def address(self) -> str:
        """Waits until the service answers, and says where.

        Raises ServiceFailed.
        """
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            try:
                self._process.wait(0.05)
            except subprocess.TimeoutExpired:
                # Its last line is whole once it ends in a line's end.
                if self._ready.exists() and (text := self._ready.read_text(encoding="utf-8")).endswith("\n"):
                    return text.strip()
            else:
                raise ServiceFailed(self._last_words("it did not start"))
        raise ServiceFailed(self._last_words(f"it does not answer after {_START_SECONDS} s"))

    def page(self) -> str:
        """Where the dashboard is, of a service that answers; empty without HTTP."""
        with self.log.open(encoding="utf-8", errors="replace") as log:
            log.seek(self._began)
            return next((line.removeprefix(_PAGE).strip() for line in log if line.startswith(_PAGE)), "")

    def wait(self) -> None:
        """Waits for as long as the service runs, and raises ServiceFailed when it ends."""
        self._ended()
        raise ServiceFailed(self._last_words("it has ended"))

    def signal(self) -> None:
        """Asks it to let its jobs end and stop; a second time, to stop at once."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """Asks it to stop and waits for that; answers its exit status."""
        self.signal()
        return self._ended()

    def _ended(self) -> int:
        """Waits for its end; answers its exit status."""
        # In many short waits: a signal that comes just before one is noticed after it.
        while (status := self._process.poll()) is None:
            time.sleep(_LOOK_SECONDS)
        return status

    def _last_words(self, what: str) -> str:
        with self.log.open(encoding="utf-8", errors="replace") as log:
            tail = "".join(f"  {line}" for line in deque(log, _TAIL))
        return f"The service: {what}. The end of {self.log}:\n{tail}"


def free_address(wanted: str) -> tuple[str, str]:
    """The address, or one that lets the system pick a port where another program has that; and why."""
    host, _, port = wanted.rpartition(":")
    with socket.socket() as probe:
        # As a server does it: the closed connections of an earlier one are not in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return f"{host}:0", f"Port {port} is taken by another program: taking any that is free."
    return wanted, ""


def has_http() -> bool:
    """Whether what `slotd[web]` brings is installed."""
    return all(find_spec(name) is not None for name in ("connectrpc", "starlette", "uvicorn"))
