"""A client that knows the addresses of several servers goes on with another one when its own is gone."""

from concurrent.futures import ThreadPoolExecutor

import slotd
from slotd import v1
from tests.cluster.log import assert_gapless
from tests.service import LocalService


def test_calls_and_streams_go_on_with_the_next_address(three: list[LocalService]) -> None:
    first, second, _ = three
    addresses = f"ipv4:{first.at.address},{second.at.address}"
    with slotd.Client(addresses) as client, ThreadPoolExecutor(1) as pool:
        assert [server.local for server in client.list_servers()] == [True, False, False]
        cursor = client.list_page(page_size=1).cursor

        def follow() -> list[v1.JobEvent]:
            events: list[v1.JobEvent] = []
            with client.stream(cursor=cursor, include_progress=True) as stream:
                for event in stream:
                    events.append(event)
                    if event.job.spec.queue == "last":
                        return events
            raise AssertionError("the stream ended")

        following = pool.submit(follow)
        client.submit_and_wait("idle")
        first.stop()
        jobs = [client.submit_and_wait("count", 3) for _ in range(5)]
        assert [server.local for server in client.list_servers()] == [True, False]
        client.submit("idle", queue="last")
        events = following.result()
    assert_gapless(events)
    assert {job.id for job in jobs} <= {event.job.id for event in events}
