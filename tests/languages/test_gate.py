"""The gate that `make check-protos` is: what would break those who have generated stubs does not pass."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.languages.languages import ROOT


@pytest.fixture
def guarded(tmp_path: Path) -> Path:
    """A repository of its own with our protos as its first commit, and the gate."""
    for program in ("npm", "git"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} here")
    if not (ROOT / ".venv-proto").exists():
        pytest.skip("the generators are not there: make .venv-proto/.installed")
    shutil.copytree(ROOT / "protos", tmp_path / "protos")
    (tmp_path / ".ci").mkdir()
    for name in ("buf", "package.json"):
        shutil.copy(ROOT / ".ci" / name, tmp_path / ".ci")
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    (tmp_path / ".venv-proto").symlink_to(ROOT / ".venv-proto")
    if (ROOT / ".ci" / "node_modules").exists():
        (tmp_path / ".ci" / "node_modules").symlink_to(ROOT / ".ci" / "node_modules")
    identity = ["-c", "user.name=Nobody", "-c", "user.email=nobody@localhost"]
    for command in (["init", "-q", "-b", "main"], ["add", "protos"], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("string queue = 3;", "string queue_name = 3;", "changed name"),
        ("JOB_STATE_BLOCKED = 2;", "JOB_STATE_BLOCKED = 12;", "was deleted"),
        ("int64 revision = 16;", "int64 revision = 61;", "was deleted"),
        ('java_package = "io.slotd.v1"', 'java_package = "io.slotd.jobs"', "java_package"),
    ],
)
@pytest.mark.timeout(180)
def test_a_change_that_breaks_others_does_not_pass(guarded: Path, old: str, new: str, complaint: str) -> None:
    change(guarded, old, new)
    done = subprocess.run([".ci/buf"], cwd=guarded, capture_output=True, text=True)
    assert done.returncode != 0
    assert complaint in done.stdout + done.stderr


@pytest.mark.timeout(180)
def test_a_new_field_passes(guarded: Path) -> None:
    change(
        guarded,
        "google.protobuf.Timestamp fire_time = 20;",
        "google.protobuf.Timestamp fire_time = 20;\n  // New.\n  bool new = 99;",
    )
    done = subprocess.run([".ci/buf"], cwd=guarded, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def change(repository: Path, old: str, new: str) -> None:
    file = repository / "protos" / "slotd" / "v1" / "job.proto"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
