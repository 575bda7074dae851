"""Who holds slots, how many there are, and the limits of queues: the overview, the queues and the workers."""

import re
import subprocess
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from slotd.v1 import JOB_STATE_FAILED, JOB_STATE_RUNNING
from tests.cli.conftest import command, environment
from tests.dashboard.complaints import Complaints
from tests.dashboard.conftest import Visit
from tests.dashboard.places import confirm, heading, told
from tests.fundamentals.handlers import gate
from tests.service import HANDLERS, LocalService, reach

STOP_SECONDS = 20

RunWorker = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def run_worker(service: LocalService) -> Iterator[RunWorker]:
    """Starts `slotd worker` with these words behind it."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*words: str) -> "subprocess.Popen[bytes]":
        started.append(
            subprocess.Popen(
                command("worker", HANDLERS, *words),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment(SLOTD_ADDRESS=service.at.address),
            )
        )
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait(STOP_SECONDS)


def pool(page: Page, name: str) -> Locator:
    """The picture of a pool's slots, with what stands above it."""
    return page.get_by_role("group", name=re.compile(f"^{name}"))


def test_the_picture_of_the_slots_shows_what_each_is_and_who_holds_it(service: LocalService, visit: Visit) -> None:
    client = service.at.client
    deaf = client.submit("gated", "deaf", timeout=0.05)
    reach(client, deaf, JOB_STATE_FAILED)
    running = client.submit("patient")
    reach(client, running, JOB_STATE_RUNNING)
    page = visit(service.url)
    mine = pool(page, "this server")
    expect(mine).to_contain_text("1 running, 1 zombie, 2 free of 4")
    slot = mine.get_by_role("slider", name="Slot")
    slot.focus()
    seen = []
    for _ in range(4):
        seen.append(str(slot.get_attribute("aria-valuetext")).partition(", attempt")[0])
        page.keyboard.press("ArrowRight")
    assert sorted(text.partition(": ")[2] for text in seen) == ["free", "free", "running, patient", "zombie, gated"]
    page.get_by_text("Who holds them, as a list").click()
    holders = page.get_by_role("region", name="Who holds slots")
    for job, state in ((deaf, "zombie"), (running, "running")):
        line = holders.get_by_role("row").filter(has=page.locator(f"a[href='/jobs/{job.id}']"))
        expect(line).to_contain_text(state)
    gate("deaf").set()
    expect(mine).to_contain_text("1 running, 3 free of 4")


def test_a_slot_that_is_pointed_at_tells_who_holds_it_and_a_press_keeps_it(service: LocalService, visit: Visit) -> None:
    job = service.at.client.submit("patient")
    page = visit(service.url)
    mine = pool(page, "this server")
    expect(mine).to_contain_text("1 running")
    mine.locator("svg").click(position={"x": 5, "y": 5})
    facts = page.locator(".slots-told")
    expect(facts).to_contain_text("patient")
    facts.get_by_role("link").click()
    expect(heading(page)).to_contain_text(job.id)


def test_the_server_s_pool_is_resized_and_shrinks_as_jobs_end(service: LocalService, visit: Visit) -> None:
    client = service.at.client
    jobs = [client.submit("gated", name) for name in ("a", "b")]
    for job in jobs:
        reach(client, job, JOB_STATE_RUNNING)
    page = visit(service.url)
    page.get_by_role("button", name="Resize").click()
    dialog = page.get_by_role("dialog", name="Resize this server's pool")
    dialog.get_by_label("Slots").fill("1")
    expect(dialog).to_contain_text("Nothing is stopped")
    dialog.get_by_role("button", name="Shrink below what runs").click()
    expect(told(page, "This server has 1 slot")).to_be_visible()
    expect(pool(page, "this server")).to_contain_text("2 running, 0 free of 2, shrinking to 1")
    gate("a").set()
    expect(pool(page, "this server")).to_contain_text("1 running, 0 free of 1")
    assert client.list_slots().slots == 1


def test_a_size_that_the_service_refuses_is_told_at_the_field(
    service: LocalService, visit: Visit, complaints: Complaints
) -> None:
    complaints.expect("400")
    page = visit(service.url)
    page.get_by_role("button", name="Resize").click()
    field = page.get_by_role("dialog").get_by_label("Slots")
    field.fill("10001")
    field.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    assert service.at.client.list_slots().slots == 4


def test_a_queue_is_paused_and_resumed(service: LocalService, visit: Visit) -> None:
    client = service.at.client
    client.submit_and_wait("idle", queue="mail")
    page = visit(f"{service.url}/queues")
    line = page.get_by_role("row").filter(has=page.get_by_role("link", name="mail", exact=True))
    line.get_by_role("button", name="Pause mail").click()
    confirm(page, "Pause mail?", "Pause")
    expect(line).to_contain_text("paused")
    assert client.get_queue("mail").paused
    line.get_by_role("button", name="Resume mail").click()
    confirm(page, "Resume mail?", "Resume")
    expect(line).not_to_contain_text("paused")
    assert not client.get_queue("mail").paused


def test_limits_are_changed_and_what_the_service_refuses_is_told_at_its_field(
    service: LocalService, visit: Visit, complaints: Complaints
) -> None:
    complaints.expect("400")
    client = service.at.client
    client.update_queue("mail", max_queued=9)
    page = visit(f"{service.url}/queues?edit=mail")
    dialog = page.get_by_role("dialog", name="Limits of mail")
    dialog.get_by_label("Slots", exact=True).fill("3")
    wrong = dialog.get_by_label("Each wait times")
    wrong.fill("0.5")
    # What somebody else sets meanwhile stays.
    client.update_queue("mail", max_queued=77)
    dialog.get_by_role("button", name="Save").click()
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_be_focused()
    assert not client.get_queue("mail").HasField("slots")
    wrong.fill("2")
    dialog.get_by_role("button", name="Save").click()
    expect(told(page, "Saved mail")).to_be_visible()
    expect(dialog).to_have_count(0)
    queue = client.get_queue("mail")
    assert (queue.slots, queue.max_queued, queue.defaults.retry.multiplier) == (3, 77, 2)


def test_a_worker_comes_runs_something_and_leaves_when_it_is_drained(
    service: LocalService, visit: Visit, run_worker: RunWorker
) -> None:
    page = visit(f"{service.url}/workers")
    expect(page.get_by_text("No worker is connected")).to_be_visible()
    service.at.client.update_slots(0)
    process = run_worker("--name", "blue", "--slots", "3")
    line = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="blue"))
    expect(line).to_contain_text("connected")
    job = service.at.client.submit("patient")
    reach(service.at.client, job, JOB_STATE_RUNNING)
    expect(line.get_by_role("cell").nth(6)).to_have_text("1")
    line.get_by_role("button", name="Drain blue").click()
    confirm(page, "Drain blue?", "Drain")
    expect(line).to_contain_text("draining")
    # It lets end what it runs.
    service.at.client.cancel(job)
    expect(page.get_by_text("No worker is connected")).to_be_visible()
    assert process.wait(STOP_SECONDS) == 0
