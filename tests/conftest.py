"""What holds for every test: the --long option, a run in which nothing may be skipped, Hypothesis's profile, and that
Ctrl-C means something."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.postgres", "tests.stores"]

# A deadline for each example measures the machine, not the code; pytest-timeout bounds the whole test. In CI the same
# examples come every time, so that a red run means a change; elsewhere new ones do the searching.
settings.register_profile(
    "slotd",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
    derandomize="CI" in os.environ,
)
settings.register_profile("long", settings.get_profile("slotd"), max_examples=2_000, derandomize=False)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --long."""
    parser.addoption("--long", action="store_true", help="run what is marked long too, and random tests for longer")


def pytest_configure(config: pytest.Config) -> None:
    """Chooses the Hypothesis profile, and whether skips are forbidden."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # As of a command that a shell has put into the background; all that the tests start would ignore it too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.load_profile("long" if config.getoption("--long") else "slotd")
    if os.environ.get("SLOTD_FORBID_SKIPS") == "1":
        config.pluginmanager.register(NoSkips(), "slotd-no-skips")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests marked long; they are deselected, not skipped, so they are no gap in a run."""
    if config.getoption("--long"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


@pytest.fixture(scope="session")
def long_run(pytestconfig: pytest.Config) -> bool:
    """Whether --long was given: random tests then run for longer."""
    return bool(pytestconfig.getoption("--long"))


class NoSkips:
    """Fails a run in which a test or a module was skipped, and names each with its reason."""

    def __init__(self) -> None:
        self._skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes a skipped test; an expected failure is reported in the same way but is none."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Notes a skipped module."""
        if report.skipped:
            self._note(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fails a run that would have passed."""
        if self._skipped and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Names what was skipped."""
        if self._skipped:
            terminalreporter.section("SLOTD_FORBID_SKIPS: this run fails, for it skipped", red=True)
            for line in self._skipped:
                terminalreporter.write_line(line)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        self._skipped.append(f"{report.nodeid}: {reason}")
