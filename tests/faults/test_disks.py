"""The disks of the fault tests do what they say: without that, what survives on them would prove nothing."""

import os
from pathlib import Path

import pytest

from tests.faults.disks import Ballast, FragileDisk, memory, mounted, why_no_mounts, why_no_power_cuts


def _write(path: Path, *, synced: bool) -> None:
    with path.open("wb") as file:
        file.write(b"x" * 10_000)
        file.flush()
        if synced:
            os.fsync(file.fileno())


def test_a_power_cut_takes_what_was_not_synced_and_nothing_else(tmp_path: Path) -> None:
    if reason := why_no_power_cuts():
        pytest.skip(reason)
    disk = FragileDisk(tmp_path)
    try:
        # A new name is durable with the first sync of its file on ext4.
        for name, synced in (("first", True), ("second", False)):
            _write(disk.path / name, synced=synced)
        disk.cut()
        with pytest.raises(OSError, match="Input/output error"):
            _write(disk.path / "third", synced=False)
        disk.restore()
        assert {path.name for path in disk.path.iterdir()} == {"first", "lost+found"}
        assert (disk.path / "first").stat().st_size == 10_000
    finally:
        disk.close()
    assert not os.path.ismount(disk.path)


def test_ballast_leaves_no_room_and_gives_it_back(tmp_path: Path) -> None:
    if reason := why_no_mounts():
        pytest.skip(reason)
    with mounted(tmp_path / "disk", *memory(1)) as folder:
        ballast = Ballast(folder)
        ballast.fill()
        with pytest.raises(OSError, match="No space left"):
            _write(folder / "file", synced=False)
        ballast.free()
        _write(folder / "file", synced=False)
    assert not os.path.ismount(tmp_path / "disk")
