"""`examples/run.py`, end to end: the service as a child process, the batch, the second run, and its end."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import slotd
from examples.tour import service

ROOT = Path(__file__).resolve().parents[2]
START = "The service listens on "


def command(var: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "examples" / "run.py"), "--var", str(var), "--http", "127.0.0.1:0", *arguments]


def environment() -> dict[str, str]:
    """Without what would steer the service or keep lines back."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLOTD_")}
    return kept | {"PYTHONUNBUFFERED": "1", "no_proxy": "*"}


def run(var: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(var, *arguments), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@pytest.mark.timeout(240)
def test_a_tour_and_another_one_that_stays_up(tmp_path: Path) -> None:
    first = run(tmp_path, "--exit", "--listen", "127.0.0.1:0")
    assert first.returncode == 0, first.stdout
    assert "All went as it was meant to." in first.stdout
    assert "thumbnails of a folder" in first.stdout
    assert "earlier runs" not in first.stdout
    assert "The dashboard is at http://127.0.0.1:" in first.stdout
    output = tmp_path / "output"
    assert (output / "texts.tar.xz").stat().st_size > 1000
    assert (output / "fetched.bin").read_bytes() == (tmp_path / "samples" / "blobs" / "blob-00.bin").read_bytes()
    assert (output / "report.csv").read_text().splitlines()[0].startswith("job,files,bytes,sha256,lines,words")
    assert len(list((output / "thumbnails").iterdir())) == 16
    assert not list(tmp_path.rglob("*.partial"))

    address, lines = "", []
    with subprocess.Popen(
        command(tmp_path, "--listen", "127.0.0.1:0"), env=environment(), stdout=subprocess.PIPE, text=True
    ) as second:
        assert second.stdout is not None
        for line in second.stdout:
            lines.append(line)
            if line.startswith(START):
                address = line.removeprefix(START).partition(",")[0]
            if line.startswith("Handlers keep to paths"):
                break
        text = "".join(lines)
        assert "There are jobs of earlier runs" in text
        assert "All went as it was meant to." in text
        assert f"--address {address} watch" in text
        assert "pipeline.py" in text
        with slotd.Client(address) as client:
            job = client.submit_and_wait("noop", {"still": "up"}, wait_timeout=20)
            assert slotd.decode(job.result) == {"still": "up"}
        second.send_signal(signal.SIGTERM)
        rest = second.stdout.read()
    assert second.returncode == 0, rest
    assert "Stopping" in rest


def test_a_service_that_cannot_start_says_why(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run(tmp_path, "--exit", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert result.returncode == 1
    assert "did not start" in result.stdout
    assert "is another server there?" in result.stdout


def test_another_port_where_the_usual_one_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        listen, why = service.free_address(f"127.0.0.1:{port}")
        assert listen == "127.0.0.1:0"
        assert f"Port {port} is taken" in why
    assert service.free_address(f"127.0.0.1:{port}") == (f"127.0.0.1:{port}", "")
