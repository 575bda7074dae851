"""Prints pip constraints that hold what slotd needs at run time to the oldest versions that pyproject.toml admits.

The rest, the test tools and what they pull in, is held to requirements-dev.lock.
"""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNTIME_EXTRAS = ("cli", "server", "postgres", "web", "traces")


def floors(project: dict[str, object]) -> dict[str, str]:
    """The floor of each run-time requirement, by normalized name. Raises ValueError for a requirement that has none."""
    found: dict[str, str] = {}
    dependencies, extras = project["dependencies"], project["optional-dependencies"]
    if not isinstance(dependencies, list) or not isinstance(extras, dict):
        raise ValueError("pyproject.toml has no dependencies")
    # grpcio-testing speaks to grpcio's internals, so it goes along with it.
    testing = [requirement for requirement in extras["dev"] if requirement.startswith("grpcio-testing")]
    for requirement in [*dependencies, *(one for extra in RUNTIME_EXTRAS for one in extras[extra]), *testing]:
        if requirement.startswith("slotd["):
            continue
        match = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[([a-z]+)\])?>=([0-9.]+)(?:,<[0-9.]+)?", requirement)
        if match is None:
            raise ValueError(f"no floor to read: {requirement}")
        name, extra, floor = match.groups()
        found[normalized(name)] = floor
        if extra:
            # psycopg[binary] is psycopg and psycopg-binary, of the same version.
            found[normalized(f"{name}-{extra}")] = floor
    return found


def locked(text: str) -> dict[str, str]:
    """The version of each package in the lock file, by normalized name."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return {normalized(name): version for name, _, version in (line.partition("==") for line in lines if line)}


def without_family(pins: dict[str, str]) -> dict[str, str]:
    """Without the packages that come in the version of a floor: those of OpenTelemetry require each other in one."""
    return {name: version for name, version in pins.items() if not name.startswith("opentelemetry-")}


def normalized(name: str) -> str:
    """A distribution's name in the form in which two spellings of it are equal."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Prints one constraint per line."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = without_family(locked((ROOT / "requirements-dev.lock").read_text())) | floors(project)
    for name, version in sorted(pins.items()):
        print(f"{name}=={version}")


if __name__ == "__main__":
    main()
