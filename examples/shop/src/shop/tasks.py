"""The shop's handlers: `slotd serve shop.tasks`."""

import csv
from typing import Any

import slotd
from shop import gateway, orders


@slotd.job("charge", max_attempts=4, initial_backoff=60, multiplier=2, timeout=30)
def charge(ctx: slotd.JobContext, payload: dict[str, Any]) -> dict[str, str]:
    """Have an order paid. A gateway that can't be reached is asked again; a customer who is declined is not."""
    order = _order(payload)
    try:
        # The job's id is the same in each attempt: nobody pays twice.
        receipt = gateway.pay(order.customer, order.total, key=ctx.job_id)
    except gateway.Declined as error:
        raise slotd.PermanentError(f"declined: {error}") from error
    except gateway.Busy as error:
        raise slotd.Snooze(error.seconds) from error
    orders.mark_paid(order.id)
    return {"receipt": receipt}


@slotd.job("invoice")
def invoice(ctx: slotd.JobContext, payload: dict[str, Any]) -> dict[str, str]:
    """Write an order's invoice, with the receipt of its payment."""
    order = _order(payload)
    text = [f"Invoice {order.id} for {order.customer}", ""]
    for number, (article, cents) in enumerate(order.lines.items(), 1):
        ctx.raise_if_cancelled()
        text.append(f"{article:30}{cents / 100:10.2f}")
        ctx.progress(number, len(order.lines), article)
    text += [f"{'total':30}{order.total / 100:10.2f}", f"paid, {ctx.results['charge']['receipt']}", ""]
    file = orders.folder() / f"invoice-{order.id}.txt"
    file.write_text("\n".join(text), encoding="utf-8")
    ctx.write(f"wrote {file.name}\n")
    return {"file": file.name}


@slotd.job("takings")
def takings(_ctx: slotd.JobContext, _payload: None) -> dict[str, int]:
    """Write the book: what came in on each day."""
    days = orders.takings()
    with (orders.folder() / "takings.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(days)
    return {"days": len(days), "cents": sum(cents for _, _, cents in days)}


def keep_books(client: slotd.Client) -> None:
    """Have the book written each morning at five, by the shop's own time."""
    client.create_schedule("takings", slotd.spec("takings"), cron="0 5 * * *", time_zone="Europe/Vienna")


def _order(payload: dict[str, Any]) -> orders.Order:
    order = orders.find(payload["order"])
    if order is None:
        raise slotd.PermanentError(f"there is no order {payload['order']}")
    return order
