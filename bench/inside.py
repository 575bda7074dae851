"""Measurements inside the server's own code, without a wire, each made by a process of its own."""

import asyncio
import json
import sys
from typing import Any


class InsideFailed(Exception):
    """The process that measures ended with an error; the message has what it said."""


async def measured_inside(module: str, *arguments: str) -> Any:
    """What `python -m module` prints, from JSON. Raises InsideFailed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, wrong = await process.communicate()
    if process.returncode != 0:
        raise InsideFailed(wrong.decode(errors="replace")[-2000:])
    return json.loads(said)
