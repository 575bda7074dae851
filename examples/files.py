"""Handlers that read files: `checksum` and `word-count`."""

import hashlib
import os
import re
from collections import Counter
from io import TextIOWrapper
from pathlib import Path

from examples.disk import Meter, regular_files, size_of
from examples.payloads import Fields
from slotd import JobContext, job

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_LINE = 1 << 20
_TOP = 10


@job("checksum", timeout=6 * 3600)
def checksum(ctx: JobContext, payload: object) -> dict[str, object]:
    """SHA-256 of a file, or of all files of a folder: `{"path": "photos"}`.

    The output is what `sha256sum` prints, so that `slotd output ID | sha256sum --check`, run in the folder, verifies
    it; the result's `sha256` is the digest of these lines, one for the whole folder.
    """
    source = Fields(payload, "path").source()
    files = regular_files(source)
    meter = Meter(ctx, size_of(files))
    whole = hashlib.sha256()
    for file in files:
        name = _name(file, source)
        digest = hashlib.sha256()
        for piece in meter.pieces(file, name):
            digest.update(piece)
        line = _sum_line(digest.hexdigest(), name)
        whole.update(line)
        ctx.write(line)
    return {"files": len(files), "bytes": meter.done, "sha256": whole.hexdigest()}


@job("word-count", timeout=3600)
def word_count(ctx: JobContext, payload: object) -> dict[str, object]:
    """Lines, words and the commonest words of a text file, or of all text files of a folder: `{"path": "docs"}`.

    Files with a zero byte near their beginning are no text: the output says which were left out.
    """
    source = Fields(payload, "path").source()
    files = regular_files(source)
    meter = Meter(ctx, size_of(files))
    lines, words = 0, Counter[str]()
    counted = 0
    for file in files:
        name = _name(file, source)
        with file.open("rb") as opened:
            if b"\0" in opened.peek(8192)[:8192]:
                ctx.write(f"left out, no text: {name}\n")
                meter.add(file.stat().st_size, name)
                continue
            before = words.total()
            text = TextIOWrapper(opened, encoding="utf-8", errors="replace", newline="")
            # A line without an end must not fill the memory: a longer one is taken in parts.
            while line := text.readline(_LINE):
                meter.add(len(line.encode()), name)
                lines += line.endswith("\n")
                words.update(word.casefold() for word in _WORD.findall(line))
        counted += 1
        ctx.write(f"{words.total() - before:>9} {name}\n")
    # Equally common words in the order of the alphabet, so that the same text has the same result.
    top = sorted(words.items(), key=lambda item: (-item[1], item[0]))[:_TOP]
    return {"files": counted, "lines": lines, "words": words.total(), "distinct": len(words), "top": dict(top)}


def _name(file: Path, source: Path) -> str:
    return file.name if file == source else file.relative_to(source).as_posix()


def _sum_line(digest: str, name: str) -> bytes:
    """A line of sha256sum's, which marks names that hold a backslash or a line's end with a backslash in front."""
    raw = os.fsencode(name)
    safe = raw.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    mark = b"\\" if safe != raw else b""
    return mark + digest.encode() + b"  " + safe + b"\n"
