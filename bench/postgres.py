"""PostgreSQL under measurement: a durable cluster of the benchmark's own, and what one of its databases has cost it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bench.machine import family_cpu_seconds, parent
from bench.plan import LeftOut
from tests.postgres import Cluster, missing

DISK = Path("/var/tmp")
"""On a disk, which the folder for temporary files need not be, and open to every user: root can't run PostgreSQL."""

MARK = "/* bench */"
"""In statements that look on, which do not count."""

Costs: TypeAlias = dict[str, float]
"""What something costs, by name: see `Meter`."""

_AS_IT_COMES = {"shared_buffers": "128MB", "max_wal_size": "1GB"}
_EXTENSION = "pg_stat_statements"
_EXECUTED = f"""SELECT COALESCE(SUM(calls), 0)::float, COALESCE(SUM(total_exec_time), 0) * 1000
    FROM {_EXTENSION} JOIN pg_database ON pg_database.oid = dbid
    WHERE datname = %s AND query NOT LIKE '%%{MARK}%%' AND query !~ '^(BEGIN|COMMIT|ROLLBACK)'"""
# Both are of this very moment, where PostgreSQL's statistics of transactions are up to ten seconds late.
_WRITTEN = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::float, (pg_current_wal_insert_lsn() - '0/0')::float"


@contextmanager
def durable_cluster() -> Iterator[Cluster]:
    """A cluster that syncs each commit, and counts statements where it has the extension for that. Raises LeftOut."""
    reason = missing()
    if reason is not None:
        raise LeftOut(reason)
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="slotd-bench-", dir=DISK)), durable=True, settings=_AS_IT_COMES)
    try:
        cluster.start()
        if cluster.execute(f"SELECT 1 FROM pg_available_extensions WHERE name = '{_EXTENSION}'"):
            cluster.execute(f"ALTER SYSTEM SET shared_preload_libraries = {_EXTENSION}")
            cluster.restart("fast")
            cluster.execute(f"CREATE EXTENSION {_EXTENSION}")
        yield cluster
    finally:
        cluster.close()


class Meter:
    """What the database at `url` has cost until now. The difference of two readings is the cost of what went on between
    them, if nothing but that did in the whole cluster.

    `statements`, without BEGIN and COMMIT, which are not always counted, and µs of `time in statements`, both only
    where the cluster counts them; `transactions that write`; bytes of the `write-ahead log`; and µs of `PostgreSQL's
    processor time`, in all of its processes.
    """

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, dbname="postgres", autocommit=True)
        self._database = conninfo_to_dict(url)["dbname"]
        self._postgres = parent(self._connection.info.backend_pid)
        found = self._connection.execute("SELECT 1 FROM pg_extension WHERE extname = %s", (_EXTENSION,)).fetchone()
        self._counts_statements = found is not None

    def read(self) -> Costs:
        """A reading."""
        costs: Costs = {"PostgreSQL's processor time": family_cpu_seconds(self._postgres) * 1e6}
        ((costs["transactions that write"], costs["write-ahead log"]),) = self._connection.execute(_WRITTEN).fetchall()
        if self._counts_statements:
            executed = self._connection.execute(_EXECUTED, (self._database,)).fetchall()
            ((costs["statements"], costs["time in statements"]),) = executed
        return costs

    def close(self) -> None:
        self._connection.close()


def per_job(before: Costs, after: Costs, jobs: int) -> Costs:
    """What each of so many jobs cost."""
    return {name: (after[name] - cost) / jobs for name, cost in before.items()}
