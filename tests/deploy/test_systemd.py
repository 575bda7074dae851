"""The systemd unit, without a running systemd: what systemd itself says of it, and that its flags are there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from slotd_server.settings import Settings
from tests.deploy.conftest import ROOT, lint, program
from tests.deploy.environment import SETTINGS

UNIT = ROOT / "deploy" / "slotd.service"
EXPOSURE = 15
"""Tenths of what `systemd-analyze security` gives; 100 is a service that may do all."""


def said(directive: str) -> list[str]:
    """The values that the unit gives a directive."""
    return re.findall(rf"^{directive}=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture
def startable(tmp_path: Path) -> Path:
    """The unit with a program that is here."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/slotd/bin/slotd", sys.executable), encoding="utf-8")
    return unit


def test_systemd_understands_all_of_it(startable: Path) -> None:
    # Of a directive that it doesn't know it only warns.
    command = [program("systemd-analyze"), "verify", "--man=no", str(startable)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_counts_it_as_well_shut_in(startable: Path) -> None:
    lint(program("systemd-analyze"), "security", "--offline=true", f"--threshold={EXPOSURE}", startable)


def test_the_flags_that_it_gives_are_settings() -> None:
    (start,) = said("ExecStart")
    flags = {f"SLOTD_{flag.replace('-', '_').upper()}" for flag in re.findall(r"--([a-z-]+)", start)}
    assert flags <= SETTINGS | {"SLOTD_CONFIG"}


def test_there_is_time_to_drain_before_the_service_is_killed() -> None:
    assert float(said("TimeoutStopSec")[0]) > Settings().drain_timeout


def test_systemd_does_not_wait_for_what_the_service_does_not_say() -> None:
    """It sends no READY=1."""
    assert said("Type") == ["exec"]


def test_handlers_may_use_the_network_start_processes_and_make_code_as_they_run() -> None:
    assert {"AF_INET", "AF_INET6", "AF_NETLINK", "AF_UNIX"} <= set(said("RestrictAddressFamilies")[0].split())
    assert "@system-service" in said("SystemCallFilter")
    assert not said("MemoryDenyWriteExecute")
