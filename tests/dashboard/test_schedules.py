"""Schedules: made, triggered, paused, changed and deleted in the page."""

from playwright.sync_api import expect

from slotd import spec
from tests.dashboard.complaints import Complaints
from tests.dashboard.conftest import Visit
from tests.dashboard.places import confirm, heading, row, told
from tests.service import LocalService


def test_a_schedule_is_made_checked_first_and_shows_when_it_fires(
    service: LocalService, visit: Visit, complaints: Complaints
) -> None:
    complaints.expect("400")
    page = visit(f"{service.url}/schedules?new=1")
    page.get_by_label("Name", exact=True).fill("nightly")
    page.get_by_label("Kind").fill("idle")
    cron = page.get_by_label("Cron", exact=True)
    cron.fill("0 25 * * *")
    page.get_by_role("button", name="Only check it").click()
    expect(cron).to_have_attribute("aria-invalid", "true")
    expect(cron).to_be_focused()
    cron.fill("0 2 * * *")
    page.get_by_role("button", name="Only check it").click()
    expect(page.get_by_text("It would be taken, and would fire at:")).to_be_visible()
    assert service.at.client.list_schedules() == []
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("region", name="Schedule nightly")).to_contain_text("Next firings")
    (schedule,) = service.at.client.list_schedules()
    assert (schedule.name, schedule.cron, schedule.spec.kind) == ("nightly", "0 2 * * *", "idle")


def test_a_schedule_is_triggered_and_its_job_shows(service: LocalService, visit: Visit) -> None:
    client = service.at.client
    client.create_schedule("nightly", spec("idle"), cron="0 2 * * *")
    page = visit(f"{service.url}/schedules?schedule=nightly")
    page.get_by_role("button", name="Trigger nightly now").click()
    expect(told(page, "Triggered: job")).to_be_visible()
    (job,) = client.list_page().jobs
    page.get_by_role("link", name="Its jobs").click()
    expect(row(page, job.id)).to_contain_text("succeeded")


def test_a_schedule_is_paused_resumed_changed_and_deleted(service: LocalService, visit: Visit) -> None:
    client = service.at.client
    client.create_schedule("nightly", spec("idle"), cron="0 2 * * *")
    page = visit(f"{service.url}/schedules")
    line = page.get_by_role("row").filter(has_text="nightly")
    page.get_by_role("button", name="Pause nightly").click()
    expect(line).to_contain_text("paused")
    assert client.get_schedule("nightly").paused
    page.get_by_role("button", name="Resume nightly").click()
    expect(line).not_to_contain_text("paused")
    assert not client.get_schedule("nightly").paused
    page.get_by_role("link", name="Edit nightly").click()
    expect(heading(page)).to_contain_text("Edit nightly")
    page.get_by_label("Cron", exact=True).fill("30 4 * * *")
    page.get_by_role("button", name="Save").click()
    expect(line).to_contain_text("30 4 * * *")
    assert client.get_schedule("nightly").cron == "30 4 * * *"
    page.get_by_role("button", name="Delete nightly").click()
    confirm(page, "Delete nightly?", "Delete")
    expect(page.get_by_text("There are no schedules")).to_be_visible()
    assert client.list_schedules() == []
