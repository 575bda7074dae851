"""Opaque texts that clients hand back: cursors into the event log, and page tokens. Both name their store, and both are
base64url without padding."""

import base64
import binascii
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple

from google.protobuf.message import Message

from slotd_server.domain.errors import InvalidArgument

_CURSOR_VERSION = 1
_PAGE_VERSION = 2
"""The first byte says what it is, and its format: a cursor is no page token, and a later format may use another."""

_ANY_STORE = ""
"""A list by name goes on behind a name, which is as good in one store as in another."""

_LONGEST = 512
"""No text that was ever handed out is longer."""

_CURSOR = Struct(">B8s8sq")
_PAGE = Struct(">B8s8sq")


class Cursor(NamedTuple):
    """The revision at which it stands, and the boot id of the server that handed it out."""

    revision: int
    boot: str


class Page(NamedTuple):
    """Where a list goes on: behind `last`, whatever the method sorts by. `revision` is that of the first page."""

    revision: int
    last: bytes


def encode(store_id: str, boot: str, revision: int) -> str:
    """The cursor at `revision` of a store, handed out by the server with this boot id (16 hexadecimal digits)."""
    return _text(_CURSOR.pack(_CURSOR_VERSION, _store(store_id), bytes.fromhex(boot), revision))


def decode(text: str, store_id: str) -> Cursor:
    """What a cursor of this store says.

    Raises InvalidArgument for what is no cursor, and with reason CURSOR_FOREIGN for one of another store.
    """
    data = _data(text)
    if data is None or len(data) != _CURSOR.size:
        raise InvalidArgument(("cursor", "is not a cursor"))
    version, store, boot, revision = _CURSOR.unpack(data)
    if version != _CURSOR_VERSION or revision < 0:
        raise InvalidArgument(("cursor", "is not a cursor"))
    if store != _store(store_id):
        raise InvalidArgument(("cursor", "is of another store"), reason="CURSOR_FOREIGN")
    return Cursor(revision, boot.hex())


def question(method: str, message: Message | None = None, *more: object) -> bytes:
    """Identifies what a list was asked for; the pages after the first must be asked for the same."""
    parts = [method.encode(), b"" if message is None else message.SerializeToString(deterministic=True)]
    parts += [str(part).encode() for part in more]
    digest = blake2b(digest_size=8)
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return digest.digest()


def encode_page(store_id: str, asked: bytes, page: Page) -> str:
    """The token of the page behind `page.last`; `asked` is from `question`."""
    return _text(_PAGE.pack(_PAGE_VERSION, _store(store_id), asked, page.revision) + page.last)


def decode_page(text: str, store_id: str, asked: bytes) -> Page:
    """What a token of this store says. Raises InvalidArgument for what is none, or is one of another question."""
    data = _data(text)
    if data is None or len(data) < _PAGE.size:
        raise InvalidArgument(("page_token", "is not a page token"))
    version, store, question_then, revision = _PAGE.unpack_from(data)
    if version != _PAGE_VERSION or revision < 0:
        raise InvalidArgument(("page_token", "is not a page token"))
    if store != _store(store_id):
        raise InvalidArgument(("page_token", "is of another store"))
    if question_then != asked:
        raise InvalidArgument(("page_token", "is of a list with other parameters; begin with the first page"))
    return Page(revision, data[_PAGE.size :])


def decode_name(text: str, asked: bytes) -> str:
    """The name behind which a list by name goes on. Raises InvalidArgument as `decode_page` does."""
    try:
        return decode_page(text, _ANY_STORE, asked).last.decode()
    except UnicodeDecodeError:
        raise InvalidArgument(("page_token", "is not a page token")) from None


def encode_name(asked: bytes, name: str) -> str:
    """The token of the page behind `name`."""
    return encode_page(_ANY_STORE, asked, Page(0, name.encode()))


@lru_cache(maxsize=8)
def _store(store_id: str) -> bytes:
    return blake2b(store_id.encode(), digest_size=8).digest()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _data(text: str) -> bytes | None:
    """The bytes of a text that `_text` made; None for any other."""
    if len(text) > _LONGEST:
        return None
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    # Several texts decode to the same bytes; only the one that was handed out is taken.
    return data if _text(data) == text else None
