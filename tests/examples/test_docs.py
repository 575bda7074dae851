"""The Python in docs/handlers.md and docs/quickstart.md runs as it stands there."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct

from slotd import JobCancelled, JobContext, PermanentError, Snooze
from slotd.codec import decode_value, encode_value
from slotd.handlers import load, registered
from tests.examples.conftest import Make

DOCS = Path(__file__).resolve().parents[2] / "docs"


def blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture
def functions(tmp_path: Path, fresh_registry: None) -> dict[str, Any]:
    """The handlers of handlers.md, by kind, loaded as the service would load them."""
    for number, block in enumerate(blocks("handlers.md")):
        file = tmp_path / f"handlers_page_{number}.py"
        file.write_text(block, encoding="utf-8")
        load(str(file))
    return {kind: handler.function for kind, handler in registered().items()}


def test_the_handlers_page(
    functions: dict[str, Any], ctx: JobContext, cancelled_midway: JobContext, make: Make
) -> None:
    waiting = make(load_results=lambda: {"a": ("application/json", b'{"bytes": 3}'), "b": None})
    assert functions["resize"](ctx, {"width": 3}) == {"width": 3}
    assert functions["index"](ctx, Struct()) == Struct()
    assert registered()["index"].payload is Struct
    assert functions["poll"](ctx, {"times": 1, "every": 0}) == "done"
    ctx.cancel()
    with pytest.raises(JobCancelled):
        functions["poll"](ctx, {"times": 1, "every": 3600})
    assert functions["mail"](ctx, {"to": "a"}) is None
    with pytest.raises(PermanentError):
        functions["mail"](ctx, {"to": ""})
    with pytest.raises(Snooze):
        functions["mail"](ctx, {"to": "busy"})
    assert asyncio.run(functions["fan-out"](ctx, [0, 0])) == 0
    with pytest.raises(JobCancelled):
        functions["count"](cancelled_midway, 3)
    assert functions["total"](waiting, None) == 3
    assert waiting.take().output == b"without b\n"


def anchors(page: Path) -> set[str]:
    """Those that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*DOCS.glob("*.md"), DOCS.parent / "README.md"], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_the_tests_of_the_handlers_page(tmp_path: Path) -> None:
    (tmp_path / "test_count.py").write_text(blocks("handlers.md")[-1], encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert "2 passed" in result.stdout, result.stdout


@pytest.mark.parametrize(
    ("content_type", "data", "value"),
    [
        ("application/json", b'{"a":1}', {"a": 1}),
        ("text/plain", b"a", "a"),
        ("image/png", b"\x89", b"\x89"),
        ("", b"\x89", b"\x89"),
    ],
)
def test_the_table_of_payloads(content_type: str, data: bytes, value: object) -> None:
    assert decode_value(content_type, data) == value


def test_the_table_of_results() -> None:
    assert encode_value("a") == ("application/json", b'"a"')
    assert encode_value(Struct()) == ("application/protobuf; type=google.protobuf.Struct", b"")
    assert encode_value(b"a") == ("application/octet-stream", b"a")
    assert encode_value(None) is None
