"""UUIDv7 that only ever grow."""

import random
import uuid

from hypothesis import given
from hypothesis import strategies as st

from slotd_server.domain.ids import IdSource
from tests.unit.driver import START


def test_it_is_a_uuid_of_version_7_that_holds_the_time() -> None:
    found = uuid.UUID(IdSource(random.Random(1).getrandbits).next(START + 123_456))
    assert (found.version, found.variant) == (7, uuid.RFC_4122)
    assert found.int >> 80 == (START + 123_456) // 1000
    assert str(found) == IdSource(random.Random(1).getrandbits).next(START + 123_456)


@given(st.lists(st.integers(0, 5_000), min_size=2, max_size=50))
def test_they_grow_also_within_a_millisecond_and_when_the_clock_steps_back(steps: list[int]) -> None:
    source = IdSource(random.Random(1).getrandbits)
    ids = [source.next(START + step) for step in steps]
    assert ids == sorted(set(ids))
    assert all(uuid.UUID(one).version == 7 for one in ids)


def test_ten_thousand_at_one_instant_differ() -> None:
    source = IdSource(lambda bits: 0)
    ids = [source.next(START) for _ in range(10_000)]
    assert ids == sorted(set(ids))
