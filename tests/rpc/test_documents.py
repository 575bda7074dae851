"""The documents on streams and operations say what is so: each setting has its row, and the Python in them runs."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from slotd_server.settings import Settings
from tests.service import Endpoint

DOCS = Path(__file__).parents[2] / "docs"


def row(name: str) -> str:
    """The row of a setting in the table, made from the setting."""
    (entry,) = (entry for entry in fields(Settings) if entry.name == name)
    # How many CPUs this machine has is no part of the document.
    default = "CPUs × 4" if name == "slots" else "none" if entry.default in ("", ()) else f"`{entry.default}`"
    flag = entry.metadata["flag"] or name.replace("_", "-")
    return f"| `--{flag}` | `SLOTD_{name.upper()}` | {default} | {entry.metadata['what']} |"


def test_the_table_of_settings_is_the_settings() -> None:
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `--.*SLOTD_.*$", text, re.MULTILINE)
    assert table == [row(entry.name) for entry in fields(Settings)]


def test_the_settings_file_in_the_document_is_one(tmp_path: Path) -> None:
    from slotd_server.settings import load

    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    file = tmp_path / "slotd.toml"
    file.write_text(example, encoding="utf-8")
    settings = load({}, {}, str(file))
    assert (settings.slots, settings.drain_timeout) == (16, 120.0)


def programs() -> list[str]:
    text = (DOCS / "streams.md").read_text(encoding="utf-8")
    return [code for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "127.0.0.1" in code]


@pytest.mark.parametrize("number", range(len(programs())))
def test_the_programs_in_the_document_run(shared: Endpoint, number: int, capsys: pytest.CaptureFixture[str]) -> None:
    code = programs()[number].replace("127.0.0.1:7433", shared.address).replace('"greet"', '"echo-async"')
    exec(compile(code, f"streams.md, program {number}", "exec"), {})
    told = capsys.readouterr().out.splitlines()
    assert len(told) >= 1
    revisions = [int(line.split()[0]) for line in told]
    assert revisions == sorted(revisions)


def test_the_rules_for_a_table_keep_it_right(shared: Endpoint) -> None:
    text = (DOCS / "streams.md").read_text(encoding="utf-8")
    (code,) = (code for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "def apply" in code)
    names: dict[str, object] = {}
    exec("from slotd.v1 import *\n" + code, names)
    apply = names["apply"]
    assert callable(apply)
    cursor = shared.client.list_page().cursor
    kept = [shared.client.submit_and_wait("idle", labels={"in": "table"}) for _ in range(3)]
    shared.client.submit_and_wait("hopeless", "", labels={"in": "table"})
    shared.client.delete(kept.pop())
    table: dict[str, object] = {}
    with shared.client.stream(cursor=cursor, states="succeeded", labels={"in": "table"}) as stream:
        for message in stream.messages():
            for event in message.events:
                apply(table, event)
            if message.synced:
                break
    assert set(table) == {job.id for job in kept}
