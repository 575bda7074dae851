"""The distribution: what the wheel holds, and how little the client alone needs."""

import re
import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """A wheel built from this checkout, without the network."""
    pytest.importorskip("hatchling", reason="the build backend is not installed here")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, text=True)
    (path,) = folder.glob("slotd-*.whl")
    return zipfile.Path(path)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.Path) -> Message:
    """The wheel's METADATA."""
    (folder,) = (entry for entry in wheel.iterdir() if entry.name.endswith(".dist-info"))
    return HeaderParser().parsestr((folder / "METADATA").read_text(encoding="utf-8"))


def tracked(folder: str) -> set[str]:
    """The source files below `folder`, by path relative to it."""
    return {
        str(path.relative_to(ROOT / folder))
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in {".py", ".pyi", ".sql", ".typed"}
    }


def test_the_wheel_holds_every_source_file_and_no_other_package(wheel: zipfile.Path) -> None:
    names = {name for name in wheel.root.namelist() if ".dist-info/" not in name}
    assert names >= tracked("clients/python") | tracked("server")
    assert {name.partition("/")[0] for name in names} == {"slotd", "slotd_server"}


def test_both_packages_are_marked_as_typed(wheel: zipfile.Path) -> None:
    assert (wheel / "slotd" / "py.typed").is_file()
    assert (wheel / "slotd_server" / "py.typed").is_file()


def test_the_stubs_of_every_proto_are_in_the_wheel(wheel: zipfile.Path) -> None:
    names = set(wheel.root.namelist())
    for proto in (ROOT / "protos").rglob("*.proto"):
        stem = proto.relative_to(ROOT / "protos").with_suffix("")
        assert {f"{stem}_pb2.py", f"{stem}_pb2.pyi", f"{stem}_pb2_grpc.py", f"{stem}_pb2_grpc.pyi"} <= names


def test_the_store_finds_its_queries_in_the_wheel(wheel: zipfile.Path) -> None:
    assert [name for name in wheel.root.namelist() if name.startswith("slotd_server/store/") and name.endswith(".sql")]


def test_the_client_alone_needs_grpc_protobuf_and_the_common_protos(metadata: Message) -> None:
    base = {value for value in metadata.get_all("Requires-Dist", []) if "extra ==" not in value}
    names = {re.split(r"[^A-Za-z0-9._-]", value)[0] for value in base}
    assert names == {"grpcio", "protobuf", "googleapis-common-protos"}


def test_the_floors_are_what_the_stubs_were_generated_for(metadata: Message) -> None:
    stub = (ROOT / "clients/python/slotd/v1/job_service_pb2_grpc.py").read_text(encoding="utf-8")
    messages = (ROOT / "clients/python/slotd/v1/job_service_pb2.py").read_text(encoding="utf-8")
    generated_grpc = re.search(r"GRPC_GENERATED_VERSION = '([0-9.]+)'", stub)
    generated_protobuf = re.search(r"Protobuf Python Version: ([0-9.]+)", messages)
    assert generated_grpc is not None
    assert generated_protobuf is not None
    requirements = metadata.get_all("Requires-Dist", [])
    assert f"grpcio>={generated_grpc[1]}" in requirements
    assert f"protobuf>={generated_protobuf[1]}" in requirements


def test_the_command_and_the_license_are_declared(wheel: zipfile.Path, metadata: Message) -> None:
    (folder,) = (entry for entry in wheel.iterdir() if entry.name.endswith(".dist-info"))
    assert "slotd = slotd.cli:main" in (folder / "entry_points.txt").read_text(encoding="utf-8")
    assert metadata["License-Expression"] == "Apache-2.0"
    assert (folder / "licenses" / "LICENSE").is_file()
