"""A server in a thread of this process, with an event loop of its own."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from slotd_server.app import Server

T = TypeVar("T")

_STOP_SECONDS = 20


class ServerThread:
    """Begins with `start`, and ends with `stop` or when the server's store breaks. `make` is called in the thread."""

    def __init__(self, make: Callable[[], Server]) -> None:
        self._make = make
        self._failure: BaseException | None = None
        self._server: Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="slotd-server", daemon=True)

    def start(self) -> Server:
        """Returns once the server answers. Raises StartError."""
        answers: Future[Server] = Future()
        self._answers = answers
        self._thread.start()
        return answers.result()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine returns that runs in the server's event loop."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def ask_to_stop(self) -> None:
        """As a signal would: it begins to drain."""
        assert self._loop is not None
        assert self._server is not None
        try:
            self._loop.call_soon_threadsafe(self._server.stop)
        except RuntimeError:
            # The loop has closed: it has stopped already.
            return

    def stop(self) -> None:
        """Drains and ends it."""
        self.ask_to_stop()
        self.wait_stopped()

    def wait_stopped(self) -> BaseException | None:
        """Waits until it has ended, also of its own accord. Returns what broke its store, if that is why."""
        self._thread.join(_STOP_SECONDS)
        assert not self._thread.is_alive(), "the service did not stop"
        if self._failure is not None:
            raise self._failure
        assert self._server is not None
        return self._server.failure

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - it is raised where the server was started, or is stopped
            if self._answers.done():
                self._failure = error
            else:
                self._answers.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with self._make() as self._server:
            self._answers.set_result(self._server)
            await self._server.asked_to_stop()
