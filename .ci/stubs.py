"""Generates the Python stubs of protos/ into clients/python/, or checks that the committed ones are what it writes.

Runs in .venv-proto, which has the pinned generators. With --check it writes nothing, names each file that differs, is
missing or has no proto any more, and exits 1 if there is one.
"""

import argparse
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
OUTPUT = ROOT / "clients" / "python"
PATTERNS = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")


def generate(output: Path) -> None:
    """Writes all stubs below `output`. Raises CalledProcessError when a proto does not compile."""
    protos = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    command = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        f"--proto_path={PROTOS}",
        f"--proto_path={sysconfig.get_path('purelib')}",
        f"--plugin=protoc-gen-mypy={Path(sysconfig.get_path('scripts')) / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={Path(sysconfig.get_path('scripts')) / 'protoc-gen-mypy_grpc'}",
        f"--python_out={output}",
        f"--grpc_python_out={output}",
        f"--mypy_out=quiet:{output}",
        f"--mypy_grpc_out=quiet:{output}",
        *protos,
    ]
    subprocess.run(command, check=True)


def stubs(folder: Path) -> dict[Path, bytes]:
    """The generated files below `folder`, by path relative to it; not what is written by hand beside them."""
    return {path.relative_to(folder): path.read_bytes() for pattern in PATTERNS for path in folder.rglob(pattern)}


def check(fresh: dict[Path, bytes], committed: dict[Path, bytes]) -> int:
    """Tells how the committed stubs differ from fresh ones; 0 where they don't, else 1."""
    complaints = [
        (path, "has no proto any more" if path not in fresh else "is missing" if path not in committed else "is stale")
        for path in sorted(fresh.keys() | committed.keys())
        if fresh.get(path) != committed.get(path)
    ]
    for path, complaint in complaints:
        print(f"clients/python/{path} {complaint}", file=sys.stderr)
    if complaints:
        print("Run `make proto` and commit what it writes.", file=sys.stderr)
        return 1
    print(f"Stubs: {len(fresh)} files, all fresh.")
    return 0


def write(fresh: dict[Path, bytes], committed: dict[Path, bytes]) -> None:
    """Makes the committed stubs equal to the fresh ones; deletes those whose proto is gone."""
    for path in committed.keys() - fresh.keys():
        (OUTPUT / path).unlink()
        print(f"deleted clients/python/{path}")
    for path, content in sorted(fresh.items()):
        if committed.get(path) != content:
            (OUTPUT / path).parent.mkdir(parents=True, exist_ok=True)
            (OUTPUT / path).write_bytes(content)
            print(f"wrote clients/python/{path}")


def main() -> int:
    """Generates into a temporary folder, then checks or writes; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the committed stubs differ")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        fresh = stubs(Path(folder))
    committed = stubs(OUTPUT)
    if arguments.check:
        return check(fresh, committed)
    write(fresh, committed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
