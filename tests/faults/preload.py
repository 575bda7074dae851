"""Libraries that stand between the service and the system: compiled on the spot, and preloaded."""

import shutil
import struct
import subprocess
from pathlib import Path

_SOURCES = Path(__file__).parent


def why_no_preload() -> str:
    """Why nothing can be preloaded here; empty where it can."""
    return "" if shutil.which("cc") else "there is no C compiler"


class FailingSync:
    """Syncs of files whose name ends as `fail` was told fail, from then until `mend`."""

    def __init__(self, folder: Path) -> None:
        self._trigger = folder / "failing-sync"
        self.environment = _preloaded("failing_fsync", folder) | {"FAILING_FSYNC": str(self._trigger)}

    def fail(self, ending: str) -> None:
        # Whole or not at all: half an ending would fit more files.
        written = self._trigger.with_suffix(".new")
        written.write_text(ending)
        written.rename(self._trigger)

    def mend(self) -> None:
        self._trigger.unlink(missing_ok=True)


class JumpingClock:
    """A time of day that can be set, for all services that have its `environment`."""

    def __init__(self, folder: Path) -> None:
        self._offset = folder / "clock"
        self.environment = _preloaded("jumping_clock", folder) | {"JUMPING_CLOCK": str(self._offset)}
        self._offset.write_bytes(struct.pack("=q", 0))

    def jump(self, seconds: float) -> None:
        """So far from the true time, ahead or behind."""
        with self._offset.open("r+b", buffering=0) as file:
            file.write(struct.pack("=q", round(seconds * 1_000_000)))


def _preloaded(name: str, folder: Path) -> dict[str, str]:
    library = folder / f"{name}.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(_SOURCES / f"{name}.c"), "-ldl"]
    subprocess.run(command, check=True)
    return {"LD_PRELOAD": str(library)}
