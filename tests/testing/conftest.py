"""A service whose handlers do as their payload says."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.testing.handlers import HANDLERS


@pytest.fixture
def slotd_options() -> Mapping[str, Any]:
    return {"handlers": HANDLERS}
