"""The client in clients/python."""

from tests.languages.languages import language
from tests.languages.suite import PlaysTheScenario


class TestPython(PlaysTheScenario):
    language = language("python")
