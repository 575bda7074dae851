"""Sample files for the tour: texts, random bytes and, with Pillow, pictures; and a local web server that has them."""

import functools
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

_WORDS = (
    *("anchor", "basin", "candle", "delta", "ember", "fathom", "garden", "harbour", "island", "juniper", "kettle"),
    *("lantern", "meadow", "north", "orchard", "pebble", "quarry", "river", "saddle", "timber", "umber", "valley"),
    *("willow", "yarrow", "zephyr", "and", "as", "at", "by", "for", "in", "near", "of", "on", "over", "the", "under"),
)
_TEXTS, _TEXT_LINES = 20, 1_500
_BLOBS, _BLOB_BYTES = 12, 1 << 20
_PICTURES = 16


class Samples(NamedTuple):
    """Folders. `pictures` is None where Pillow is not installed."""

    folder: Path
    texts: Path
    blobs: Path
    pictures: Path | None


def make_samples(folder: Path) -> Samples:
    """Writes the sample files that are not there yet; the same ones each time."""
    texts, blobs, pictures = folder / "texts", folder / "blobs", folder / "pictures"
    chance = random.Random(7433)
    for number in range(_TEXTS):
        lines = (" ".join(chance.choices(_WORDS, k=12)) for _ in range(_TEXT_LINES))
        _write(texts / f"text-{number:02}.txt", "".join(f"{line}\n" for line in lines).encode())
    for number in range(_BLOBS):
        _write(blobs / f"blob-{number:02}.bin", chance.randbytes(_BLOB_BYTES))
    return Samples(folder, texts, blobs, pictures if _draw(pictures) else None)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serves a folder's files over HTTP on this machine alone; yields the URL, which ends in a slash."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, name="samples", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: the terminal belongs to the jobs."""


def _draw(folder: Path) -> bool:
    try:
        from PIL import Image, ImageOps
    except ImportError:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(_PICTURES):
        file = folder / f"fractal-{number:02}.png"
        if not file.exists():
            zoom = 1 / (1 + number / 3)
            extent = (-0.75 - 1.5 * zoom, -zoom, -0.75 + 1.5 * zoom, zoom)
            picture = Image.effect_mandelbrot((1200, 800), extent, 60)
            colour = f"hsl({number * 360 // _PICTURES}, 80%, 60%)"
            # Saved under another name first: a run that was cut off leaves no half picture behind.
            ImageOps.colorize(picture, "black", "white", mid=colour).save(file.with_suffix(".part"), "PNG")
            file.with_suffix(".part").replace(file)
    return True


def _write(file: Path, data: bytes) -> None:
    if file.exists() and file.stat().st_size == len(data):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
