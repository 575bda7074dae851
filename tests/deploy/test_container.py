"""The image and the compose file, without an engine: their linters, what goes into a build, and what is set."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from slotd_server.settings import Settings
from tests.deploy.conftest import ROOT, build, lint, program
from tests.deploy.environment import settings

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
COMPOSE = ROOT / "deploy" / "compose.yaml"


def steps(text: str) -> list[tuple[str, str]]:
    """Each instruction of a Dockerfile and its words, the lines put together."""
    lines = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    return [(instruction, words) for instruction, _, words in (line.partition(" ") for line in lines if line)]


STEPS = steps(DOCKERFILE.read_text(encoding="utf-8"))


def said(instruction: str) -> list[str]:
    """What the Dockerfile says with an instruction."""
    return [words for name, words in STEPS if name == instruction]


def image_environment() -> dict[str, str]:
    """What the image sets."""
    (words,) = said("ENV")
    return dict(re.findall(r'(\w+)="?([^" ]*)"?', words))


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """What an engine is sent of this checkout, by deploy/Dockerfile.dockerignore."""
    lines = (DOCKERFILE.parent / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    everything, *rules = [line for line in lines if not line.startswith("#")]
    assert everything == "*"
    left_out = [rule.removeprefix("**/") for rule in rules if rule.startswith("**/")]
    for name in (rule.removeprefix("!") for rule in rules if rule.startswith("!")):
        source, target = ROOT / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(*left_out))
        else:
            shutil.copy(source, target)
    return tmp_path


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The compose file as Docker Compose reads it: anchors, extensions and paths resolved."""
    # The tool does not look into the environment, where the password's file is named.
    text = re.sub(r"\$\{SLOTD_DB_PASSWORD_FILE:[^}]*\}", "/password", COMPOSE.read_text(encoding="utf-8"))
    file = tmp_path_factory.mktemp("compose") / "compose.yaml"
    file.write_text(text, encoding="utf-8")
    found: dict[str, Any] = json.loads(lint(program("compose-spec"), "-format", "json", file))
    return found


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    lint(program("hadolint"), DOCKERFILE)


def test_the_wheel_that_the_image_is_built_with_is_the_one_that_is_released(
    context: Path, wheel: Path, tmp_path: Path
) -> None:
    assert build(tmp_path / "built", source=context).read_bytes() == wheel.read_bytes()


def test_the_image_has_extras_that_there_are_and_versions_that_are_tested(context: Path) -> None:
    (install,) = [words for words in said("RUN") if "pip install" in words]
    found = re.search(r'--constraint (\S+) "\.\[([a-z,]+)\]"', install)
    assert found is not None
    assert (context / found[1]).is_file()
    project = tomllib.loads((context / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(found[2].split(",")) <= set(project["optional-dependencies"])


def test_what_the_image_sets_are_settings() -> None:
    chosen = settings(image_environment())
    exposed = {int(port) for port in said("EXPOSE")[0].split()}
    assert {int(address.rpartition(":")[2]) for address in (chosen.listen, chosen.http)} == exposed
    assert said("VOLUME") == [str(Path(chosen.store.removeprefix("sqlite:///")).parent)]


def test_the_image_runs_as_a_user_by_number_who_is_not_root() -> None:
    (user,) = said("USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)


def test_the_image_stops_by_the_signal_that_drains() -> None:
    assert said("STOPSIGNAL") == ["SIGTERM"]
    # As an array: with a shell in between, the signal would end there.
    assert json.loads(said("ENTRYPOINT")[0]) == ["tini", "--", "slotd"]


def test_each_server_of_the_compose_file_has_settings_a_name_and_ports_of_its_own(compose: dict[str, Any]) -> None:
    servers = [one for one in compose["services"].values() if one["image"] == "slotd"]
    chosen = [settings(image_environment() | one["environment"]) for one in servers]
    assert {one.store for one in chosen} == {"postgresql://slotd@postgres/slotd"}
    assert len({one.server_name for one in chosen}) == len(servers) == 3
    ports = [(port["host_ip"], int(port["target"]), int(port["published"])) for one in servers for port in one["ports"]]
    assert {target for _, target, _ in ports} == {7433, 7480}
    assert len({published for _, _, published in ports}) == len(ports)
    # It knows no users: no port is open to more than this machine.
    assert {host for host, _, _ in ports} == {"127.0.0.1"}


def test_the_servers_of_the_compose_file_wait_for_a_database_that_says_when_it_is_healthy(
    compose: dict[str, Any],
) -> None:
    services = compose["services"]
    assert services["postgres"]["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]
    for one in services.values():
        if one["image"] == "slotd":
            assert one["depends_on"]["postgres"]["condition"] == "service_healthy"
            assert one["healthcheck"]["test"] == ["CMD", "slotd", "health"]


def test_there_is_time_to_drain_before_a_container_is_killed(compose: dict[str, Any]) -> None:
    for one in compose["services"].values():
        if one["image"] == "slotd":
            drain = float(one["environment"].get("SLOTD_DRAIN_TIMEOUT", Settings().drain_timeout))
            assert float(one["stop_grace_period"].removesuffix("s")) > drain


def test_the_password_is_in_a_file_that_the_compose_file_only_names(compose: dict[str, Any]) -> None:
    assert compose["secrets"]["database"]["file"] == "/password"
    assert compose["services"]["postgres"]["environment"]["POSTGRES_PASSWORD_FILE"] == "/run/secrets/database"
    for one in compose["services"].values():
        assert [secret["source"] for secret in one["secrets"]] == ["database"]
        assert not [name for name in one["environment"] if name.endswith("PASSWORD")]


def test_a_server_of_the_compose_file_starts_with_the_password_in_its_environment_or_not_at_all(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "slotd").write_text('#!/bin/sh\necho "$PGPASSWORD" "$@"\n')
    (tmp_path / "slotd").chmod(0o755)
    one = compose["services"]["one"]
    tini, dashes, *start = [word.replace("$$", "$") for word in [*one["entrypoint"], *one["command"]]]
    assert (tini, dashes) == ("tini", "--")
    start = [word.replace("/run/secrets/database", str(tmp_path / "password")) for word in start]

    def run() -> subprocess.CompletedProcess[str]:
        path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
        return subprocess.run(start, capture_output=True, text=True, env=path, timeout=10)

    assert (run().returncode != 0, run().stdout) == (True, "")
    (tmp_path / "password").write_text("it's a $ecret\n")
    assert run().stdout == "it's a $ecret serve handlers.py\n"


def test_the_handlers_beside_the_compose_file_are_handlers(compose: dict[str, Any]) -> None:
    script = "import sys; from slotd.handlers import load, registered; load(sys.argv[1]); print(*registered())"
    (mount,) = compose["services"]["one"]["volumes"]
    name = Path(mount["source"]).name
    done = subprocess.run([sys.executable, "-c", script, COMPOSE.parent / name], capture_output=True, text=True)
    assert done.stdout.split() == ["greet"], done.stderr
