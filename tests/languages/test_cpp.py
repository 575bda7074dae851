"""The client in clients/cpp."""

from tests.languages.languages import language
from tests.languages.suite import LanguageSuite


class TestCpp(LanguageSuite):
    language = language("cpp")
