"""The client in clients/java."""

from tests.languages.languages import language
from tests.languages.suite import LanguageSuite


class TestJava(LanguageSuite):
    language = language("java")
