"""A server as a process: the file that says where it is."""

import errno
from pathlib import Path
from typing import Any

import pytest

from slotd_server import process
from slotd_server.settings import Settings, load


def settings(**chosen: Any) -> Settings:
    return load({"listen": "127.0.0.1:0", "store": "sqlite:///:memory:", "drain_timeout": 0.0, **chosen}, {})


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
