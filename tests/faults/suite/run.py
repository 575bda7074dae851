"""One run of one fault: where it keeps its files, its chance, its store, and what it went through."""

import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.faults.process import ROOT
from tests.faults.suite.stores import StoreKind
from tests.postgres import Cluster, running

_SERVERS: dict[StoreKind, int] = {"sqlite": 1, "postgres": 3}


class Violation(AssertionError):
    """The service has broken a promise; the message is what the checker says of it."""


@dataclass
class Run:
    """`figures` counts what was done and seen. `mutant` names what is wrong with the service, if anything is."""

    folder: Path
    chance: Random
    kind: StoreKind
    mutant: str = ""
    given_cluster: Cluster | None = None
    figures: Counter[str] = field(default_factory=Counter)
    _stack: ExitStack = field(default_factory=ExitStack)
    _trials: int = 0

    @property
    def servers(self) -> int:
        """How many share the store."""
        return _SERVERS[self.kind]

    @property
    def cluster(self) -> Cluster:
        """The PostgreSQL of this run: nobody else uses it meanwhile. Without a given one it is the run's own."""
        if self.given_cluster is None:
            self.given_cluster = self._stack.enter_context(running())
        return self.given_cluster

    def new_folder(self) -> Path:
        """For one trial's files."""
        self._trials += 1
        folder = self.folder / str(self._trials)
        folder.mkdir()
        return folder

    def store(self, folder: Path) -> str:
        """The URL of an empty store: a file in `folder`, or a new database."""
        if self.kind == "sqlite":
            return f"sqlite:///{folder / 'jobs.db'}"
        return self.cluster.url(self.cluster.create())

    def judge(self, histories: list[Path]) -> None:
        """Raises Violation where the checker finds that the history breaks the contract."""
        command = [sys.executable, "-m", "tests.faults.checker", *map(str, histories)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Violation(f"{done.stdout[-8000:]}{done.stderr[-4000:]}")
        self.figures["histories checked"] += 1

    def close(self) -> None:
        self._stack.close()


@contextmanager
def running_in(
    kind: StoreKind, seed: int, *, mutant: str = "", cluster: Cluster | None = None, keep: bool = True
) -> Iterator[Run]:
    """A run in a folder of its own, which is removed; where it fails it is kept, if `keep`, and its place is told."""
    # A short path: addresses of sockets are in it.
    folder = Path(tempfile.mkdtemp(prefix="slotd-faults-"))
    run = Run(folder, Random(seed), kind, mutant, cluster)
    try:
        yield run
    except BaseException as error:
        if keep:
            error.add_note(f"its files are in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    else:
        shutil.rmtree(folder)
    finally:
        run.close()
