"""What `import slotd` gives, and what it costs."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

import pytest

import slotd


def test_every_name_is_there() -> None:
    for name in slotd.__all__:
        if name != "__version__":
            assert getattr(slotd, name) is not None, name
    assert set(slotd.__all__) <= set(dir(slotd))


def test_submodules_do_not_hide_functions() -> None:
    assert callable(slotd.spec)
    assert callable(slotd.job)
    assert slotd.aio.Client.__module__ == "slotd.aio"
    assert slotd.v1.Job is not None


def test_the_version_is_the_distribution_s() -> None:
    try:
        expected = importlib.metadata.version("slotd")
    except importlib.metadata.PackageNotFoundError:
        expected = "0+unknown"
    assert slotd.__version__ == expected


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Klient'"):
        _ = slotd.Klient  # type: ignore[attr-defined]


def test_importing_it_loads_no_grpc() -> None:
    script = "import sys, slotd; sys.exit('grpc' in sys.modules or 'slotd.v1' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_client_needs_nothing_of_the_server_or_the_command_line() -> None:
    script = (
        "import sys, slotd, slotd.aio; slotd.Client; "
        "sys.exit(bool({'slotd_server', 'click', 'rich', 'structlog'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
