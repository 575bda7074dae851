"""The service goes away and comes back while somebody looks: the page says so, and catches up by itself."""

import re
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from slotd import spec
from slotd.v1 import JOB_STATE_CANCELLED
from tests.dashboard.complaints import Complaints
from tests.dashboard.conftest import Visit
from tests.dashboard.places import confirm, heading, is_marked, mark, row, told
from tests.service import ChildService, Endpoint, Spawn

LATER = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def service(spawn: Spawn, tmp_path: Path, complaints: Complaints) -> ChildService:
    """One that can be killed and keeps its jobs. While it is away requests fail, and nothing else may."""
    complaints.expect("ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE")
    complaints.expect("ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED")
    return spawn(http="127.0.0.1:0", store=f"sqlite:///{tmp_path / 'x.db'}")


def live(page: Page) -> None:
    """Waits until the page is connected, and says so without the banner."""
    expect(page.get_by_role("banner")).to_contain_text("Live")
    expect(page.get_by_text("Disconnected since")).to_have_count(0)


def shown(page: Page) -> list[str]:
    """The ids of all rows, in their order."""
    return [str(link.get_attribute("title")) for link in page.locator("[data-row] a").all()]


def test_a_tab_says_since_when_it_is_cut_off_and_catches_up_without_a_gap_or_a_double(
    service: ChildService, visit: Visit
) -> None:
    at = Endpoint.at(service.address)
    ids = [at.client.submit_and_wait("idle").id, at.client.submit("idle", schedule_time=LATER).id]
    page = visit(f"{service.url}/jobs")
    for one in ids:
        expect(row(page, one)).to_be_visible()
    live(page)
    mark(page)
    service.stop(signal.SIGKILL)
    banner = page.get_by_role("status").filter(has_text="Disconnected since")
    expect(banner).to_contain_text(re.compile(r"\d\d:\d\d"))
    expect(page.get_by_role("banner")).to_contain_text("Disconnected")
    page.context.set_offline(True)
    service.start_again()
    ids.append(at.client.submit_and_wait("add", [1]).id)
    at.client.cancel(ids[1])
    at.client.wait(ids[1])
    assert shown(page) == [ids[1], ids[0]]
    page.context.set_offline(False)
    live(page)
    expect(row(page, ids[2])).to_contain_text("succeeded")
    expect(row(page, ids[1])).to_contain_text("cancelled")
    ids.append(at.client.submit("idle").id)
    expect(row(page, ids[3])).to_contain_text("succeeded")
    assert shown(page) == ids[::-1]
    assert is_marked(page)
    at.close()


def test_a_change_works_after_a_restart_without_a_reload(service: ChildService, visit: Visit) -> None:
    at = Endpoint.at(service.address)
    job = at.client.submit("idle", schedule_time=LATER)
    page = visit(f"{service.url}/jobs/{job.id}")
    live(page)
    mark(page)
    service.stop(signal.SIGKILL)
    expect(page.get_by_text("Disconnected since")).to_be_visible()
    service.start_again()
    live(page)
    heading(page).get_by_role("button", name="Cancel").click()
    confirm(page, "Cancel this job?", "Cancel the job")
    expect(told(page, "Cancelled")).to_be_visible()
    expect(heading(page)).to_contain_text("cancelled")
    assert is_marked(page)
    assert at.client.wait(job).state == JOB_STATE_CANCELLED
    at.close()


def test_a_tab_that_was_away_for_too_long_lists_anew_by_itself(
    service: ChildService, visit: Visit, complaints: Complaints
) -> None:
    at = Endpoint.at(service.address)
    gone, kept = (at.client.submit_and_wait("idle") for _ in range(2))
    page = visit(f"{service.url}/jobs")
    expect(row(page, gone.id)).to_be_visible()
    live(page)
    mark(page)
    service.stop(signal.SIGKILL)
    expect(page.get_by_text("Disconnected since")).to_be_visible()
    page.context.set_offline(True)
    # What it missed is more than the service has kept.
    service.start_again(events_kept=1)
    at.client.delete(gone)
    at.client.submit_batch([spec("idle") for _ in range(900)])
    last = at.client.submit_and_wait("idle", priority=-1)
    page.context.set_offline(False)
    live(page)
    expect(row(page, last.id)).to_contain_text("succeeded")
    page.get_by_label("Order").select_option("oldest")
    expect(row(page, kept.id)).to_be_visible()
    expect(row(page, gone.id)).to_have_count(0)
    assert is_marked(page)
    at.close()


def test_a_service_that_comes_back_with_another_store_is_shown_as_it_is(
    service: ChildService, visit: Visit, complaints: Complaints, tmp_path: Path
) -> None:
    complaints.expect("400")
    at = Endpoint.at(service.address)
    old = at.client.submit_and_wait("idle")
    page = visit(f"{service.url}/jobs")
    expect(row(page, old.id)).to_be_visible()
    service.stop(signal.SIGKILL)
    expect(page.get_by_text("Disconnected since")).to_be_visible()
    service.start_again(store=f"sqlite:///{tmp_path / 'y.db'}")
    new = at.client.submit("idle")
    live(page)
    expect(row(page, new.id)).to_contain_text("succeeded")
    expect(row(page, old.id)).to_have_count(0)
    at.close()
