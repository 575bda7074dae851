"""A queue that many share: of each tenant so many jobs at once, so many starts a second, and turns among the tenants.

    python examples/tenants.py

The service runs `examples/handlers.py`. One tenant submits many jobs and another one a single job after them, which
does not wait for them all the same.
"""

import argparse

import slotd
from slotd import v1

QUEUE = "shared"


def limit(client: slotd.Client) -> v1.Queue:
    """Makes the queue: 2 jobs at once, 1 of each tenant, 10 starts a second after the first 5."""
    return client.update_queue(
        QUEUE, slots=2, slots_per_key=1, rate_limit=v1.RateLimit(starts_per_second=10, burst=5), retain_count=1000
    )


def starts(client: slotd.Client, many: int) -> list[str]:
    """Submits `many` jobs of one tenant, then one of another; answers whose job each start was, in their order."""
    tenants = [*["many"] * many, "one"]
    specs = [slotd.spec("noop", queue=QUEUE, concurrency_key=tenant) for tenant in tenants]
    batch = client.send_submit_batch(v1.SubmitBatchRequest(requests=[v1.SubmitRequest(spec=spec) for spec in specs]))
    found = []
    # From the answer's cursor on, so that also those are seen that have started by now.
    for event in client.stream(job_ids=batch.jobs, cursor=batch.cursor):
        if event.job.state == v1.JOB_STATE_RUNNING:
            found.append(event.job.spec.concurrency_key)
            print(f"{event.job.start_time.ToDatetime():%H:%M:%S.%f} a job of {found[-1]!r} starts")
    return found


def main() -> int:
    """Answers the exit status: 0 where the lone job did not wait for the others."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--address", default="127.0.0.1:7433")
    parser.add_argument("--many", type=int, default=20, metavar="N")
    options = parser.parse_args()
    with slotd.Client(options.address) as client:
        limit(client)
        order = starts(client, options.many)
    print(f"The lone job was number {order.index('one') + 1} of {len(order)}.")
    return 0 if order.index("one") < 2 else 1


if __name__ == "__main__":
    raise SystemExit(main())
