"""How the command ends when something is missing: the service, the extra, the reader, the patience of who called it."""

import signal
import subprocess
import sys
import types

import click
import pytest
from click.testing import CliRunner
from google.rpc import status_pb2

import slotd.cli
from slotd import v1
from slotd.cli import main
from slotd.cli.app import root
from tests.cli.conftest import Service, command, environment

# Nothing listens on a unix socket that is not there.
ABSENT = "unix:/nonexistent/slotd.sock"


@pytest.mark.parametrize(
    "words",
    [
        "submit count",
        "submit count --wait",
        "watch",
        "wait x",
        "output x",
        "cancel x y",
        "cancel --all",
        "update x --priority 1",
        "group show g",
        "schedules",
        "schedule trigger s",
        "purge",
        "stats",
        "health",
    ],
)
def test_no_service(words: str) -> None:
    result = CliRunner().invoke(root, [*words.split(), "--address", ABSENT])
    assert result.exit_code == 4
    assert result.stdout == ""
    assert result.stderr == f"Error: no service at {ABSENT}: start one with `slotd serve`\n"


@pytest.mark.parametrize("words", [["lst"], ["queue", "udpate"], ["watsh", "--latest"]])
def test_a_mistyped_command_is_answered_with_the_one_that_was_meant(words: list[str]) -> None:
    result = CliRunner().invoke(root, words)
    assert result.exit_code == 2
    meant = {"lst": "list", "udpate": "update", "watsh": "watch"}[words[-1] if words[0] == "queue" else words[0]]
    assert f"Did you mean {meant}" in result.stderr


def test_an_address_that_is_none() -> None:
    result = CliRunner().invoke(root, ["list", "--address", "http://localhost:7433"])
    assert result.exit_code == 2
    assert "an address has no scheme" in result.stderr


def test_the_address_comes_from_the_environment_unless_it_is_given(service: Service) -> None:
    there = CliRunner().invoke(root, ["list"], env={"SLOTD_ADDRESS": service.address})
    assert there.exit_code == 0
    given = CliRunner().invoke(root, ["list", "--address", service.address], env={"SLOTD_ADDRESS": ABSENT})
    assert given.exit_code == 0


def test_a_locale_that_cannot_write_it_gets_escapes(service: Service) -> None:
    job = service.shelf.add(state=v1.JOB_STATE_FAILED, error=status_pb2.Status(code=2, message="…grün"))
    result = subprocess.run(
        command("--address", service.address, "get", job.id),
        env=environment(PYTHONIOENCODING="ascii"),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert r"\u2026gr\xfcn" in result.stdout


def test_words_that_are_not_utf8(service: Service) -> None:
    result = subprocess.run(
        [*(word.encode() for word in command("--address", service.address, "submit")), b"\xff"],
        env=environment(),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert result.returncode == 2
    assert b"Traceback" not in result.stderr


def test_help_needs_no_service() -> None:
    result = CliRunner().invoke(root, ["--help"])
    assert result.exit_code == 0
    assert "serve" in result.stdout
    for name in root.commands:
        if name != "serve":
            assert CliRunner().invoke(root, [name, "--help"]).exit_code == 0


def test_serve_without_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "slotd_server.__main__", None)
    result = CliRunner().invoke(root, ["serve"])
    assert result.exit_code == 2
    assert "install 'slotd[server]'" in result.stderr


def test_serve_hands_all_its_words_to_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    @click.argument("modules", nargs=-1)
    @click.option("--listen")
    def serve(modules: tuple[str, ...], listen: str) -> None:
        """The service's own help."""
        click.echo(f"{modules} {listen}")

    module = types.ModuleType("slotd_server.__main__")
    monkeypatch.setattr(module, "serve", serve, raising=False)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert CliRunner().invoke(root, ["serve", "a", "b.py", "--listen", "x"]).stdout == "('a', 'b.py') x\n"
    assert "The service's own help." in CliRunner().invoke(root, ["serve", "--help"]).stdout
    assert CliRunner().invoke(root, ["serve", "--nonsense"]).exit_code == 2


@pytest.mark.parametrize("missing", ["click", "grpc_health", "rich"])
def test_without_the_extra(missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in [name for name in sys.modules if name.startswith(("slotd.cli.", f"{missing}."))]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name, found in vars(slotd.cli).items() if getattr(found, "__package__", "") == "slotd.cli"]:
        # Where `from slotd.cli import …` looks first.
        monkeypatch.delattr(slotd.cli, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"slotd: the command line needs {missing}: install 'slotd[cli]'\n"


def test_a_reader_who_goes_away_is_no_error(service: Service) -> None:
    for _ in range(400):
        service.shelf.add("a-kind-with-a-long-name")
    process = subprocess.Popen(
        command("--address", service.address, "list", "--all", "-o", "json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout as stdout, process.stderr as stderr:
        stdout.readline()
        stdout.close()
        assert stderr.read() == b""
    assert process.wait(timeout=30) == 141


def test_ctrl_c_leaves_the_job_running_and_says_so(service: Service) -> None:
    service.shelf.scripts["endless"] = [v1.Job(state=v1.JOB_STATE_RUNNING)]
    process = subprocess.Popen(
        command("--address", service.address, "submit", "endless", "--wait"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    assert "RUNNING" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    (job_id,) = service.shelf.jobs
    assert process.returncode == 130
    assert f"job {job_id} goes on" in said
    assert "Traceback" not in said


def test_the_module_is_the_command() -> None:
    result = subprocess.run(
        command("--help"), env=environment(), capture_output=True, text=True, check=True, timeout=30
    )
    assert result.stdout.startswith("Usage: slotd ")
