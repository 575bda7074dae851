"""Workers that die where a test says so. A point that is never reached would go unnoticed in the suite."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from signal import SIGKILL

import pytest

from tests.faults.conftest import Serve
from tests.faults.process import PATIENCE
from tests.faults.suite.crew import Hand
from tests.faults.worker_points import WORKER_POINTS
from tests.service import Endpoint


@pytest.fixture
def lease() -> float:
    """Seconds. Whoever stands still for less is not given up."""
    return 10


@pytest.fixture
def at(serve: Serve, lease: float) -> Endpoint:
    return serve(unknown_kinds="wait", worker_lease=lease).connect()


@pytest.fixture
def hand(at: Endpoint, tmp_path: Path) -> Iterator[Hand]:
    with closing(Hand(tmp_path, "worker", {}, [at.address])) as hand:
        yield hand


@pytest.mark.parametrize("lease", [1])
@pytest.mark.parametrize("point", WORKER_POINTS)
def test_a_worker_dies_at_the_point_and_another_does_its_job(at: Endpoint, hand: Hand, point: str) -> None:
    job = at.client.submit(hand.kind, 0)
    hand.begin(f"{point}:1")
    assert hand.wait(PATIENCE) == -SIGKILL
    hand.begin()
    assert hand.connected()
    assert at.client.wait(job, timeout=PATIENCE).attempts[-1].worker


def test_a_worker_stops_at_a_point_and_goes_on(at: Endpoint, hand: Hand) -> None:
    job = at.client.submit(hand.kind, 0)
    hand.begin("called:1:stop")
    assert hand.wait_stopped(PATIENCE)
    hand.resume()
    assert at.client.wait(job, timeout=PATIENCE).result.data == b"1"


def test_a_second_one_under_the_same_id_ends_the_first(at: Endpoint, hand: Hand, tmp_path: Path) -> None:
    hand.begin()
    assert hand.connected()
    with closing(Hand(tmp_path, "twin", {}, [at.address])) as twin:
        twin.begin(worker_id=hand.worker_id)
        assert twin.connected()
        assert twin.worker_id == hand.worker_id
        assert hand.wait(PATIENCE)
