"""Which jobs a filter shows."""

import pytest

from slotd.top.query import Query
from tests.top.jobs import job


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("", True),
        ("mail", True),
        ("MAIL", True),
        ("kind:send", True),
        ("kind:out", False),
        ("queue:out", True),
        ("queue:send", False),
        ("id:0198-ab", True),
        ("id:send", False),
        ("label:team=blue", True),
        ("label:team", True),
        ("label:team=red", False),
        ("blue", True),
        ("kind:send queue:out label:team=blue", True),
        ("kind:send queue:other", False),
        ("else:send", False),
        ("[bold]", False),
    ],
)
def test_every_word_has_to_match(words: str, shown: bool) -> None:
    one = job("0198-abcdef", kind="send-mail", queue="outgoing")
    one.spec.labels["team"] = "Blue"
    assert Query(words).matches(one) is shown


def test_queues_are_hidden_by_words_about_queues_alone() -> None:
    assert Query("kind:none anything").matches_queue("outgoing")
    assert Query("queue:OUT").matches_queue("outgoing")
    assert not Query("queue:incoming").matches_queue("mail-out")
