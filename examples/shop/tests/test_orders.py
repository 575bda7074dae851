"""What placing an order submits, and what becomes of it in a service."""

from pathlib import Path
from typing import Any

import pytest

import slotd
from shop import gateway, orders
from slotd.testing import RecordedEvents, Service, assert_not_submitted, assert_submitted


@pytest.mark.slotd(manual=True)
def test_placing_submits_a_charge_and_an_invoice(slotd_service: Service, slotd_client: slotd.Client) -> None:
    order = orders.place(slotd_client, "ann", {"tea": 350})
    (charge,) = assert_submitted(slotd_service, "charge", payload={"order": order.id}, queue="payments", count=1)
    (invoice,) = assert_submitted(slotd_service, "invoice", labels={"customer": "ann"})
    assert [one.job_id for one in invoice.spec.depends_on] == [charge.id]
    assert_not_submitted(slotd_service, "takings")


@pytest.mark.slotd(manual=True)
def test_the_invoice_waits_for_the_payment(slotd_service: Service, slotd_client: slotd.Client, folder: Path) -> None:
    orders.place(slotd_client, "ann", {"tea": 350})
    paid = slotd_service.run_next()
    assert paid is not None
    assert paid.spec.kind == "charge"
    assert not list(folder.glob("invoice-*"))
    (invoice,) = slotd_service.run_all()
    assert slotd.decode(invoice.result) == {"file": "invoice-1.txt"}
    assert "receipt 1" in (folder / "invoice-1.txt").read_text(encoding="utf-8")


def test_many_orders_at_once_are_each_paid_once(slotd_service: Service, slotd_client: slotd.Client, bank: Any) -> None:
    for number in range(10):
        orders.place(slotd_client, f"customer {number}", {"tea": 100 + number})
    slotd_service.run_until_idle()
    assert sorted(bank.charges.values()) == [(f"customer {number}", 100 + number) for number in range(10)]
    assert {job.state for job in slotd_client.list()} == {slotd.v1.JOB_STATE_SUCCEEDED}


def test_without_money_there_is_no_invoice(
    slotd_service: Service, slotd_client: slotd.Client, slotd_events: RecordedEvents, bank: Any
) -> None:
    bank.troubles = [gateway.Declined("no money")]
    orders.place(slotd_client, "ann", {"tea": 350})
    slotd_service.run_until_idle()
    (charge,) = assert_submitted(slotd_service, "charge")
    (invoice,) = assert_submitted(slotd_service, "invoice")
    assert slotd_events.states(charge) == ["QUEUED", "RUNNING", "FAILED"]
    assert slotd_events.states(invoice) == ["BLOCKED", "FAILED"]
    assert "no money" in charge.error.message
