"""A service whose store has been copied goes on where it was: on PostgreSQL, and back on SQLite."""

from pathlib import Path

from click.testing import CliRunner

from slotd.cli.app import root
from slotd.v1 import JOB_STATE_SUCCEEDED
from tests.cluster.log import cursor_now, revision_now, told
from tests.service import Start


def copy(source: str, destination: str) -> None:
    result = CliRunner().invoke(root, ["copy", source, destination])
    assert result.exit_code == 0, result.output


def test_jobs_cursors_and_request_ids_outlive_the_move_and_the_move_back(
    start: Start, database: str, tmp_path: Path
) -> None:
    file, back = f"sqlite:///{tmp_path / 'jobs.db'}", f"sqlite:///{tmp_path / 'back.db'}"
    service = start(store=file)
    cursor = cursor_now(service.at)
    done = service.at.client.submit_and_wait("count", 3, request_id="once")
    service.at.client.update_slots(0)
    waiting = service.at.client.submit("add", [1, 2], queue="later")
    before = told(service.at, cursor, revision_now(service.at))
    service.stop()

    copy(file, database)
    service = start(store=database)
    assert told(service.at, cursor)[: len(before)] == before
    assert service.at.client.submit("count", 3, request_id="once").id == done.id
    assert service.at.client.wait(waiting).state == JOB_STATE_SUCCEEDED
    middle = cursor_now(service.at)
    service.at.client.submit_and_wait("idle")
    events = told(service.at, cursor)
    assert events[: len(before)] == before
    service.stop()

    copy(database, back)
    service = start(store=back)
    service.at.client.submit_and_wait("idle")
    later = told(service.at, cursor)
    assert later[: len(events)] == events
    rest = told(service.at, middle)
    assert rest == later[-len(rest) :]
    assert len(later) > len(rest) > len(later) - len(events)
