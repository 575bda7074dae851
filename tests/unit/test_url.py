"""What a store's URL says; and that nothing which could be a password is ever shown of it."""

import sys

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from slotd_server.store.url import BadUrl, is_postgres, postgres_options, shown, sqlite_path


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///jobs.db", "jobs.db"),
        ("sqlite:////var/jobs.db", "/var/jobs.db"),
        ("sqlite:///:memory:", ":memory:"),
        ("sqlite:///", None),
        ("sqlite://jobs.db", None),
        ("jobs.db", None),
        ("postgresql:///jobs", None),
    ],
)
def test_the_file_of_a_sqlite_url(url: str, path: str | None) -> None:
    assert sqlite_path(url) == path


def test_which_urls_are_postgresqls() -> None:
    assert is_postgres("postgresql://host/jobs")
    assert is_postgres("postgres://host/jobs")
    assert not is_postgres("sqlite:///postgresql://")
    assert not is_postgres("mysql://host/jobs")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///a:b@c.db", "sqlite:///a:b@c.db"),
        ("jobs.db", "jobs.db"),
        ("postgresql://host/jobs", "postgresql://host/jobs"),
        ("postgresql://me@host:5433/jobs", "postgresql://me@host:5433/jobs"),
        ("postgresql://me:secret@host:5433/jobs", "postgresql://me@host:5433/jobs"),
        ("postgresql://me:secret@one:1,two:2,[::1]:3/jobs", "postgresql://me@one:1,two:2,[::1]:3/jobs"),
        ("postgresql://:secret@host/jobs", "postgresql://host/jobs"),
        ("postgresql://me@host/jobs?sslmode=require&password=secret", "postgresql://me@host/jobs?sslmode=require"),
        ("postgresql://me@host/jobs?pass%77ord=secret&sslpassword=secret", "postgresql://me@host/jobs"),
        ("postgresql:///jobs?host=/run/postgresql&port=5433", "postgresql:///jobs?host=/run/postgresql&port=5433"),
        ("postgresql://%2Frun%2Fpostgresql/jobs", "postgresql://%2Frun%2Fpostgresql/jobs"),
        ("postgresql://me:sec@ret@host/jobs", "postgresql://…"),
        ("postgresql://me:sec/ret@host/jobs", "postgresql://…"),
        ("postgresql://me:12/?host=secret@host/jobs", "postgresql://…"),
        ("posgresql://me:secret@host/jobs", "posgresql://me@host/jobs"),
        ("host=here password=secret", "…"),
    ],
)
def test_what_is_shown(url: str, expected: str) -> None:
    assert shown(url) == expected


PASSWORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)


@given(st.sampled_from(["postgresql", "postgres", "postgre", "pg", "x y"]), PASSWORDS, st.sampled_from(range(5)))
@example("postgresql", "p?s/s", 0)
@example("postgresql", "1234?s", 0)
@example("postgresql", "1234/s", 1)
def test_no_password_is_shown_however_it_was_written(scheme: str, password: str, place: int) -> None:
    secret = f"S3{password}S3"
    url = (
        f"{scheme}://me:{secret}@host:1/jobs",
        f"{scheme}://:{secret}@host/jobs?sslmode=require",
        f"{scheme}://me@host/jobs?password={secret}",
        f"{scheme}://me@host/jobs?sslmode=require&password={secret}",
        f"host=host user=me password={secret}",
    )[place]
    assume("&" not in secret or place not in (2, 3))
    assert "S3" not in shown(url)


def test_the_options_are_what_libpq_reads_and_the_host_takes_writes() -> None:
    pytest.importorskip("psycopg")
    assert postgres_options("postgresql://me:sec%40ret@one,two:2/jobs?sslmode=require") == {
        "host": "one,two",
        "port": ",2",
        "user": "me",
        "password": "sec@ret",
        "dbname": "jobs",
        "sslmode": "require",
        "target_session_attrs": "read-write",
    }
    assert postgres_options("postgresql://one/jobs?target_session_attrs=any")["target_session_attrs"] == "any"


@pytest.mark.parametrize("url", ["postgresql://me:se%cret@host/jobs", "postgresql://me:secret@[::1/jobs"])
def test_a_url_that_libpq_does_not_read_is_refused_without_its_password(url: str) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(BadUrl) as refused:
        postgres_options(url)
    assert "cret" not in str(refused.value)


def test_without_psycopg_the_url_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(BadUrl, match=r"install 'slotd\[postgres\]'"):
        postgres_options("postgresql://host/jobs")
