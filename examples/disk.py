"""Files on disk: what is in a folder, reading with progress and an ear for cancellation, writing all or nothing."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from slotd import JobContext

_PIECE = 1 << 20


def tree(path: Path) -> list[Path]:
    """All that is below a folder, folders before what they hold, in an order that does not change; of a file itself.

    Links are listed, not followed. Raises OSError for a folder that can't be read.
    """
    if not path.is_dir():
        return [path]
    found: list[Path] = []
    for folder, folders, files in os.walk(path, onerror=_fail):
        folders.sort()
        found += [Path(folder, name) for name in (*folders, *files)]
    return sorted(found)


def regular_files(path: Path) -> list[Path]:
    """The regular files of `tree`."""
    return [file for file in tree(path) if file.is_file() and (file == path or not file.is_symlink())]


def size_of(files: list[Path]) -> int:
    """Bytes in all these files together, links not followed."""
    return sum(file.lstat().st_size for file in files)


class Meter:
    """Counts bytes, says how far the job has come, and raises JobCancelled where it should stop."""

    def __init__(self, ctx: JobContext, total: int) -> None:
        self._ctx = ctx
        self._total = total
        self.done = 0

    def add(self, count: int, message: str) -> None:
        """`count` bytes more, of what `message` names."""
        self._ctx.raise_if_cancelled()
        self.done += count
        # A file may have grown since it was measured.
        self._ctx.progress(self.done, max(self.done, self._total), message)

    def pieces(self, file: Path, message: str) -> Iterator[bytes]:
        """A file's content, a mebibyte at a time."""
        with file.open("rb") as opened:
            while piece := opened.read(_PIECE):
                self.add(len(piece), message)
                yield piece


@contextmanager
def written_whole(target: Path, job_id: str) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `target` at once when all went well; else `target` stays as it was.

    Whoever reads `target` sees the old content or the new, never a half. What is written lies beside it under a name
    that holds the job's id, so that an attempt that was killed leaves at most one file behind, and the next reuses it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_name(target, job_id)
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            # Else a power cut soon after could leave an empty file under the new name.
            os.fsync(file.fileno())
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def partial_name(target: Path, job_id: str) -> Path:
    """Where `written_whole` writes until all is there."""
    return target.with_name(f".{target.name[:150]}.{job_id}.partial")


def _fail(error: OSError) -> None:
    raise error
