"""How the ties between jobs are kept in SQL: dependencies, claims, keys, groups and the like. Only jobs that have any
are ever looked up or written here, so that the others pay nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from slotd_server.domain.job import Job
from slotd_server.domain.ties import Claim, above
from slotd_server.store.base import Unsettled
from slotd_server.store.rows import labels_text
from slotd_server.store.sql_read import Insert

if TYPE_CHECKING:
    from slotd_server.store.sql_write import Memory

_ADD_EDGES = Insert("edges", 5)
_ADD_CLAIMS = Insert("claims", 5)
_ADD_UNSETTLED = Insert("unsettled", 2, "ON CONFLICT DO NOTHING")

_STATES = ("scheduled", "blocked", "queued", "running", "succeeded", "failed", "cancelled")
_PUT_GROUP = f"""INSERT INTO groups VALUES ({",".join("?" * (len(_STATES) + 2))}) ON CONFLICT (name) DO UPDATE SET
    {", ".join(f"{column} = excluded.{column}" for column in (*_STATES, "awaited"))}"""

_PUT_TURN = """INSERT INTO keys VALUES (?, ?, 0, ?)
    ON CONFLICT (queue, key) DO UPDATE SET turn = excluded.turn"""

_LATEST = "SELECT MAX(seq) AS seq FROM claims WHERE path = ? AND own = ? AND exclusive = ? AND held = ? AND seq < ?"
_END = 1 << 62
"""Above every seq."""


class SqlTies(ABC):
    """The part of `base.Transaction` that is about ties."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._groups: dict[str, list[int]] = {}
        self._turns: dict[str, int] = {}
        self._unsettled = memory.unsettled
        self._touched_unsettled = False

    @abstractmethod
    def _run(self, sql: str, values: Sequence[Any] = ()) -> list[Any]: ...

    @abstractmethod
    def _write(self, sql: str, values: Sequence[Any] = ()) -> None: ...

    @abstractmethod
    def _take(self, sql: str, values: Sequence[Any] = ()) -> list[Any]: ...

    @abstractmethod
    def _insert(self, statement: Insert, rows: Sequence[tuple[Any, ...]]) -> None: ...

    @abstractmethod
    def _flush_jobs(self) -> None: ...

    @abstractmethod
    def _by_seq(self, seqs: list[int]) -> list[Job]: ...

    # Dependencies

    def add_edges(self, job: Job, met: frozenset[str]) -> None:
        assert job.spec.ties is not None
        targets = [dependency.target for dependency in job.spec.ties.depends_on]
        self._insert(
            _ADD_EDGES, [(target, job.seq, place, int(target in met), 1) for place, target in enumerate(targets)]
        )

    def meet(self, target: str, seq: int) -> None:
        self._write("UPDATE edges SET met = 1 WHERE target = ? AND seq = ?", (target, seq))

    def set_live(self, seq: int, live: bool) -> None:
        self._write("UPDATE edges SET live = ? WHERE seq = ?", (int(live), seq))

    def unmet(self, seq: int, limit: int) -> list[str]:
        rows = self._run("SELECT target FROM edges WHERE seq = ? AND met = 0 ORDER BY position LIMIT ?", (seq, limit))
        return [target for (target,) in rows]

    def dependents(self, target: str, after: int, limit: int, *, live: bool = True) -> list[Job]:
        rows = self._run(
            "SELECT seq FROM edges WHERE target = ? AND seq > ? AND met = 0 AND live = ? ORDER BY seq LIMIT ?",
            (target, after, int(live), limit),
        )
        return self._by_seq([seq for (seq,) in rows])

    def dependent(self, target: str) -> Job | None:
        rows = self._run("SELECT seq FROM edges WHERE target = ? AND live = 1 LIMIT 1", (target,))
        return self._by_seq([seq for (seq,) in rows])[0] if rows else None

    def waits_of_group(self, name: str) -> list[str]:
        rows = self._run(
            """SELECT DISTINCT target FROM members JOIN edges USING (seq)
            WHERE name = ? AND met = 0 AND live = 1""",
            (f"groups/{name}",),
        )
        return [target for (target,) in rows]

    def forget_edges(self, job: Job) -> None:
        self._write("DELETE FROM edges WHERE seq = ?", (job.seq,))

    # Resources

    def ahead(self, seq: int, claims: Sequence[Claim]) -> int | None:
        latest = None
        for claim in claims:
            places = [(claim.name, 1), *((path, 1) for path in above(claim.name))]
            if claim.name.endswith("*"):
                places.append((claim.name, 0))
            # Who holds is in the way however late it came, who waits only where it came before.
            values = [
                (path, own, exclusive, held, _END if held else seq)
                for path, own in places
                for exclusive in ((1, 0) if claim.exclusive else (1,))
                for held in (1, 0)
            ]
            sql = f"SELECT MAX(seq) FROM ({' UNION ALL '.join([_LATEST] * len(values))}) AS latest"
            ((found,),) = self._run(sql, [value for row in values for value in row])
            if found is not None and (latest is None or found > latest):
                latest = found
        return latest

    def wait_behind(self, seq: int, claims: Sequence[Claim], ahead: int, *, already: bool) -> None:
        if not already:
            self._add_claims(seq, claims, held=False)
        self._write(
            "INSERT INTO behind VALUES (?, ?) ON CONFLICT (seq) DO UPDATE SET ahead = excluded.ahead", (seq, ahead)
        )

    def hold(self, seq: int, claims: Sequence[Claim], *, waited: bool) -> None:
        if waited:
            self._drop_claims(seq)
        self._add_claims(seq, claims, held=True)

    def leave_line(self, seq: int) -> list[int]:
        self._drop_claims(seq)
        return [one for (one,) in self._run("SELECT seq FROM behind WHERE ahead = ? ORDER BY seq", (seq,))]

    def _add_claims(self, seq: int, claims: Sequence[Claim], *, held: bool) -> None:
        # Several claims may share what is above them; one row of each mode is enough there.
        rows = {(claim.name, 1, int(claim.exclusive), int(held), seq) for claim in claims}
        rows |= {(path, 0, int(claim.exclusive), int(held), seq) for claim in claims for path in above(claim.name)}
        self._insert(_ADD_CLAIMS, sorted(rows))

    def _drop_claims(self, seq: int) -> None:
        self._write("DELETE FROM claims WHERE seq = ?", (seq,))
        self._write("DELETE FROM behind WHERE seq = ?", (seq,))

    # Keys

    def key_active(self, queue: str, key: str) -> int:
        rows = self._run("SELECT active FROM keys WHERE queue = ? AND key = ?", (queue, key))
        return int(rows[0][0]) if rows else 0

    def add_active(self, queue: str, key: str, more: int) -> None:
        self._write(
            """INSERT INTO keys VALUES (?, ?, ?, 0)
            ON CONFLICT (queue, key) DO UPDATE SET active = keys.active + excluded.active""",
            (queue, key, more),
        )
        if more < 0:
            # A turn that has been overtaken says nothing any more.
            self._write(
                "DELETE FROM keys WHERE queue = ? AND key = ? AND active = 0 AND turn < ?",
                (queue, key, self.turn(queue)),
            )

    def wait_for_key(self, job: Job, key: str) -> None:
        self._write(
            "INSERT INTO key_waits VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (job.spec.queue, key, -job.spec.priority, job.seq),
        )

    def leave_key_line(self, job: Job, key: str) -> None:
        self._write(
            "DELETE FROM key_waits WHERE queue = ? AND key = ? AND rank = ? AND seq = ?",
            (job.spec.queue, key, -job.spec.priority, job.seq),
        )

    def first_for_key(self, queue: str, key: str) -> int | None:
        rows = self._run(
            "SELECT seq FROM key_waits WHERE queue = ? AND key = ? ORDER BY rank, seq LIMIT 1", (queue, key)
        )
        return int(rows[0][0]) if rows else None

    def keys_waited_for(self, queue: str) -> list[int]:
        rows = self._run("SELECT seq FROM key_waits WHERE queue = ? ORDER BY key, rank, seq", (queue,))
        return [seq for (seq,) in rows]

    def next_turn(self, queue: str, key: str) -> int:
        rows = self._run("SELECT turn FROM keys WHERE queue = ? AND key = ?", (queue, key))
        turn = max(self.turn(queue), rows[0][0] + 1 if rows else 1)
        self._write(_PUT_TURN, (queue, key, turn))
        return turn

    def turn(self, queue: str) -> int:
        return self._turns.get(queue) or self._memory.turns.get(queue, 0)

    def put_turn(self, queue: str, turn: int) -> None:
        self._turns[queue] = turn

    # Rates

    def arrival(self, queue: str) -> int:
        rows = self._run("SELECT arrival FROM rates WHERE queue = ?", (queue,))
        return int(rows[0][0]) if rows else 0

    def put_arrival(self, queue: str, arrival: int) -> None:
        self._write(
            "INSERT INTO rates VALUES (?, ?) ON CONFLICT (queue) DO UPDATE SET arrival = excluded.arrival",
            (queue, arrival),
        )

    # Groups

    def group(self, name: str) -> Sequence[int]:
        return self._group(name)[: len(_STATES)]

    def count_group(self, name: str, changes: Iterable[tuple[int, int]]) -> None:
        numbers = self._groups[name] = [*self._group(name)]
        for position, change in changes:
            if position < len(_STATES):
                numbers[position] += change

    def join(self, name: str, seq: int) -> None:
        self._write("INSERT INTO members VALUES (?, ?)", (name, seq))

    def leave(self, name: str, seq: int) -> None:
        self._write("DELETE FROM members WHERE name = ? AND seq = ?", (name, seq))

    def await_group(self, name: str) -> None:
        numbers = self._groups[name] = [*self._group(name)]
        numbers[-1] = 1

    def is_group_awaited(self, name: str) -> bool:
        return bool(self._group(name)[-1])

    def _group(self, name: str) -> list[int]:
        known = self._groups.get(name)
        if known is not None:
            return known
        rows = self._run("SELECT * FROM groups WHERE name = ?", (name,))
        return list(rows[0][1:]) if rows else [0] * (len(_STATES) + 1)

    # Unique keys

    def unique(self, key: str) -> Job | None:
        rows = self._run("SELECT seq FROM uniques WHERE key = ?", (key,))
        found = self._by_seq([rows[0][0]]) if rows else []
        return found[0] if found else None

    def take_unique(self, key: str, seq: int) -> None:
        self._write("INSERT INTO uniques VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET seq = excluded.seq", (key, seq))

    def free_unique(self, key: str, seq: int) -> None:
        self._write("DELETE FROM uniques WHERE key = ? AND seq = ?", (key, seq))

    # What is left for the next change

    def unsettled(self, limit: int) -> list[Unsettled]:
        if not self._unsettled:
            return []
        rows = self._take(
            """DELETE FROM unsettled WHERE (target, seq) IN
            (SELECT target, seq FROM unsettled ORDER BY target DESC, seq LIMIT ?) RETURNING target, seq""",
            (limit,),
        )
        self._touched_unsettled = True
        return sorted(Unsettled(*row) for row in rows)

    def leave_unsettled(self, items: Iterable[Unsettled]) -> None:
        self._insert(_ADD_UNSETTLED, list(items))
        self._touched_unsettled = True

    # Retention by count

    def retain(self, queue: str, job: Job) -> None:
        self._write("INSERT INTO retained VALUES (?, ?, ?)", (queue, job.revision, job.seq))

    def release_retained(self, queue: str, revision: int) -> None:
        self._write("DELETE FROM retained WHERE queue = ? AND revision = ?", (queue, revision))

    def retained(self, queue: str, after: int, limit: int) -> list[Job]:
        rows = self._run(
            "SELECT seq FROM retained WHERE queue = ? AND revision > ? ORDER BY revision LIMIT ?", (queue, after, limit)
        )
        return self._by_seq([seq for (seq,) in rows])

    def retain_all(self, queue: str, *, wanted: bool) -> None:
        self._flush_jobs()
        self._write("DELETE FROM retained WHERE queue = ?", (queue,))
        if wanted:
            self._write(
                """INSERT INTO retained SELECT queue, revision, seq FROM jobs
                WHERE queue = ? AND state IN (5, 7)""",
                (queue,),
            )

    # Labels

    def relabel(self, job: Job) -> None:
        self._write(
            "INSERT INTO relabelled VALUES (?, ?) ON CONFLICT (seq) DO UPDATE SET labels = excluded.labels",
            (job.seq, labels_text(job.spec.labels)),
        )

    def forget_labels(self, job: Job) -> None:
        self._write("DELETE FROM relabelled WHERE seq = ?", (job.seq,))

    # Writing

    def _flush_ties(self) -> None:
        for name, numbers in self._groups.items():
            if any(numbers[: len(_STATES)]):
                self._write(_PUT_GROUP, (name, *numbers))
            else:
                self._write("DELETE FROM groups WHERE name = ?", (name,))
        for queue, turn in self._turns.items():
            self._write(_PUT_TURN, (queue, "", turn))
        if self._touched_unsettled:
            self._unsettled = bool(self._run("SELECT 1 FROM unsettled LIMIT 1"))

    def _publish_ties(self) -> None:
        self._memory.turns.update(self._turns)
        self._memory.unsettled = self._unsettled
