"""The linters that `.ci/linters` installs, and the distributions built from this checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINTERS = ROOT / "build" / "linters" / "bin"


def program(*names: str) -> str:
    """The path of the first of these programs that is here, else skips."""
    path = os.pathsep.join([str(LINTERS), os.environ.get("PATH", os.defpath)])
    for name in names:
        found = shutil.which(name, path=path)
        if found is not None:
            return found
    pytest.skip(f"{' or '.join(names)} is not installed here: .ci/linters does that")


def lint(*command: str | Path, stdin: str | None = None) -> str:
    """What a linter writes to its standard output; fails with all that it has to say."""
    done = subprocess.run(command, capture_output=True, text=True, input=stdin, timeout=60)
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout


def build(folder: Path, *, source: Path = ROOT, target: str = "wheel") -> Path:
    """A distribution built from `source` into `folder`, without the network."""
    pytest.importorskip("hatchling", reason="the build backend is not installed here")
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, text=True)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel."""
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution."""
    return build(tmp_path_factory.mktemp("sdist"), target="sdist")
