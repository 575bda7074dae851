"""An environment in which the wheel is installed with what its metadata names for some extras, and nothing else.

What it names is linked in from the environment of the tests, so that nothing is downloaded; what it forgot to name is
not there, as it would not be for a user.
"""

import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

SITE = Path("lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages")


class Installed:
    """A new virtual environment at `folder`, for the wheel with `extras`."""

    def __init__(self, folder: Path, wheel: Path, extras: Iterable[str]) -> None:
        self.folder = folder
        venv.create(folder, symlinks=True)
        pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", "--no-compile", wheel], check=True)
        (own,) = Distribution.discover(name="slotd", path=[str(folder / SITE)])
        for needed in _needed(own, frozenset(extras)):
            _link(needed, folder / SITE)

    def command(self, *args: str) -> list[str]:
        """`slotd` with these words."""
        return [str(self.folder / "bin" / "slotd"), *args]

    def run(self, *args: str) -> str:
        """What `slotd` with these words says; raises where it ends with another status than 0."""
        done = subprocess.run(
            self.command(*args), capture_output=True, text=True, env=self.environment(), cwd=self.folder, timeout=30
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def environment(self) -> dict[str, str]:
        """The environment variables of a user who has set none of Python's and none of ours."""
        ours = ("PYTHON", "SLOTD_", "VIRTUAL_ENV")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        # It is installed read-only, as far as this is concerned: its files are the tests' own.
        return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


def _needed(wanting: Distribution, extras: frozenset[str]) -> list[Distribution]:
    """All that it requires with these extras, and what those require."""
    found: dict[tuple[str, frozenset[str]], Distribution] = {}
    waiting = [(wanting, extras)]
    while waiting:
        wants, asked = waiting.pop()
        for requirement in map(Requirement, wants.requires or ()):
            contexts = [{"extra": extra} for extra in asked or {""}]
            if requirement.marker is not None and not any(map(requirement.marker.evaluate, contexts)):
                continue
            name, further = _normalized(requirement.name), frozenset(requirement.extras)
            if (name, further) in found:
                continue
            own = name == _normalized(wanting.name)
            found[name, further] = wanting if own else distribution(name)
            waiting.append((found[name, further], further))
    return [one for (name, _), one in found.items() if name != _normalized(wanting.name)]


def _link(needed: Distribution, site: Path) -> None:
    for file in needed.files or ():
        if ".." in file.parts or "__pycache__" in file.parts:
            continue
        link = site.joinpath(*file.parts)
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(Path(str(needed.locate_file(file))))


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
