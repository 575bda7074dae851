"""The page of one job: what it writes and how far it is, what it waits for, and what can be done with it."""

import re

from playwright.sync_api import Page, expect

from slotd import v1
from tests.dashboard.complaints import Complaints
from tests.dashboard.conftest import Visit
from tests.dashboard.places import confirm, heading, is_marked, mark, told
from tests.fundamentals.handlers import gate
from tests.service import LocalService, Spawn, reach


def show(visit: Visit, service: LocalService, job: v1.Job) -> Page:
    page = visit(f"{service.url}/jobs/{job.id}")
    expect(heading(page)).to_contain_text(job.id)
    return page


def press(page: Page, name: str) -> None:
    heading(page).get_by_role("button", name=name, exact=True).click()


def test_output_grows_as_the_job_writes_and_the_end_shows_without_a_reload(service: LocalService, visit: Visit) -> None:
    job = service.at.client.submit("print-then-wait", "more")
    page = show(visit, service, job)
    lines = page.get_by_role("region", name="Lines of the output")
    expect(lines).to_have_text("before")
    mark(page)
    gate("more").set()
    expect(lines).to_have_text(re.compile(r"^before\s+after$"))
    expect(heading(page)).to_contain_text("succeeded")
    assert is_marked(page)


def test_progress_moves_while_the_job_runs(spawn: Spawn, visit: Visit) -> None:
    service = spawn(module="examples/handlers.py", http="127.0.0.1:0")
    page = visit(f"{service.url}/submit?kind=sleep")
    page.get_by_label("Payload", exact=True).fill('{"seconds": 60}')
    page.get_by_role("button", name="Submit", exact=True).click()
    bar = page.get_by_role("progressbar")
    expect(bar).to_be_visible()
    first = bar.evaluate("bar => bar.value")
    page.wait_for_function("first => document.querySelector('progress').value > first", arg=first)


def test_a_running_job_is_cancelled_after_being_asked(service: LocalService, visit: Visit) -> None:
    client = service.at.client
    job = client.submit("patient")
    reach(client, job, v1.JOB_STATE_RUNNING)
    page = show(visit, service, job)
    press(page, "Cancel")
    page.get_by_role("dialog").get_by_role("button", name="Back").click()
    assert not client.get(job).cancel_requested
    press(page, "Cancel")
    confirm(page, "Cancel this job?", "Cancel the job")
    expect(told(page, "Asked it to stop")).to_be_visible()
    expect(heading(page)).to_contain_text("cancelled")
    assert client.get(job).state == v1.JOB_STATE_CANCELLED


def test_a_failed_job_shows_why_and_can_be_retried(service: LocalService, visit: Visit) -> None:
    client = service.at.client
    job = client.submit_and_wait("hopeless", "no disk")
    page = show(visit, service, job)
    failed = page.get_by_role("listitem").filter(has_text="Attempt 1 failed")
    expect(failed).to_contain_text("no disk")
    press(page, "Retry")
    expect(told(page, "It waits for another attempt")).to_be_visible()
    expect(failed).to_have_count(2)
    assert len(client.get(job).attempts) == 2


def test_a_deleted_job_is_gone_and_the_page_says_so(service: LocalService, visit: Visit) -> None:
    client = service.at.client
    job = client.submit_and_wait("idle")
    page = show(visit, service, job)
    press(page, "Delete")
    confirm(page, "Delete this job?", "Delete")
    expect(page.get_by_text("This job was deleted.")).to_be_visible()
    assert client.list_page().jobs == []


def test_a_job_that_is_not_there(service: LocalService, visit: Visit, complaints: Complaints) -> None:
    complaints.expect("404")
    page = visit(f"{service.url}/jobs/01890a5d-ac96-774b-bcce-b302099a8057")
    expect(page.get_by_text("There is no such job")).to_be_visible()


def test_it_says_in_words_what_it_waits_for_and_shows_both_directions(service: LocalService, visit: Visit) -> None:
    client = service.at.client
    first = client.submit("gated", "first")
    here = client.submit("add", [1], depends_on=[first])
    last = client.submit("idle", depends_on=[here])
    page = show(visit, service, here)
    expect(page.get_by_text("It is blocked. It waits for:")).to_be_visible()
    expect(page.get_by_text("which it depends on")).to_be_visible()
    graph = page.get_by_role("group", name="Jobs in the order of their dependencies")
    expect(graph.get_by_role("link")).to_have_text([re.compile(kind) for kind in ("gated", "add", "idle")])
    page.get_by_text("As lists").click()
    for title, job in (("It depends on", first), ("These depend on it", last)):
        links = page.locator(".job-lists > div", has_text=title).get_by_role("link")
        expect(links).to_have_count(1)
        expect(links).to_have_attribute("href", f"/jobs/{job.id}")
    graph.get_by_role("link").last.click()
    expect(heading(page)).to_contain_text(last.id)
    gate("first").set()
    expect(heading(page)).to_contain_text("succeeded")
