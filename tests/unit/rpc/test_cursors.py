"""Cursors and page tokens: back and forth, and refused where they are not ours."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotd import v1
from slotd_server.domain.errors import InvalidArgument
from slotd_server.rpc import cursors
from tests.unit.rpc.samples import OTHER_STORE, STORE

BOOT = "0123456789abcdef"
REVISIONS = st.integers(min_value=0, max_value=2**63 - 1)


@given(REVISIONS)
def test_a_cursor_says_what_it_was_made_of(revision: int) -> None:
    text = cursors.encode(STORE, BOOT, revision)
    assert cursors.decode(text, STORE) == (revision, BOOT)
    assert "=" not in text


def test_a_cursor_of_another_store_is_refused() -> None:
    with pytest.raises(InvalidArgument) as refused:
        cursors.decode(cursors.encode(OTHER_STORE, BOOT, 5), STORE)
    assert refused.value.reason == "CURSOR_FOREIGN"
    assert refused.value.violations == (("cursor", "is of another store"),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "5",
        "not a cursor",
        "ü",
        "A" * 23,
        "A" * 1_000_000,
        cursors.encode(STORE, BOOT, 5) + "A",
        cursors.encode(STORE, BOOT, 5)[:-1],
        cursors.encode(STORE, BOOT, 5) + "=",
        base64.b64encode(b"\1" + b"x" * 16).decode(),
        cursors.encode(STORE, BOOT, -1),
        cursors.encode_page(STORE, cursors.question("List"), cursors.Page(5, b"")),
    ],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        cursors.decode(text, STORE)
    assert refused.value.reason == "INVALID_ARGUMENT"


@given(st.text(max_size=40))
def test_any_text_is_a_cursor_of_ours_or_refused(text: str) -> None:
    try:
        revision, boot = cursors.decode(text, STORE)
    except InvalidArgument:
        return
    assert cursors.encode(STORE, boot, revision) == text


@given(REVISIONS, st.binary(max_size=128))
def test_a_page_token_says_what_it_was_made_of(revision: int, last: bytes) -> None:
    asked = cursors.question("List", v1.JobFilter(kinds=["a"]), 1, True)
    token = cursors.encode_page(STORE, asked, cursors.Page(revision, last))
    assert cursors.decode_page(token, STORE, asked) == (revision, last)


QUESTION = cursors.question("List", v1.JobFilter(kinds=["a"]), 1, True)
TOKEN = cursors.encode_page(STORE, QUESTION, cursors.Page(5, b"12345678"))


@pytest.mark.parametrize(
    ("token", "store", "asked"),
    [
        (TOKEN, OTHER_STORE, QUESTION),
        (TOKEN, STORE, cursors.question("ListQueues", v1.JobFilter(kinds=["a"]), 1, True)),
        (TOKEN, STORE, cursors.question("List", v1.JobFilter(kinds=["b"]), 1, True)),
        (TOKEN, STORE, cursors.question("List", v1.JobFilter(kinds=["a"]), 2, True)),
        (TOKEN, STORE, cursors.question("List", v1.JobFilter(kinds=["a"]), 1, False)),
        (TOKEN[1:], STORE, QUESTION),
        ("", STORE, QUESTION),
        ("nonsense!", STORE, QUESTION),
        (cursors.encode(STORE, BOOT, 5), STORE, QUESTION),
    ],
)
def test_a_page_token_of_another_question_is_refused(token: str, store: str, asked: bytes) -> None:
    with pytest.raises(InvalidArgument) as refused:
        cursors.decode_page(token, store, asked)
    assert refused.value.violations[0][0] == "page_token"


def test_the_order_in_which_labels_were_set_does_not_matter() -> None:
    one = v1.JobFilter(labels={str(number): "x" for number in range(50)})
    other = v1.JobFilter(labels={str(number): "x" for number in reversed(range(50))})
    assert cursors.question("List", one) == cursors.question("List", other)
