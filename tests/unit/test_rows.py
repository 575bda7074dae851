"""Rows as an earlier version wrote them."""

import msgspec

from slotd_server.domain.ties import UNLINKED
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
