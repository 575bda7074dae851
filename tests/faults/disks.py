"""Disks of our own for stores: a small one that can be filled, and one whose power can be cut. Both take root, and do
not outlive this process."""

import fcntl
import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

# From linux/ext4.h; XFS answers to the same number. NOLOGFLUSH: what no sync has brought to the disk is gone.
_SHUTDOWN = 0x8004587D
_NO_LOG_FLUSH = 2

_IMAGE_BYTES = 96 << 20


@contextmanager
def mounted(folder: Path, *source: str) -> Iterator[Path]:
    """A file system at `folder`, which is made; `source` is what mount is told before it. Unmounted at the end,
    whatever still uses it."""
    folder.mkdir(exist_ok=True)
    _run("mount", *source, str(folder))
    guard = _guard(folder)
    try:
        yield folder
    finally:
        guard.communicate()


def memory(megabytes: int) -> tuple[str, ...]:
    """What `mounted` is to be told for a small disk in memory."""
    return ("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs")


class Ballast:
    """A file that takes all the room that is left on the disk of its folder."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ballast"

    def fill(self) -> None:
        """Leaves not one byte."""
        with self._file.open("ab", buffering=0) as file:
            for size in (1 << 16, 1 << 10, 1):
                try:
                    while file.write(b"x" * size) == size:
                        pass
                except OSError:
                    # No room for so many; for fewer, perhaps.
                    continue

    def free(self) -> None:
        """Gives it all back. Idempotent."""
        self._file.unlink(missing_ok=True)


class FragileDisk:
    """An ext4 file system in a file in `folder`, mounted at `path`, whose power can be cut. Close it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "disk"
        self._image = folder / "disk.img"
        self.path.mkdir()
        with self._image.open("wb") as image:
            image.truncate(_IMAGE_BYTES)
        _run("mkfs.ext4", "-q", str(self._image))
        self._mount()
        self._guard = _guard(self.path)

    def cut(self) -> None:
        """From now on it takes and gives nothing; what was not synced will never have been written.

        Whoever writes there must have been sent SIGKILL, as the power goes for all at once: to a sync that this
        interrupts ext4 may say that it succeeded, which in truth nobody lives to hear.
        """
        folder = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(folder)

    def restore(self) -> None:
        """The power is back: there is what had been synced. Whoever used it must be gone."""
        _run("umount", str(self.path))
        self._mount()

    def close(self) -> None:
        """Unmounts it and removes it."""
        self._guard.communicate()
        self._image.unlink()

    def _mount(self) -> None:
        # The loop device that this makes goes with the mount.
        _run("mount", "-o", "loop", str(self._image), str(self.path))


@lru_cache
def why_no_mounts() -> str:
    """Why nothing may be mounted here; empty where it may."""
    if os.geteuid() != 0:
        return "mounting takes root"
    with tempfile.TemporaryDirectory() as folder:
        try:
            with mounted(Path(folder) / "disk", *memory(1)):
                return ""
        except subprocess.CalledProcessError as error:
            return f"mounting fails: {error.stderr.strip()}"


@lru_cache
def why_no_power_cuts() -> str:
    """Why no disk's power can be cut here; empty where it can."""
    if missing := why_no_mounts():
        return missing
    if shutil.which("mkfs.ext4") is None:
        return "there is no mkfs.ext4"
    with tempfile.TemporaryDirectory() as folder:
        try:
            disk = FragileDisk(Path(folder))
        except subprocess.CalledProcessError as error:
            return f"no ext4 on a loop device: {error.stderr.strip()}"
        try:
            disk.cut()
        except OSError as error:
            return f"ext4 can't be shut down: {error}"
        finally:
            disk.close()
    return ""


def _guard(folder: Path) -> "subprocess.Popen[bytes]":
    """Unmounts `folder` once its stdin is closed: by `communicate`, or by this process's end, however that comes."""
    command = ["sh", "-c", 'cat >/dev/null; umount --lazy "$1"', "guard", str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
