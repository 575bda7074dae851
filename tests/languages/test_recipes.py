"""The recipes of docs/stubs.md, by which others generate stubs for languages without a client."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import google.rpc
import pytest

from tests.languages.documented import block, serving
from tests.languages.languages import ROOT

PAGE = ROOT / "docs" / "stubs.md"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the recipes need of a checkout; Google's protos come from the package that their first step installs."""
    for name in ("protos", "buf.yaml", "buf.gen.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (common,) = google.rpc.__path__
    shutil.copytree(common, tmp_path / "build" / "googleapis" / "google" / "rpc")
    return tmp_path


def needed(*programs: str) -> dict[str, str]:
    """The environment for a recipe; skips where it lacks a program."""
    places = os.environ["PATH"] + os.pathsep + str(ROOT / ".ci" / "node_modules" / ".bin")
    for program in programs:
        if shutil.which(program, path=places) is None:
            pytest.skip(f"there is no {program} here")
    return os.environ | {"PATH": places}


def follow(checkout: Path, recipe: str, environment: dict[str, str]) -> None:
    command = ["sh", "-euc", block(PAGE, f"recipe: {recipe}")]
    environment = environment | {"BUF_CACHE_DIR": str(checkout / "build" / "buf-cache")}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with serving(tmp_path) as address:
        yield address


def test_buf_generates_stubs_for_python(checkout: Path) -> None:
    follow(checkout, "buf", needed("buf", "protoc", "grpc_python_plugin"))
    made = checkout / "build" / "stubs" / "python"
    committed = {path.stem for path in (ROOT / "clients" / "python" / "slotd" / "v1").glob("*_pb2*.py")}
    # Only of protos with a service is there a second file.
    assert committed - {path.stem for path in made.rglob("*.py")} <= {"job_pb2_grpc"}
    statements = [
        "from slotd.v1 import job_service_pb2, job_service_pb2_grpc",
        "assert 'build/stubs' in job_service_pb2.__file__",
        "request = job_service_pb2.SubmitRequest(request_id='x')",
        "assert job_service_pb2.SubmitRequest.FromString(request.SerializeToString()) == request",
    ]
    # Without site there are no editable installations, among which slotd is.
    command = [sys.executable, "-S", "-W", "error", "-c", "\n".join(statements)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(made), sysconfig.get_path("purelib")])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("recipe", "folder"), [("ruby", "ruby"), ("buf-ruby", "buf-ruby")])
def test_stubs_for_ruby_talk_to_the_service(checkout: Path, address: str, recipe: str, folder: str) -> None:
    environment = needed("buf", "protoc", "grpc_ruby_plugin", "ruby")
    follow(checkout, recipe, environment)
    done = subprocess.run(
        ["ruby", "-I", str(checkout / "build" / "stubs" / folder), "-e", block(PAGE, "ruby")],
        env=environment | {"SLOTD_ADDRESS": address},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "JOB_STATE_SUCCEEDED\n", done.stderr


def test_stubs_for_php_are_php(checkout: Path) -> None:
    environment = needed("protoc", "grpc_php_plugin", "php")
    follow(checkout, "php", environment)
    made = sorted((checkout / "build" / "stubs" / "php").rglob("*.php"))
    assert "JobServiceClient.php" in {path.name for path in made}
    parse = "foreach (array_slice($argv, 1) as $file) { token_get_all(file_get_contents($file), TOKEN_PARSE); }"
    done = subprocess.run(["php", "-r", parse, *map(str, made)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("recipe", "file"), [("csharp", "Slotd/V1/Job.cs"), ("kotlin", "io/slotd/v1/JobKt.kt")])
def test_messages_are_generated(checkout: Path, recipe: str, file: str) -> None:
    follow(checkout, recipe, needed("protoc"))
    assert (checkout / "build" / "stubs" / recipe / file).exists()
