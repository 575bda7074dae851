"""pytest's fixtures: a fresh service for each test that asks for one.

`slotd_service` takes its arguments from the marker `slotd`, over those that the fixture `slotd_options` yields, which a
conftest may override:

    @pytest.mark.slotd(handlers={"greet": greet}, manual=True)
    def test_greeting(slotd_service, slotd_client): ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

# What this module imports, pytest imports in every project where slotd is installed.
if TYPE_CHECKING:
    from slotd import Client, aio
    from slotd.testing import RecordedEvents, Service


def pytest_configure(config: pytest.Config) -> None:
    """Tells pytest of the marker."""
    config.addinivalue_line("markers", "slotd(**options): arguments of slotd.testing.Service for slotd_service")


@pytest.fixture
def slotd_options() -> Mapping[str, Any]:
    """Arguments of `slotd.testing.Service` for all tests; override it."""
    return {}


@pytest.fixture
def slotd_service(request: pytest.FixtureRequest, slotd_options: Mapping[str, Any]) -> Iterator[Service]:
    """A service of this test's own."""
    from slotd.testing.service import Service

    marker = request.node.get_closest_marker("slotd")
    with Service(**{**slotd_options, **(marker.kwargs if marker else {})}) as service:
        yield service


@pytest.fixture
def slotd_client(slotd_service: Service) -> Client:
    """The service's client."""
    return slotd_service.client


@pytest.fixture
def slotd_aclient(slotd_service: Service) -> aio.Client:
    """A client for async tests, in whichever event loop uses it first."""
    return slotd_service.aclient()


@pytest.fixture
def slotd_events(slotd_service: Service) -> RecordedEvents:
    """What has happened to jobs since the service began."""
    return slotd_service.events()
