"""The languages that have a client, and where their programs are."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

ABSENT = 77
"""The exit status of a script that lacks its language's toolchain; it says on stderr what is missing."""


class ToolchainAbsent(Exception):
    """This machine can't build the language. The message says what is missing."""


class ScriptFailed(Exception):
    """A client's script failed. The message has what it printed."""


@dataclass(frozen=True)
class Language:
    """A client. Its programs `build`, `check` and `conformance/run` are in `folder`; of Python's only the last, for the
    project's own targets build and check it.

    `workers` says whether it runs jobs, and so has to pass the sections about workers.
    """

    name: str
    title: str
    workers: bool

    @property
    def folder(self) -> Path:
        return ROOT / "clients" / self.name

    @property
    def driver(self) -> Path:
        """The program that runs the conformance driver."""
        return self.folder / "conformance" / "run"

    def build(self, timeout: float) -> None:
        """Makes what `driver` runs; quick where that is done. Raises as `script` does."""
        if self.name != "python":
            self.script("build", timeout=timeout)

    def script(self, name: str, *arguments: str, timeout: float) -> None:
        """Runs one of the client's scripts. Raises ToolchainAbsent, ScriptFailed, and subprocess.TimeoutExpired."""
        command = [str(self.folder / name), *arguments]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout
        )
        printed = done.stdout.decode(errors="replace").strip()
        if done.returncode == ABSENT:
            raise ToolchainAbsent(printed)
        if done.returncode != 0:
            raise ScriptFailed(f"{self.name}: {name} exits with {done.returncode}:\n{printed}")


LANGUAGES = (
    Language("python", "Python", workers=True),
    Language("typescript", "TypeScript", workers=True),
    Language("go", "Go", workers=True),
    Language("java", "Java", workers=False),
    Language("rust", "Rust", workers=False),
    Language("cpp", "C++", workers=False),
)


def language(name: str) -> Language:
    """By its name. Raises KeyError."""
    return {each.name: each for each in LANGUAGES}[name]
