"""The crash test: a service that is killed at every point where it matters, and at any other, loses nothing."""

import os
import random
from collections import Counter
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import pytest

from tests.faults.campaign import DEATHS, Campaign, Counts

_PER_STORE = 15


@pytest.fixture
def seed() -> int:
    """SLOTD_SEED, or a new one. It replays what is asked and where the service dies, not how threads interleave."""
    return int(os.environ.get("SLOTD_SEED") or random.SystemRandom().getrandbits(32))


@pytest.mark.timeout(1800)
def test_nothing_acknowledged_is_lost(
    tmp_path: Path, seed: int, long_run: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = Counts(Counter())
    chance = random.Random(seed)
    deaths = list(islice(_deaths(chance), 600 if long_run else 2 * _PER_STORE))
    try:
        for start in range(0, len(deaths), _PER_STORE):
            campaign = Campaign(tmp_path, f"store-{start}", chance, counts)
            try:
                campaign.run(deaths[start : start + _PER_STORE])
            finally:
                campaign.close()
    finally:
        with capsys.disabled():
            print(f"\ncrash test, SLOTD_SEED={seed}: {counts}")
    assert set(counts.deaths) == set(DEATHS)


def _deaths(chance: random.Random) -> Iterator[str]:
    """Each as often as the others, in an order that varies."""
    for _ in cycle([None]):
        yield from chance.sample(DEATHS, len(DEATHS))
