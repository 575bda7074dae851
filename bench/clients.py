"""The clients under measurement, one in each language: their conformance drivers, which make the calls themselves and
tell how long that took, so that no other process's work is part of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bench.servers import Server, plain_environment
from tests.languages.driver import Driver
from tests.languages.languages import Language, ToolchainAbsent

_BUILD_SECONDS = 1_800


class ClientFailed(Exception):
    """A client's driver refused what it was told; the message has its error."""


class Client:
    """A client of one language, of the server that it was connected to last."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    async def connect(self, server: Server) -> None:
        """Raises ClientFailed, as all methods do, and DriverFailed."""
        await self._told("connect", address=server.address)

    async def submit(self, calls: int, callers: int) -> float:
        """Calls of Submit a second, `calls` in all, by so many callers at once."""
        seconds: float = (await self._told("measure", what="submit", calls=calls, callers=callers))["seconds"]
        return calls / seconds

    async def stream(self, events: int, cursor: str) -> float:
        """Events a second of one stream, from its start at `cursor` until so many were handed out."""
        found = await self._told("measure", what="stream", events=events, cursor=cursor)
        if found["events"] != events:
            raise ClientFailed(f"the stream ended after {found['events']} of {events} events")
        seconds: float = found["seconds"]
        return events / seconds

    async def work(self, slots: int) -> None:
        """Have it run jobs, as a worker with the handlers of the benchmark, from now on until it ends."""
        await self._told("measure", what="work", slots=slots)

    async def _told(self, op: str, **arguments: Any) -> Any:
        answer = await asyncio.wrap_future(self._driver.send(op, arguments))
        if "ok" not in answer:
            raise ClientFailed(f"{op}: {answer['error']}")
        return answer["ok"]


async def build(language: Language) -> str | None:
    """Build its driver, unless that is done; returns what this machine lacks for it. Raises ScriptFailed."""
    try:
        await asyncio.to_thread(language.build, _BUILD_SECONDS)
    except ToolchainAbsent as reason:
        return str(reason)
    return None


@asynccontextmanager
async def client(language: Language, server: Server, folder: Path) -> AsyncIterator[Client]:
    """A client that is connected to `server`. What its driver logs goes to `folder`. Raises DriverFailed."""
    driver = Driver([str(language.driver)], folder / f"{language.name}.log", plain_environment())
    try:
        connected = Client(driver)
        await connected.connect(server)
        yield connected
        driver.close()
    finally:
        driver.end()
