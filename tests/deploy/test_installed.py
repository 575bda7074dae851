"""The wheel installed where nothing else is: it serves, runs a job, and shows the page."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.deploy.conftest import ROOT
from tests.deploy.installed import Installed

HANDLERS = ROOT / "deploy" / "handlers.py"
STOP_SECONDS = 20


@contextmanager
def serving(installed: Installed, *flags: str, lines: int = 1) -> Iterator[list[str]]:
    """`slotd serve` with a store in the environment's folder; yields the last word of each line that it prints."""
    command = installed.command("serve", str(HANDLERS), "--listen=127.0.0.1:0", "--drain-timeout=0", *flags)
    with (installed.folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=installed.folder, env=installed.environment()
        )
    assert process.stdout is not None
    try:
        said = [process.stdout.readline().split() for _ in range(lines)]
        assert all(said), (installed.folder / "log").read_text()
        yield [words[-1] for words in said]
    finally:
        process.terminate()
        try:
            status = process.wait(STOP_SECONDS)
        finally:
            process.kill()
            process.stdout.close()
    assert status == 0


@pytest.fixture(scope="module")
def server(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("server") / "venv", wheel, ["server"])


@pytest.fixture(scope="module")
def web(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("web") / "venv", wheel, ["web"])


def test_with_the_extra_server_it_runs_a_job(server: Installed) -> None:
    with serving(server) as (address,):
        done = server.run("submit", "greet", '{"name": "Ada"}', "--wait", "--address", address, "-o", "json")
    job = json.loads(done.splitlines()[-1])["job"]
    assert job["result"]["value"] == {"text": "Hello, Ada!"}


def test_without_the_extra_web_http_says_what_it_takes(server: Installed) -> None:
    refused = subprocess.run(
        server.command("serve", "--listen=127.0.0.1:0", "--http=127.0.0.1:0"),
        capture_output=True,
        text=True,
        cwd=server.folder,
        env=server.environment(),
        timeout=30,
    )
    assert refused.returncode == 1
    assert "install 'slotd[web]'" in refused.stderr


def test_with_the_extra_web_it_answers_http_and_shows_the_page(web: Installed) -> None:
    with serving(web, "--http=127.0.0.1:0", lines=2) as (_, url):
        submit = Request(f"{url}/slotd.v1.JobService/Submit", data=b'{"spec": {"kind": "greet"}}')
        with urlopen(submit, timeout=10) as answer:
            assert json.load(answer)["job"]["spec"]["kind"] == "greet"
        with urlopen(f"{url}/metrics", timeout=10) as answer:
            assert b"slotd_jobs_submitted_total" in answer.read()
        with urlopen(f"{url}/openapi.json", timeout=10) as answer:
            assert "/slotd.v1.JobService/Submit" in json.load(answer)["paths"]
        with urlopen(url, timeout=10) as answer:
            assert b'<script type="module"' in answer.read()


def test_without_an_extra_the_command_says_what_it_takes(wheel: Path, tmp_path: Path) -> None:
    bare = Installed(tmp_path / "venv", wheel, [])
    done = subprocess.run(bare.command(), capture_output=True, text=True, env=bare.environment(), timeout=30)
    assert (done.returncode, "install 'slotd[cli]'" in done.stderr) == (2, True)
