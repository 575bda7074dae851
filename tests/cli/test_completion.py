"""Shell completion: the scripts, and the words that come from the service."""

import pytest
from click.testing import CliRunner

from slotd import v1
from slotd.cli.app import root
from tests.cli.conftest import Service, Slotd


def suggested(service: Service, *words: str, address: str | None = None) -> list[str]:
    """What bash is told to suggest for the last word."""
    line = ["slotd", "--address", address or service.address, *words]
    result = CliRunner().invoke(
        root,
        prog_name="slotd",
        env={
            "_SLOTD_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(line),
            "COMP_CWORD": str(len(line) - 1),
        },
    )
    return [found.partition(",")[2] for found in result.stdout.splitlines() if found]


def test_ids_states_queues_and_kinds(service: Service) -> None:
    jobs = [service.shelf.add("count"), service.shelf.add("thumbnail")]
    service.shelf.queues["video"] = v1.Queue(name="video")
    assert suggested(service, "get", "0198") == [job.id for job in jobs[::-1]]
    assert suggested(service, "list", "--state", "s") == ["scheduled", "succeeded"]
    assert suggested(service, "list", "--queue", "v") == ["video"]
    assert suggested(service, "submit", "th") == ["thumbnail"]
    service.shelf.add("sew", group="dresses")
    service.shelf.schedules["nightly"] = v1.Schedule(name="nightly")
    assert suggested(service, "list", "--group", "d") == ["dresses"]
    assert suggested(service, "group", "show", "") == ["dresses"]
    assert suggested(service, "submit", "sew", "--after-group", "d") == ["dresses"]
    assert suggested(service, "schedule", "trigger", "n") == ["nightly"]
    assert suggested(service, "cancel", "--schedule", "n") == ["nightly"]
    assert suggested(service, "submit", "sew", "--unique-conflict", "re") == ["return_existing", "refuse", "replace"]
    assert suggested(service, "wa") == ["watch", "wait"]
    assert suggested(service, "queue", "update", "v") == ["video"]


@pytest.mark.parametrize("address", ["unix:/nonexistent/slotd.sock", "http://nowhere"])
def test_without_a_service_there_are_no_suggestions(service: Service, address: str) -> None:
    assert suggested(service, "get", "0", address=address) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_and_how_to_load_it(slotd: Slotd, shell: str) -> None:
    result = slotd("completion", shell)
    assert result.exit_code == 0
    assert "_SLOTD_COMPLETE" in result.stdout
    assert result.stdout.startswith("# Load it in every shell")
    assert slotd("completion", "csh").exit_code == 2
