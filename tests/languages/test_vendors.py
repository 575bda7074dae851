"""Our stubs beside those of a vendor whose files have the same names, in one process."""

import os
import subprocess
import sys
from pathlib import Path

import google.rpc
import pytest

from tests.languages.languages import ROOT

GENERATOR = ROOT / ".venv-proto" / "bin" / "python"

VENDOR = {
    "job.proto": """
        syntax = "proto3";
        package vendor;
        import "google/rpc/status.proto";
        enum JobState { JOB_STATE_UNSPECIFIED = 0; JOB_STATE_OLD = 9; }
        message Job { int64 number = 1; JobState state = 2; google.rpc.Status status = 3; }
    """,
    "job_service.proto": """
        syntax = "proto3";
        package vendor;
        import "job.proto";
        message SubmitRequest { Job job = 1; }
        service JobService { rpc Submit(SubmitRequest) returns (Job); }
    """,
    "rpc.proto": """
        syntax = "proto3";
        package rpc;
        message Status { int32 code = 1; }
    """,
    "slotd.proto": """
        syntax = "proto3";
        package slotd;
        message Job { string name = 1; }
    """,
    "v1/job.proto": """
        syntax = "proto3";
        package v1;
        message Job { string name = 1; }
    """,
}

TOGETHER = {
    "theirs": "import job_pb2, job_service_pb2, job_service_pb2_grpc, rpc_pb2, slotd_pb2, v1.job_pb2",
    "ours": "import slotd.v1, slotd.v1.worker_service_pb2_grpc",
}

USE = """
import grpc, slotd.v1
channel = grpc.insecure_channel("127.0.0.1:1")
job_service_pb2_grpc.JobServiceStub(channel), slotd.v1.JobServiceStub(channel)
assert job_pb2.Job(number=1, state=9).SerializeToString() == bytes([8, 1, 16, 9])
job = slotd.v1.Job(id="x", state=slotd.v1.JOB_STATE_RUNNING)
assert slotd.v1.Job.FromString(job.SerializeToString()) == job
names = {kind.DESCRIPTOR.full_name for kind in (job_pb2.Job, slotd.v1.Job, slotd_pb2.Job, v1.job_pb2.Job)}
assert names == {"vendor.Job", "slotd.v1.Job", "slotd.Job", "v1.Job"}, names
"""


def protoc(*arguments: str, cwd: Path) -> None:
    if not GENERATOR.exists():
        pytest.skip("the generators are not there: make .venv-proto/.installed")
    subprocess.run([GENERATOR, "-m", "grpc_tools.protoc", *arguments], cwd=cwd, check=True)


def python(folder: Path, *statements: str) -> "subprocess.CompletedProcess[str]":
    """Runs statements with warnings as errors, and the modules in `folder` on the path."""
    command = [sys.executable, "-W", "error", "-c", "\n".join(statements)]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def common() -> str:
    """The folder of Google's common protos."""
    return str(Path(next(iter(google.rpc.__path__))).parents[1])


@pytest.fixture
def vendor(tmp_path: Path, common: str) -> Path:
    """A folder with the stubs of a vendor who thought that nobody else has jobs."""
    for name, text in VENDOR.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    protoc("-I.", f"-I{common}", "--python_out=.", "--grpc_python_out=.", *VENDOR, cwd=tmp_path)
    return tmp_path


@pytest.mark.parametrize("order", [("theirs", "ours"), ("ours", "theirs")], ids=" first, then ".join)
def test_our_stubs_load_and_work_beside_those_of_another_vendor(vendor: Path, order: tuple[str, str]) -> None:
    done = python(vendor, *(TOGETHER[whose] for whose in order), USE)
    assert done.returncode == 0, done.stderr


def test_stubs_generated_from_inside_their_folder_would_not(vendor: Path, common: str) -> None:
    flat = vendor / "flat"
    flat.mkdir()
    # What protoc writes when it is told that the root of the protos is slotd/v1.
    inside = ROOT / "protos" / "slotd" / "v1"
    protoc(f"-I{inside}", f"-I{common}", "--python_out=flat", "job.proto", cwd=vendor)
    (flat / "job_pb2.py").rename(flat / "our_job_pb2.py")
    done = python(vendor, "import sys; sys.path.append('flat')", "import job_pb2", "import our_job_pb2")
    assert "duplicate file name job.proto" in done.stderr
