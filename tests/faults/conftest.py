"""Services for the fault tests, ended with the test that started them."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.faults.process import HANDLERS, ServerProcess

Serve: TypeAlias = Callable[..., ServerProcess]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts services, all on the same store file if nothing else is said, each with a log of its own."""
    servers: list[ServerProcess] = []

    def start(*, environment: Mapping[str, str] | None = None, **orders: Any) -> ServerProcess:
        server = ServerProcess(tmp_path / f"log-{len(servers)}", environment)
        servers.append(server)
        chosen: dict[str, Any] = {"store": f"sqlite:///{tmp_path / 'jobs.db'}", "slots": 2} | orders
        return server.begin(HANDLERS, **chosen)

    yield start
    for server in servers:
        server.close()
