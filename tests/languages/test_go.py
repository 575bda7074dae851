"""The client in clients/go."""

from tests.languages.languages import language
from tests.languages.suite import LanguageSuite


class TestGo(LanguageSuite):
    language = language("go")
