"""The client in clients/rust."""

from tests.languages.languages import language
from tests.languages.suite import LanguageSuite


class TestRust(LanguageSuite):
    language = language("rust")
