"""A server as a process: the file that says where it is, and what a SIGHUP does."""

import asyncio
import errno
from pathlib import Path
from typing import Any

import pytest

from slotd_server import process
from slotd_server.domain.errors import StoreUnavailable
from slotd_server.settings import Settings, load

YET = "settings not reloaded yet: they wait for the store"


def settings(**chosen: Any) -> Settings:
    return load({"listen": "127.0.0.1:0", "store": "sqlite:///:memory:", "drain_timeout": 0.0, **chosen}, {})


class Signalled:
    """SIGHUP, and what it brings: `said` is what is logged, as (event, slots or error), `resized` what there is to be
    done for each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.resized: list[asyncio.Future[None]] = []
        self.slots = 0
        self._renew = process._Renewal(lambda: settings(slots=self.slots), self._resize)
        for level in ("info", "warning"):
            monkeypatch.setattr(process.log, level, self._say, raising=False)
        # Whatever does not hold at once takes too long.
        monkeypatch.setattr(process, "_APPLY_SECONDS", 0)

    def _say(self, event: str, **more: Any) -> None:
        (what,) = more.values()
        self.said.put_nowait((event, what))

    def _resize(self, slots: int) -> "asyncio.Future[None]":
        self.resized.append(asyncio.get_running_loop().create_future())
        return self.resized[-1]

    def hang_up(self, slots: int) -> None:
        """With so many slots in the settings."""
        self.slots = slots
        self._renew()


@pytest.fixture
def signalled(monkeypatch: pytest.MonkeyPatch) -> Signalled:
    return Signalled(monkeypatch)


async def test_settings_are_called_reloaded_once_they_hold(signalled: Signalled) -> None:
    signalled.hang_up(7)
    assert await signalled.said.get() == (YET, 7)
    signalled.resized[0].set_result(None)
    assert await signalled.said.get() == ("settings reloaded", 7)


async def test_of_settings_that_wait_only_the_newest_are_called_reloaded(signalled: Signalled) -> None:
    signalled.hang_up(7)
    assert await signalled.said.get() == (YET, 7)
    signalled.hang_up(9)
    assert await signalled.said.get() == (YET, 9)
    for resized in signalled.resized:
        if not resized.done():
            resized.set_result(None)
    assert await signalled.said.get() == ("settings reloaded", 9)
    assert signalled.said.empty()


async def test_settings_that_come_to_nothing_since_the_service_ends_are_not_called_reloaded(
    signalled: Signalled,
) -> None:
    signalled.hang_up(7)
    assert await signalled.said.get() == (YET, 7)
    signalled.resized[0].set_exception(StoreUnavailable("the service is stopping"))
    assert (await signalled.said.get())[0] == "settings not reloaded"


async def test_a_ready_file_for_which_there_is_no_room_is_not_left_behind_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who goes by that it is there would take the service to be ready."""
    ready = tmp_path / "ready"

    def full(path: Path, *_: object, **__: object) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    chosen = settings(ready_file=str(ready))
    assert await process.run(chosen, (), lambda: chosen) == 1
    assert not ready.exists()
