"""A handler that makes archives: `compress`."""

import gzip
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from examples.disk import Meter, partial_name, regular_files, size_of, tree, written_whole
from examples.payloads import Fields
from slotd import JobContext, PermanentError, job


def _gzip(file: BinaryIO) -> BinaryIO:
    # No time and no name in the header: the same content gives the same bytes, whenever the job runs.
    return cast(BinaryIO, gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0))


def _xz(file: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, lzma.LZMAFile(file, "wb"))


_TARS: dict[str, Callable[[BinaryIO], BinaryIO]] = {".tar.gz": _gzip, ".tgz": _gzip, ".tar.xz": _xz, ".txz": _xz}
_SINGLE: dict[str, Callable[[BinaryIO], BinaryIO]] = {".gz": _gzip, ".xz": _xz}


@job("compress", timeout=6 * 3600)
def compress(ctx: JobContext, payload: object) -> dict[str, object]:
    """A file or folder as an archive: `{"path": "photos", "output": "photos.tar.gz"}`.

    The output's name says how: `.tar.gz`, `.tgz`, `.tar.xz` or `.txz` for both, `.gz` or `.xz` for a single file. The
    source stays as it is. An archive that lies within the folder is left out of itself.
    """
    fields = Fields(payload, "path", "output")
    source, target = fields.source(), fields.target()
    tar = _form(_TARS, target)
    packing = tar or _form(_SINGLE, target)
    if packing is None:
        raise PermanentError(f"output: {target.name} ends in none of {', '.join((*_TARS, *_SINGLE))}")
    if tar is None and source.is_dir():
        raise PermanentError(f"output: a folder needs one of {', '.join(_TARS)}")
    if target == source:
        raise PermanentError("output: it is the source itself")
    if target.is_dir():
        raise PermanentError(f"output: {target} is a folder")
    own = {target, partial_name(target, ctx.job_id)}
    files = [file for file in regular_files(source) if file not in own]
    meter = Meter(ctx, size_of(files))
    with written_whole(target, ctx.job_id) as file, packing(file) as packed:
        if tar is None:
            for piece in meter.pieces(source, source.name):
                packed.write(piece)
        else:
            _fill(ctx, packed, source, own, meter)
    size = target.stat().st_size
    ctx.write(f"{target}: {meter.done} bytes became {size}\n")
    return {"path": str(target), "files": len(files), "bytes": meter.done, "compressed_bytes": size}


def _form(forms: dict[str, Callable[[BinaryIO], BinaryIO]], target: Path) -> Callable[[BinaryIO], BinaryIO] | None:
    return next((form for suffix, form in forms.items() if target.name.lower().endswith(suffix)), None)


class _Metered:
    """A file for tarfile to read from, whose bytes are counted."""

    def __init__(self, file: BinaryIO, meter: Meter, name: str) -> None:
        self._file = file
        self._meter = meter
        self._name = name

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._meter.add(len(data), self._name)
        return data


def _fill(ctx: JobContext, packed: BinaryIO, source: Path, own: set[Path], meter: Meter) -> None:
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for entry in tree(source):
            if entry in own:
                continue
            name = entry.relative_to(source.parent).as_posix()
            info = archive.gettarinfo(entry, name)
            # A socket: gettarinfo's type does not say that there may be none.
            if cast(object, info) is None:
                ctx.write(f"left out, a socket: {name}\n")
                continue
            # Who owns it here means nothing elsewhere.
            info.uid = info.gid = 0
            info.uname = info.gname = ""
            if not info.isreg():
                archive.addfile(info)
                continue
            with entry.open("rb") as opened:
                archive.addfile(info, cast(BinaryIO, _Metered(opened, meter, name)))
            ctx.write(f"{name}\n")
