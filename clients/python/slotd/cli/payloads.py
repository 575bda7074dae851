"""A job's payload on the command line: an argument, a file, or standard input."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from slotd import v1
from slotd.cli.arguments import checked_json

_JSON = "application/json"

Decorated = TypeVar("Decorated", bound=Callable[..., None])


def payload_options(command: Decorated) -> Decorated:
    """`--file`, as `path`, and `--content-type`; what `payload` takes beside the command's own argument."""
    command = click.option("--content-type", metavar="TYPE", help=f"What the payload is.  [default: {_JSON}]")(command)
    return click.option(
        "--file",
        "path",
        type=click.Path(allow_dash=True, dir_okay=False),
        metavar="PATH",
        help="Take the payload from a file; - is standard input.",
    )(command)


def payload(argument: str | None, path: str | None, content_type: str | None) -> v1.Payload | None:
    """The payload; None without an argument and a file. Raises click.UsageError, above all for what isn't JSON."""
    if argument is not None and path is not None:
        raise click.UsageError("the payload comes from the argument or from --file, not from both")
    if argument is None and path is None:
        if content_type is not None:
            raise click.UsageError("--content-type needs a payload: the argument JSON, or --file")
        return None
    form = content_type or _JSON
    data = argument.encode(errors="surrogateescape") if argument is not None else read(path or "")
    if form.partition(";")[0].strip().lower() == _JSON:
        source = "the payload" if path is None else source_name(path)
        checked_json(decoded(data, source), source)
    return v1.Payload(content_type=form, data=data)


def source_name(path: str) -> str:
    """What messages call the file."""
    return "standard input" if path == "-" else path


def read(path: str) -> bytes:
    """All of a file, or of standard input. Raises click.UsageError."""
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror or error}") from None


def decoded(data: bytes, source: str) -> str:
    """The text of what should be JSON. Raises click.UsageError."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{source} isn't JSON: byte {error.start} is not UTF-8") from None
