"""A handler that makes thumbnails. Needs Pillow: the extra `slotd[examples]`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from examples.disk import regular_files, written_whole
from examples.payloads import Fields
from slotd import JobContext, PermanentError, job

if TYPE_CHECKING:
    from PIL import Image


@job("thumbnail", timeout=1800)
def thumbnail(ctx: JobContext, payload: object) -> dict[str, object]:
    """Thumbnails of an image, or of all images of a folder: `{"path": "photos", "output": "small", "size": 256}`.

    `output` is a folder; `holiday/cat.png` becomes `holiday/cat.png.thumb.png` in it, or `.thumb.jpg` where nothing is
    transparent. `size` is the most pixels that width and height may have. In a folder, what is no image is passed over,
    and the output says so; a single file that is none fails the job, as does a folder without any.
    """
    fields = Fields(payload, "path", "output", "size")
    source, output, size = fields.source(), fields.target(), int(fields.number("size", 256, 1, 4096))
    try:
        from PIL import Image
    except ImportError as error:
        raise PermanentError("thumbnails need Pillow: install slotd[examples]") from error

    base = source if source.is_dir() else source.parent
    files = [file for file in regular_files(source) if source == file or not file.is_relative_to(output)]
    made: list[str] = []
    for number, file in enumerate(files):
        ctx.raise_if_cancelled()
        name = file.relative_to(base).as_posix()
        ctx.progress(number, len(files), name)
        try:
            small = _smaller(file, size)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            # Pillow has many ways to say that an image is broken. Where the disk is the culprit, there is an errno.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            if file == source:
                raise PermanentError(f"{name} is no image that Pillow can read") from error
            ctx.write(f"passed over, no image: {name}\n")
            continue
        suffix, form = (".thumb.png", "PNG") if small.mode == "RGBA" else (".thumb.jpg", "JPEG")
        target = (output / name).with_name(file.name + suffix)
        with written_whole(target, ctx.job_id) as written:
            small.save(written, form)
        made.append(target.relative_to(output).as_posix())
        ctx.write(f"{name}: {small.width} × {small.height}\n")
    if not made:
        raise PermanentError(f"there is no image in {source}")
    ctx.progress(len(files), len(files), "done")
    return {"thumbnails": len(made), "passed_over": len(files) - len(made), "output": str(output), "first": made[:20]}


def _smaller(file: Path, size: int) -> Image.Image:
    """The image at most `size` pixels wide and high, upright, as RGB or RGBA."""
    from PIL import Image, ImageOps

    with Image.open(file) as image:
        # JPEGs are decoded at a fraction of their size, which is many times faster.
        image.draft("RGB", (size, size))
        upright = ImageOps.exif_transpose(image)
        small = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    small.thumbnail((size, size))
    return small
