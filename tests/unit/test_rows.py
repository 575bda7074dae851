"""Jobs as rows: those of an earlier version, and what is remembered of the others."""

import msgspec

from slotd_server.domain.job import Job
from slotd_server.domain.queue import BUILT_IN, Draft
from slotd_server.domain.ties import UNLINKED, Dependency, Ties
from slotd_server.store import rows
from slotd_server.store.rows import read_job, snapshot_bytes, spec_text
from tests.unit.rpc.samples import FULL


def test_a_job_of_an_earlier_version_is_read_without_what_came_later() -> None:
    changing = msgspec.msgpack.decode(snapshot_bytes(FULL))
    for missing, fields in ((1, {"traceparent": ""}), (2, {"traceparent": "", "links": UNLINKED})):
        snapshot = msgspec.msgpack.encode(changing[:-missing])
        payload, result = FULL.spec.payload, FULL.result
        assert payload is not None
        assert result is not None
        row = (FULL.seq, FULL.id, spec_text(FULL.spec), FULL.request_id, *payload, snapshot, *result)
        assert read_job(row) == FULL.evolve(**fields)


def _written_and_read(job: Job) -> tuple[int, int]:
    """How many specs are remembered for writing and for reading."""
    row = (job.seq, job.id, spec_text(job.spec), None, None, None, snapshot_bytes(job), None, None)
    assert read_job(row) == job
    return rows._untied_text.cache_info().currsize, rows._remembered_fixed.cache_info().currsize


def test_no_more_is_remembered_than_fits_into_memory() -> None:
    """What jobs of a kind share is remembered; a thousand dependencies are a job's own."""
    plain = Draft("work").resolve(BUILT_IN)
    ties = Ties(depends_on=tuple(Dependency(job_id=f"job-{number}") for number in range(1_000)))
    before = _written_and_read(Job(1, "plain", plain, FULL.state, 1, 0))
    assert _written_and_read(Job(2, "alike", plain, FULL.state, 2, 0)) == before
    assert _written_and_read(Job(3, "tied", plain._replace(ties=ties), FULL.state, 3, 0)) == before
