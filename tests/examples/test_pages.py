"""The Python and the shell commands of the pages run as they stand there, block after block: those of
docs/orchestration.md and docs/schedules.md against a service with the example handlers, those of docs/quickstart.md and
README.md against one with the handlers of the page itself, where it has some."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import pytest

import slotd
from examples.tour.service import ServiceProcess
from slotd import aio

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("docs/orchestration.md", "docs/schedules.md")
CLIENT, AIO_CLIENT = slotd.Client, aio.Client


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A present folder with the names that the pages use, for readers and service alike."""
    for name in ("docs", "examples"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text("some words\n")
    return tmp_path


@contextmanager
def serving(checkout: Path, handlers: Path) -> Iterator[str]:
    """Yields the address of a service whose present folder is `checkout`."""
    with chdir(checkout):
        service = ServiceProcess(checkout, handlers, "127.0.0.1:0", [checkout])
    try:
        yield service.address()
    finally:
        status = service.stop()
    assert status == 0


@pytest.fixture
def address(checkout: Path) -> Iterator[str]:
    with serving(checkout, ROOT / "examples" / "handlers.py") as address:
        yield address


@pytest.fixture
def run(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Runs blocks of Python, each where the one before has left off, with clients of the address that is given."""

    def run(address: str, *code: str) -> dict[str, Any]:
        monkeypatch.setattr(slotd, "Client", lambda _="": CLIENT(address))
        monkeypatch.setattr(aio, "Client", lambda _="": AIO_CLIENT(address))
        names: dict[str, Any] = {}
        with chdir(checkout):
            for number, block in enumerate(code):
                exec(compile(block, f"block {number}", "exec"), names)
        return names

    return run


@pytest.mark.parametrize("page", PAGES)
def test_the_python_of_a_page(page: str, address: str, run: Callable[..., dict[str, Any]]) -> None:
    run(address, *blocks(page, "python"))["client"].close()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page(page: str, address: str, checkout: Path) -> None:
    script = "set -eu\n" + "\n".join(blocks(page, "sh"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLOTD_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-xc", script],
        cwd=checkout,
        env=environment | {"SLOTD_ADDRESS": address, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_the_python_of_the_quickstart(
    checkout: Path, run: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    handlers, *programs = blocks("docs/quickstart.md", "python")
    (checkout / "jobs.py").write_text(handlers)
    with serving(checkout, checkout / "jobs.py") as address:
        for program in programs:
            run(address, program)
    said = capsys.readouterr().out
    assert "JOB_STATE_SUCCEEDED {'greeted': 1}\nhello, Grace\n" in said
    assert "UNKNOWN_KIND {'spec.kind': " in said


def test_the_handler_of_the_readme(checkout: Path, run: Callable[..., dict[str, Any]]) -> None:
    handlers, call, *_ = blocks("README.md", "python")
    (checkout / "handlers.py").write_text(handlers)
    # Its last loop goes on for ever.
    once = call.rstrip("\n") + "\n        break\n"
    with serving(checkout, checkout / "handlers.py") as address:
        assert slotd.decode(run(address, once)["job"].result) == {"text": "Hello, Ada!"}


def test_the_test_of_the_readme(checkout: Path) -> None:
    handlers, _, _, tests = blocks("README.md", "python")
    (checkout / "handlers.py").write_text(handlers)
    (checkout / "test_greetings.py").write_text(tests)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_greetings.py"]
    ended = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout
    assert "1 passed" in ended.stdout


def test_the_graph_of_the_readme(checkout: Path, address: str, run: Callable[..., dict[str, Any]]) -> None:
    jobs = run(address, blocks("README.md", "python")[2])["jobs"]
    assert list(jobs) == ["sums", "words", "report"]
    assert (checkout / "report.csv").is_file()
