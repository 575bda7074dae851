"""Each language's suite plays the sections that its client has to pass."""

import pytest

from tests.languages.scenario import sections_for


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives a test that takes a `section` one for each of the language's."""
    if "section" in metafunc.fixturenames:
        assert metafunc.cls is not None
        found = sections_for(metafunc.cls.language.workers)
        metafunc.parametrize("section", found, ids=[section.name for section in found])
