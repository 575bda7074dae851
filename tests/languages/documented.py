"""What a page tells its readers to run: the block behind the line `<!-- NAME -->`, and a service to run it against."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.process import ServerProcess
from tests.languages.languages import ROOT


def block(page: Path, name: str) -> str:
    """The block's text. Raises ValueError where there is not exactly one."""
    fenced = re.compile(rf"^<!-- {re.escape(name)} -->\n+```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    found: list[str] = fenced.findall(page.read_text(encoding="utf-8"))
    if len(found) != 1:
        raise ValueError(f"{page.name} has {len(found)} blocks that are marked {name}")
    return found[0]


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a service with the example handlers, as the pages assume one."""
    server = ServerProcess(folder / "service.log")
    try:
        server.begin(str(ROOT / "examples" / "handlers.py"), store=f"sqlite:///{folder / 'slotd.db'}")
        assert server.listening(), server.log.read_text()
        yield server.address
    finally:
        server.close()
