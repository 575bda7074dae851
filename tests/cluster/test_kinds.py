"""Which kinds a server takes: those that it runs itself, and those that another one does."""

import pytest

import slotd
from slotd.v1 import JOB_STATE_FAILED
from tests.cluster.conftest import Serve
from tests.cluster.log import server_of
from tests.service import Start

KIND = "exits"
"""Of the fault tests' handlers, which the servers in this process do not have."""


def test_a_server_takes_jobs_of_kinds_that_another_one_runs(start: Start, serve: Serve) -> None:
    here = start(poll=0.05)
    with pytest.raises(slotd.InvalidArgument, match="no handler is registered"):
        here.at.client.submit(KIND)
    other = serve("other", slots=1).connect()
    (there,) = [server.id for server in other.client.list_servers() if server.local]
    declared = other.client.submit(KIND).spec
    job = _submitted_as_soon_as_known(here.at.client)
    assert job.spec.retry.max_attempts == declared.retry.max_attempts == 1, "as its handler declares"
    ended = here.at.client.wait(job)
    assert (ended.state, server_of(ended)) == (JOB_STATE_FAILED, there)
    assert [kind for server in here.at.client.list_servers() for kind in server.kinds].count(KIND) == 1


def _submitted_as_soon_as_known(client: slotd.Client) -> slotd.v1.Job:
    """It is known with the next look at who is there."""
    while True:
        try:
            return client.submit(KIND)
        except slotd.InvalidArgument:
            continue
