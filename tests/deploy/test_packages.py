"""The wheel and the source distribution: what they hold, what they say of themselves, and that they never differ."""

import re
import tarfile
import zipfile
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

import pytest

from tests.deploy.conftest import ROOT, build, lint, program

CODE = {".json", ".py", ".pyi", ".sql", ".tcss", ".typed"}
PAGE = {".css", ".html", ".ico", ".js", ".png", ".svg", ".webmanifest", ".woff2"}
"""The suffixes of what the packages, and the page in one of them, may hold: no source maps, for one."""


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    """All files of the wheel but its own record."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


@pytest.fixture(scope="module")
def record(wheel: Path) -> zipfile.Path:
    """The wheel's .dist-info."""
    (folder,) = (entry for entry in zipfile.Path(wheel).iterdir() if entry.name.endswith(".dist-info"))
    return folder


@pytest.fixture(scope="module")
def metadata(record: zipfile.Path) -> Message:
    return HeaderParser().parsestr((record / "METADATA").read_text(encoding="utf-8"))


def sources(package: str) -> set[str]:
    """The files of a package in the checkout, by their names in the wheel."""
    folder = ROOT / package
    return {
        str(path.relative_to(folder.parent))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_two_packages_and_nothing_else(names: set[str]) -> None:
    assert names == sources("clients/python/slotd") | sources("server/slotd_server")
    assert {name.partition("/")[0] for name in names} == {"slotd", "slotd_server"}
    assert {Path(name).suffix for name in names} <= CODE | PAGE


def test_both_packages_are_marked_as_typed(names: set[str]) -> None:
    assert {"slotd/py.typed", "slotd_server/py.typed"} <= names


def test_the_stubs_of_every_proto_are_in_the_wheel(names: set[str]) -> None:
    for proto in (ROOT / "protos").rglob("*.proto"):
        stem = proto.relative_to(ROOT / "protos").with_suffix("")
        assert {f"{stem}_pb2.py", f"{stem}_pb2.pyi", f"{stem}_pb2_grpc.py", f"{stem}_pb2_grpc.pyi"} <= names


def test_the_client_alone_needs_grpc_protobuf_and_the_common_protos(metadata: Message) -> None:
    base = {value for value in metadata.get_all("Requires-Dist", []) if "extra ==" not in value}
    required = {re.split(r"[^A-Za-z0-9._-]", value)[0] for value in base}
    assert required == {"grpcio", "protobuf", "googleapis-common-protos"}


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


def test_the_command_and_the_license_are_declared(record: zipfile.Path, metadata: Message) -> None:
    assert "slotd = slotd.cli:main" in (record / "entry_points.txt").read_text(encoding="utf-8")
    assert metadata["License-Expression"] == "Apache-2.0"
    assert (record / "licenses" / "LICENSE").is_file()


def test_what_is_built_from_the_source_distribution_is_the_same_to_the_byte(
    wheel: Path, sdist: Path, tmp_path: Path
) -> None:
    """So it holds all that it takes, and a build depends on nothing else: no time, no place, no state of a checkout."""
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    for file in source.rglob("*.py"):
        file.chmod(0o600)
    assert build(tmp_path / "wheel", source=source).read_bytes() == wheel.read_bytes()
    assert build(tmp_path / "sdist", source=source, target="sdist").read_bytes() == sdist.read_bytes()


def test_the_source_distribution_holds_no_more_than_it_takes(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {Path(*Path(member.name).parts[1:]) for member in archive.getmembers() if member.isfile()}
    tops = {name.parts[0] for name in names}
    assert tops == {
        ".gitignore",
        "CHANGELOG.md",
        "LICENSE",
        "PKG-INFO",
        "README.md",
        "clients",
        "protos",
        "pyproject.toml",
        "server",
    }
    assert {name.suffix for name in names if len(name.parts) > 1} <= CODE | PAGE | {".proto"}


def test_check_wheel_contents_finds_nothing(wheel: Path) -> None:
    lint(program("check-wheel-contents"), "--toplevel=slotd,slotd_server", wheel)


def test_twine_would_upload_both(wheel: Path, sdist: Path) -> None:
    lint(program("twine"), "check", "--strict", wheel, sdist)


def test_the_project_file_is_what_its_schemas_say() -> None:
    lint(program("validate-pyproject"), ROOT / "pyproject.toml")
