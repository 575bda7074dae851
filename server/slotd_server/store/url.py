"""What a store's URL says, and how it is shown: sqlite:///PATH, or postgresql://… as libpq reads it."""

import re
from typing import Any
from urllib.parse import unquote

FORMS = "sqlite:///PATH or postgresql://[USER[:PASSWORD]@]HOST[:PORT][,…]/DATABASE"
"""What a URL may look like."""

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")

_HOST = r"(?:\[[0-9A-Fa-f:.%]+\]|[^\[\]:/?@,]*)(?::\d*)?"
_URI = re.compile(
    rf"(?P<scheme>\w+)://(?:(?P<user>[^:/?@]*)(?::[^/@]*)?@)?(?P<hosts>{_HOST}(?:,{_HOST})*)(?P<database>/[^?@:]*)?"
    r"(?:\?(?P<parameters>[^@]*))?"
)
_HARMLESS = frozenset(
    {
        "application_name",
        "connect_timeout",
        "host",
        "hostaddr",
        "load_balance_hosts",
        "port",
        "service",
        "sslmode",
        "target_session_attrs",
        "user",
    }
)


class BadUrl(ValueError):
    """No URL of a store. The message says why, without anything that could be a password."""


def sqlite_path(url: str) -> str | None:
    """The path in sqlite:///PATH; None where it is another URL."""
    path = url.removeprefix(_SQLITE)
    return path if path and path != url else None


def is_postgres(url: str) -> bool:
    """Whether it is meant for PostgreSQL."""
    return url.startswith(_POSTGRES)


def shown(url: str) -> str:
    """The URL as it may be printed and logged.

    Of all but sqlite:///PATH and plain words there remains only what is known to be harmless: a password that was
    written in the wrong way, or in the wrong place, does not come through either.
    """
    if sqlite_path(url) is not None or not {*":=@"}.intersection(url):
        return url
    found = _URI.fullmatch(url)
    if found is None:
        scheme, separator, _ = url.partition("://")
        return f"{scheme}://…" if separator and scheme.isalnum() else "…"
    user = f"{found['user']}@" if found["user"] else ""
    pairs = [pair for pair in (found["parameters"] or "").split("&") if unquote(pair.partition("=")[0]) in _HARMLESS]
    parameters = f"?{'&'.join(pairs)}" if pairs else ""
    return f"{found['scheme']}://{user}{found['hosts']}{found['database'] or ''}{parameters}"


def postgres_options(url: str) -> dict[str, Any]:
    """What a postgresql:// URL says, as psycopg.connect takes it; of several hosts, the one that takes writes.

    Raises BadUrl, also where psycopg is not installed.
    """
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    except ImportError as error:
        raise BadUrl(f"PostgreSQL needs psycopg: install 'slotd[postgres]' ({error})") from None
    try:
        options = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # What it says may quote the password.
        raise BadUrl(f"{shown(url)} is not what libpq reads; in a password, % is written %25, @ %40, / %2F") from None
    return {"target_session_attrs": "read-write", **options}
