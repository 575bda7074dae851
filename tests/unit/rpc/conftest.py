"""The core under the servicers, fresh for each test."""

from collections.abc import AsyncIterator

import pytest

from slotd_server.store.sqlite import SqliteStore
from tests.unit.rpc.core import Core
from tests.unit.scripted import alone


@pytest.fixture
async def core() -> AsyncIterator[Core]:
    store = SqliteStore(":memory:")
    one = Core(store)
    one.dispatcher.start(alone(one.runner))
    yield one
    await one.dispatcher.stop()
    one.reads.close()
    store.close()
    assert one.failures == []
