"""`slotd health`, against a service that serves and then drains, and against one that says nothing."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from grpc_health.v1 import health_pb2, health_pb2_grpc

from slotd import v1
from slotd.cli.app import root
from tests.fundamentals.handlers import gate
from tests.service import LocalService, reach, starting


@pytest.fixture
def serving() -> Iterator[LocalService]:
    with starting() as start:
        yield start(drain_timeout=20)


def health(address: str, *args: str) -> Result:
    return CliRunner().invoke(root, ["--address", address, "health", *args])


def test_a_service_that_takes_requests(serving: LocalService) -> None:
    result = health(serving.at.address)
    assert (result.exit_code, result.stdout) == (0, "SERVING\n")
    assert json.loads(health(serving.at.address, "-o", "json").stdout) == {"status": "SERVING"}


def test_one_of_its_services(serving: LocalService) -> None:
    assert health(serving.at.address, "--service", "slotd.v1.JobService").exit_code == 0
    assert health(serving.at.address, "--service", "nobody's").exit_code == 3


def test_a_service_that_drains(serving: LocalService) -> None:
    reach(serving.at.client, serving.at.client.submit("gated", "health"), v1.JOB_STATE_RUNNING)
    stub: Any = health_pb2_grpc.HealthStub(serving.at.channel)
    statuses = stub.Watch(health_pb2.HealthCheckRequest())
    assert next(statuses).status == health_pb2.HealthCheckResponse.SERVING
    serving.ask_to_stop()
    assert next(statuses).status == health_pb2.HealthCheckResponse.NOT_SERVING
    result = health(serving.at.address)
    assert (result.exit_code, result.stdout) == (4, "NOT_SERVING\n")
    gate("health").set()


def test_a_service_that_does_not_answer_in_time(tmp_path: Path) -> None:
    path = tmp_path / "silent.sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        result = health(f"unix:{path}", "--timeout", "0.2")
    assert result.exit_code == 4
    assert "did not answer in time" in result.stderr


def test_an_address_that_is_none() -> None:
    result = health("http://localhost:7433")
    assert result.exit_code == 2
    assert "an address has no scheme" in result.stderr
