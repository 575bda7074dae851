"""Reading a JSON payload: fields by name, and errors that end the job at once, for a wrong payload won't get better."""

import math
import os
from collections.abc import Mapping
from pathlib import Path

from slotd import PermanentError

ROOTS_VARIABLE = "EXAMPLES_ROOTS"
"""Names folders, separated as in PATH: no handler then reads or writes a path outside them. Without it any will do."""


class Fields:
    """The fields of a payload. Every method raises PermanentError for a value that can't be."""

    def __init__(self, payload: object, *known: str) -> None:
        if not isinstance(payload, Mapping):
            raise PermanentError(f"the payload is a JSON object with {' and '.join(known)}")
        unknown = payload.keys() - set(known)
        if unknown:
            # A misspelt option that did nothing would be worse than a refusal.
            raise PermanentError(f"no such field: {', '.join(sorted(map(str, unknown)))}; there are {', '.join(known)}")
        self._fields = payload

    def text(self, name: str) -> str:
        """A string that is not empty."""
        value = self._fields.get(name)
        if not isinstance(value, str) or not value:
            raise PermanentError(f"{name} is missing, or is no text")
        return value

    def texts(self, name: str) -> list[str]:
        """A list of strings, at least one."""
        value = self._fields.get(name)
        if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
            raise PermanentError(f"{name} is missing, or is no list of texts")
        return value

    def number(self, name: str, default: float, least: float, most: float) -> float:
        """A number within bounds."""
        value = self._fields.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise PermanentError(f"{name} is no number")
        if not least <= value <= most:
            raise PermanentError(f"{name} is {value}; it is from {least:g} to {most:g}")
        return value

    def source(self, name: str = "path") -> Path:
        """The path of a file or folder that is there."""
        path = self._path(name)
        if not path.exists():
            raise PermanentError(f"{name}: there is no {path}")
        return path

    def target(self, name: str = "output") -> Path:
        """The path of something to be written."""
        return self._path(name)

    def _path(self, name: str) -> Path:
        written = self.text(name)
        if "\0" in written:
            raise PermanentError(f"{name} is no path")
        # Links are followed before the check: one that leads out of a root is outside.
        path = Path(written).resolve()
        roots = [root for root in os.environ.get(ROOTS_VARIABLE, "").split(os.pathsep) if root]
        if roots and not any(path.is_relative_to(Path(root).resolve()) for root in roots):
            raise PermanentError(f"{name}: {path} is not under the folders that {ROOTS_VARIABLE} names")
        return path
