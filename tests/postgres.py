"""A PostgreSQL of the tests' own: Debian's server programs on a temporary folder, at a free port of the loopback.

The fixtures are there for all tests: `postgres` is one cluster for the whole session, `database` the URL of an empty
database in it. Tests that take the cluster down, or need it durable, start one of their own with `running`."""

import importlib.util
import os
import pwd
import random
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    import psycopg

Mode = Literal["smart", "fast", "immediate"]

OLDEST = 15
"""The oldest PostgreSQL that the tests run on: the first whose databases can be sorted by ICU."""

_USER = "postgres"
_PROGRAMS = ("initdb", "pg_basebackup", "pg_ctl", "postgres")
_PATIENCE = 60
"""Seconds within which it has started, also where it has to recover."""

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
}
# A power cut may take all, but not a restart in immediate mode: what is committed has been written, if not synced.
_VOLATILE = {"fsync": "off", "full_page_writes": "off"}

# Below what the system gives to connections: one of those could else have the port while the cluster restarts.
_PORTS = range(15_000, 32_000)

# Whatever becomes of the tests' process, its end closes the pipe, and then this one cleans up.
_GUARD = 'cat >/dev/null; "$1" --pgdata="$2/data" --mode=immediate --silent stop 2>/dev/null; rm -rf "$2"'


class Cluster:
    """A cluster in `folder`, which goes with it. `durable`: what is committed survives a power cut too. `standby_of`:
    it follows that one, as a copy of it, until it is promoted."""

    def __init__(
        self, folder: Path, *, durable: bool = False, standby_of: "Cluster | None" = None, settings: Mapping[str, str]
    ) -> None:
        programs = _programs()
        assert programs is not None
        self._pg_ctl = str(programs / "pg_ctl")
        self._data = folder / "data"
        self._log = folder / "log"
        self._as_user = _as_user(folder)
        self._settings = {
            **_SETTINGS,
            "unix_socket_directories": str(folder),
            **({} if durable else _VOLATILE),
            **settings,
        }
        self._names = (f"test_{number}" for number in count(1))
        self.port = 0
        guard = [*self._as_user, "sh", "-c", _GUARD, "guard", self._pg_ctl, str(folder)]
        self._guard = subprocess.Popen(guard, stdin=subprocess.PIPE, start_new_session=True, cwd=folder)
        if standby_of is None:
            # Sorted as English is, so that whatever relies on the order of bytes has to ask for it.
            order = ["--locale-provider=icu", "--icu-locale=en", "--locale=C.UTF-8", "--encoding=UTF8"]
            make = [str(programs / "initdb"), f"--username={_USER}", "--auth=trust", *order]
        else:
            follow = ["--write-recovery-conf", f"--dbname={standby_of.url()}", "--checkpoint=fast"]
            make = [str(programs / "pg_basebackup"), *follow]
        self._run([*make, f"--pgdata={self._data}", *([] if durable else ["--no-sync"])])

    def start(self) -> None:
        """Returns once it answers; at the same port each time."""
        self.port = self.port or _free_port()
        settings = self._settings | {"port": str(self.port)}
        options = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in settings.items())
        self._control("start", f"--log={self._log}", f"--timeout={_PATIENCE}", f"--options={options}")

    def stop(self, mode: Mode = "fast") -> None:
        """Returns once it has gone. `immediate` is as a crash: the next start has to recover."""
        self._control("stop", f"--mode={mode}")

    def restart(self, mode: Mode = "immediate") -> None:
        """Stops and starts it."""
        self.stop(mode)
        self.start()

    def promote(self) -> None:
        """Make the standby a primary; returns once it takes writes."""
        self._control("promote")

    @property
    def pid(self) -> int:
        """Of its main process."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def url(self, database: str = "postgres", host: str = "127.0.0.1", port: int | None = None) -> str:
        """Where the database is, or is to be reached by way of another port."""
        return f"postgresql://{_USER}@{host}:{port or self.port}/{database}"

    def create(self) -> str:
        """The name of a new, empty database."""
        name = next(self._names)
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return name

    def drop(self, database: str) -> None:
        """With all who are still connected to it."""
        self.execute(f"DROP DATABASE {database} WITH (FORCE)")

    def execute(self, sql: str, *, database: str = "postgres") -> list[tuple[Any, ...]]:
        """The rows that one statement answers, run outside of a transaction."""
        with self.connect(database) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def connect(self, database: str = "postgres") -> "psycopg.Connection":
        """A connection of the test's own, in autocommit mode."""
        import psycopg

        return psycopg.connect(self.url(database), autocommit=True)

    def close(self) -> None:
        """Stops it and removes its folder."""
        self._guard.communicate()

    def _control(self, action: str, *arguments: str) -> None:
        self._run([self._pg_ctl, f"--pgdata={self._data}", "--wait", "--silent", action, *arguments])

    def _run(self, command: list[str]) -> None:
        # To a file: the server inherits it from pg_ctl, and of a pipe the end would not come before it stops.
        with tempfile.TemporaryFile() as said:
            command = [*self._as_user, *command]
            status = subprocess.run(command, stdout=said, stderr=said, cwd=self._data.parent).returncode
            if status:
                said.seek(0)
                log = self._log.read_text() if self._log.exists() else ""
                raise RuntimeError(f"{command} failed ({status}):\n{said.read().decode()}{log}")


def missing() -> str | None:
    """Why there can be no PostgreSQL here; None where there can."""
    programs = _programs()
    if programs is None:
        return "PostgreSQL's server programs are not installed (Debian: postgresql)"
    version = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True).stdout
    found = re.search(r"\d+", version)
    if found is None or int(found[0]) < OLDEST:
        return f"{version.strip()} is older than {OLDEST}"
    if importlib.util.find_spec("psycopg") is None:
        return "psycopg is not installed"
    if os.geteuid() == 0 and not any(user.pw_name == _USER for user in pwd.getpwall()):
        return f"there is no user {_USER}, and PostgreSQL does not run as root"
    return None


@contextmanager
def running(*, durable: bool = False, standby_of: Cluster | None = None, **settings: str) -> Iterator[Cluster]:
    """A cluster that has started, with these settings of PostgreSQL's beside the tests' own. It ends with this block,
    or with this process, however that ends."""
    # Short, for sockets are in it; and outside of pytest's folders, which other users can't reach.
    folder = Path(tempfile.mkdtemp(prefix="slotd-postgres-"))
    cluster = Cluster(folder, durable=durable, standby_of=standby_of, settings=settings)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A cluster for all tests; skips where there can be none."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    with running() as cluster:
        yield cluster


@pytest.fixture
def database(postgres: Cluster) -> Iterator[str]:
    """The URL of an empty database."""
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


def _programs() -> Path | None:
    """The folder that has them: pg_config's, else the newest of Debian's, else one in the path."""
    places = []
    if shutil.which("pg_config"):
        asked = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True)
        places.append(Path(asked.stdout.strip()))
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdecimal()]
    places += sorted(versions, key=lambda path: int(path.parent.name), reverse=True)
    places += [Path(folder) for folder in os.get_exec_path()]
    return next((place for place in places if all((place / name).is_file() for name in _PROGRAMS)), None)


def _as_user(folder: Path) -> list[str]:
    """What a command begins with to run as one that PostgreSQL accepts, to whom `folder` then belongs; root is none."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam(_USER)
    os.chown(folder, user.pw_uid, user.pw_gid)
    # Not by subprocess's own means: with those it forks, which in the midst of gRPC's threads can go wrong.
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _free_port() -> int:
    for _ in range(100):
        port = random.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free")
