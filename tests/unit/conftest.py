"""Drivers for the tests of single modules."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.unit.driver import Driver


@pytest.fixture
def make_driver() -> Iterator[Callable[..., Driver]]:
    """Makes drivers, and closes them in the end."""
    made: list[Driver] = []

    def make(*arguments: Any, **options: Any) -> Driver:
        driver = Driver(*arguments, **options)
        made.append(driver)
        return driver

    yield make
    for driver in made:
        driver.close()


@pytest.fixture
def driver(make_driver: Callable[..., Driver]) -> Driver:
    """A server with two slots."""
    return make_driver(2)
