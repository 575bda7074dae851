"""What the figures were measured on, without names of hosts or paths, and what a process uses of it."""

import os
import platform
import sqlite3
from importlib.metadata import version
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def describe() -> dict[str, str]:
    """Hardware and versions, each as text."""
    return {
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "load before": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "grpcio": version("grpcio"),
        "protobuf": version("protobuf"),
        "sqlite": sqlite3.sqlite_version,
    }


def resident_bytes(pid: int) -> int:
    """The memory that a process has resident. Raises OSError where there is no such process, or no /proc."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(f"process {pid} has ended")


def cpu_seconds(pid: int) -> float:
    """The processor time, of user and system, that a process has used so far. Raises OSError as above."""
    return sum(_stat(pid)[11:13]) / _TICKS


def family_cpu_seconds(pid: int) -> float:
    """The same of a process, of those that it has started, and of those of them that have ended. Raises OSError as
    above."""
    seconds = sum(_stat(pid)[11:15]) / _TICKS
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if parent(int(entry.name)) == pid:
                    seconds += cpu_seconds(int(entry.name))
            except OSError:
                # It has just ended; its parent has its time from now on.
                pass
    return seconds


def parent(pid: int) -> int:
    """The process that has started this one. Raises OSError as above."""
    return _stat(pid)[1]


def _stat(pid: int) -> list[int]:
    """What the system tells of a process, from its state on, which is the one that is no number: 0 stands for it."""
    # The second field, the command's name, is in parentheses and may hold anything.
    _, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [0, *map(int, fields)]
