"""What happens by the clock, which the tests set."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import slotd
from shop import gateway, orders, tasks
from slotd.testing import RecordedEvents, Service, assert_submitted

NOON = datetime(2030, 3, 1, 12, tzinfo=UTC)


def test_a_gateway_that_comes_back_is_asked_again(
    slotd_service: Service, slotd_client: slotd.Client, slotd_events: RecordedEvents, bank: Any
) -> None:
    bank.troubles = [OSError("no route"), OSError("no route")]
    orders.place(slotd_client, "ann", {"tea": 350})
    (charge,) = assert_submitted(slotd_service, "charge")
    slotd_service.run_until_idle()
    slotd_service.clock.advance(59)
    assert slotd_client.get(charge).attempt == 1
    slotd_service.clock.advance(1)
    slotd_events.wait_for(charge, "SCHEDULED", attempt=2)
    slotd_service.clock.advance(timedelta(minutes=2))
    assert slotd_events.wait_for(charge, "SUCCEEDED").job.attempt == 3


def test_a_busy_gateway_costs_no_attempt(slotd_service: Service, slotd_client: slotd.Client, bank: Any) -> None:
    bank.troubles = [gateway.Busy(600)] * 20
    orders.place(slotd_client, "ann", {"tea": 350})
    slotd_service.run_until_idle()
    slotd_service.clock.advance(timedelta(hours=4))
    (charge,) = assert_submitted(slotd_service, "charge")
    assert (charge.state, charge.attempt) == (slotd.v1.JOB_STATE_SUCCEEDED, 1)


@pytest.mark.slotd(now=NOON, retention=0)
def test_the_book_is_written_each_morning_at_five_in_winter_and_summer(
    slotd_service: Service, slotd_client: slotd.Client, folder: Path
) -> None:
    tasks.keep_books(slotd_client)
    orders.place(slotd_client, "ann", {"tea": 350})
    slotd_service.clock.move_to(NOON + timedelta(days=60))
    slotd_service.run_until_idle()
    # All are still there: with the retention that a service has by default, the first would be gone after a week.
    jobs = assert_submitted(slotd_service, "takings", count=60)
    hours = [job.create_time.ToDatetime(UTC).hour for job in jobs]
    assert hours == [4] * 29 + [3] * 31
    assert (folder / "takings.csv").read_text(encoding="utf-8").endswith(",1,350\n")
