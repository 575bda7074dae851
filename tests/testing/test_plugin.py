"""The fixtures in a project that has slotd installed: nothing to set up. docs/testing.md has such a project."""

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

_TESTS = """
import pytest
import slotd
from slotd import aio
from slotd.testing import Service, RecordedEvents

@slotd.job("pytester-greet")
def greet(ctx, payload):
    return f"hello {payload}"

def test_registered_handlers_run(slotd_client):
    assert slotd.decode(slotd_client.submit_and_wait("pytester-greet", "you").result) == "hello you"

def test_each_test_has_a_service_of_its_own(slotd_service, slotd_client, slotd_events, slotd_aclient):
    assert isinstance(slotd_service, Service) and isinstance(slotd_events, RecordedEvents)
    assert slotd_client is slotd_service.client and isinstance(slotd_aclient, aio.Client)
    assert list(slotd_client.list()) == []
    assert slotd_client.list_slots().slots == 3

@pytest.mark.slotd(slots=1, handlers={"other": greet})
def test_a_marker_goes_over_the_options(slotd_client):
    assert slotd_client.list_slots().slots == 1
    with pytest.raises(slotd.InvalidArgument):
        slotd_client.submit("pytester-greet")
"""

_CONFTEST = """
import pytest

@pytest.fixture
def slotd_options():
    return {"slots": 3}
"""


def test_fixtures_are_there_by_themselves(pytester: pytest.Pytester) -> None:
    """In one run, which imports all once: this project's tests, and those of the project in the document."""
    here, page = pytester.mkdir("here"), pytester.mkdir("page")
    (here / "conftest.py").write_text(_CONFTEST, encoding="utf-8")
    (here / "test_them.py").write_text(_TESTS, encoding="utf-8")
    text = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
    for name, code in re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        (page / name).write_text(code, encoding="utf-8")
    options = ("asyncio_mode=auto", "asyncio_default_fixture_loop_scope=function", "pythonpath=page")
    given = [part for option in options for part in ("-o", option)]
    result = pytester.runpytest_subprocess("--strict-markers", "-W", "error", *given)
    result.assert_outcomes(passed=3 + 9)
