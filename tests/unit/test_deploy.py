"""The files in deploy/ name settings, flags and files that there are, and give the service time to stop."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from slotd_server.settings import Settings, load

FOLDER = Path(__file__).parents[2] / "deploy"
COMPOSE = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
UNIT = (FOLDER / "slotd.service").read_text(encoding="utf-8")
NAMES = {entry.name for entry in fields(Settings)}


def seconds(text: str, what: str) -> list[float]:
    return [float(found) for found in re.findall(rf"{what}[:=] *\"?(\d+)s?\"?\n", text)]


@pytest.mark.parametrize("text", [COMPOSE, UNIT], ids=["compose", "unit"])
def test_the_settings_that_they_name_are_there(text: str) -> None:
    # Not of the service, but of whoever starts it.
    named = set(re.findall(r"SLOTD_[A-Z_]+", text)) - {"SLOTD_DB_PASSWORD"}
    assert named
    assert {name.removeprefix("SLOTD_").lower() for name in named} <= NAMES
    flags = re.findall(r"^ExecStart=.* serve (.*)$", text, re.MULTILINE)
    assert {flag.replace("-", "_") for flag in re.findall(r"--([a-z-]+)", " ".join(flags))} <= NAMES | {"config"}


def test_the_settings_in_the_compose_file_can_be() -> None:
    environment = dict(re.findall(r"^ +(SLOTD_\w+): \"?([^\"$\n]+)\"?$", COMPOSE, re.MULTILINE))
    settings = load({}, environment)
    assert settings.store == "postgresql://slotd@postgres/slotd"
    assert settings.slots == 8


def test_each_server_of_the_compose_file_has_a_name_and_a_port_of_its_own() -> None:
    names = re.findall(r"SLOTD_SERVER_NAME: (\w+)", COMPOSE)
    ports = re.findall(r"127\.0\.0\.1:(\d+):7433", COMPOSE)
    assert len(set(names)) == len(set(ports)) == len(names) == len(ports) == 3


def test_there_is_time_to_drain_before_a_service_is_killed() -> None:
    (drain,) = seconds(COMPOSE, "SLOTD_DRAIN_TIMEOUT")
    assert seconds(COMPOSE, "stop_grace_period")[0] > drain
    assert seconds(UNIT, "TimeoutStopSec")[0] > Settings().drain_timeout


def test_a_supervisor_is_not_told_to_wait_for_what_the_service_does_not_say() -> None:
    """It sends no READY=1."""
    assert "Type=exec\n" in UNIT


def test_the_handlers_beside_the_compose_file_are_handlers() -> None:
    script = "import sys; from slotd.handlers import load, registered; load(sys.argv[1]); print(*registered())"
    (name,) = re.findall(r"\./(\S+?):", COMPOSE)
    done = subprocess.run([sys.executable, "-c", script, FOLDER / name], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["greet"]
