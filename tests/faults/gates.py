"""Gates: a handler stands before one until a test lets it through."""

import os
from pathlib import Path


class Gate:
    """A pipe with a name. Whoever opens it for reading waits until it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)

    def open(self) -> None:
        """Lets the one handler through that stands before it, or comes to it."""
        with self.path.open("wb"):
            pass
