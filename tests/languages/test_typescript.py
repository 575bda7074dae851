"""The client in clients/typescript."""

from tests.languages.languages import language
from tests.languages.suite import LanguageSuite


class TestTypeScript(LanguageSuite):
    language = language("typescript")
