"""Each handler alone: `run_inline` calls it as a service would, without one."""

from pathlib import Path
from typing import Any

import pytest

import slotd
from shop import gateway, orders, tasks
from slotd.testing import Service, run_inline


@pytest.fixture
def order() -> orders.Order:
    # Nothing runs here: the jobs that placing submits are not what these tests are about.
    with Service(["shop.tasks"], manual=True) as service:
        return orders.place(service.client, "ann", {"tea": 350, "cup": 1200})


def test_an_order_is_charged_once_for_all_attempts(order: orders.Order, bank: Any) -> None:
    first = run_inline(tasks.charge, {"order": order.id}, job_id="7", attempt=1)
    run_inline(tasks.charge, {"order": order.id}, job_id="7", attempt=2)
    assert first.result == {"receipt": "receipt 1"}
    assert bank.charges == {"7": ("ann", 1550)}
    assert [cents for _, _, cents in orders.takings()] == [1550]


def test_a_declined_customer_is_not_asked_again(order: orders.Order, bank: Any) -> None:
    bank.troubles = [gateway.Declined("no money")]
    with pytest.raises(slotd.PermanentError, match="no money"):
        run_inline(tasks.charge, {"order": order.id})
    assert orders.takings() == []


def test_a_busy_gateway_is_left_alone_for_as_long_as_it_asks(order: orders.Order, bank: Any) -> None:
    bank.troubles = [gateway.Busy(90)]
    assert run_inline(tasks.charge, {"order": order.id}, check=False).snoozed == 90


def test_an_order_that_is_not_there_is_nobodys_to_pay() -> None:
    with pytest.raises(slotd.PermanentError, match="no order 99"):
        run_inline(tasks.charge, {"order": 99})


def test_an_invoice_has_each_line_and_the_receipt(order: orders.Order, folder: Path) -> None:
    run = run_inline("invoice", {"order": order.id}, results={"charge": {"receipt": "receipt 7"}})
    text = (folder / run.result["file"]).read_text(encoding="utf-8")
    assert "tea" in text
    assert "15.50" in text
    assert "receipt 7" in text
    assert [(one.done, one.message) for one in run.progress] == [(1, "tea"), (2, "cup")]
    assert run.text == f"wrote invoice-{order.id}.txt\n"


def test_a_cancelled_invoice_is_not_written(order: orders.Order, folder: Path) -> None:
    with pytest.raises(slotd.JobCancelled):
        run_inline("invoice", {"order": order.id}, cancelled=lambda progress: progress.done == 1)
    assert not list(folder.glob("invoice-*"))
