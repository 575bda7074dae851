"""Connections that break at the worst moment, or fall silent without breaking."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from tests.faults.process import PATIENCE
from tests.faults.proxy import GrpcDialect, Moment, PostgresDialect, Proxy
from tests.faults.suite.fleet import Member
from tests.faults.suite.run import Run
from tests.faults.suite.trial import LEASE, Trial

_CUT = 0.0717
"""How likely a submission is cut at each of its three moments: one in five altogether."""

_SUBMITTERS = 6
_STEP = 100
_CUTS_PER_TRIAL = 50
_SILENCES_PER_TRIAL = 20

_TIMEOUT = 2.0
"""How long a client waits for one answer where connections fall silent, in seconds."""


def submits(run: Run, times: int) -> None:
    """Of so many submissions, every fifth is cut off before it arrives, behind that, or when its answer is on the way.
    Each is repeated under its request_id until it is answered."""
    folder = run.new_folder()
    chance = Random(run.chance.getrandbits(64))
    with between_clients_and_servers() as links:
        load = {"count": _SUBMITTERS, "only_submits": True}
        with Trial(run, folder, [run.store(folder)], through=links.through, load=load) as trial:
            for link in links.proxies:
                link.judge = lambda moment: chance.random() < _CUT
            for _ in range(0, times, _STEP):
                trial.load.tally.wait_more("acknowledged", min(_STEP, times))
                trial.load.check()
        run.figures["calls cut"] += sum(link.cuts.total() for link in links.proxies)


def commits(run: Run, times: int) -> None:
    """A server's connection to PostgreSQL is cut before a COMMIT, behind it, or when its answer is on the way."""
    for start in range(0, times, _CUTS_PER_TRIAL):
        folder = run.new_folder()
        with _between_servers_and_postgres(run) as links, Trial(run, folder, links.stores) as trial:
            for _ in range(start, min(start + _CUTS_PER_TRIAL, times)):
                moment = run.chance.choice(list(Moment))
                happened = run.chance.choice(links.proxies).cut_next(moment)
                assert happened.wait(PATIENCE), "nothing was committed any more"
                run.figures[f"cuts {moment.name.lower()} a commit"] += 1
                trial.prove_life()


def silence(run: Run, times: int) -> None:
    """A connection falls silent both ways, and nobody hangs up: that of a server to PostgreSQL or, with SQLite,
    those of all clients. Then it speaks again, or is cut."""
    for start in range(0, times, _SILENCES_PER_TRIAL):
        folder = run.new_folder()
        load = {"timeout": _TIMEOUT}
        if run.kind == "sqlite":
            with (
                between_clients_and_servers() as links,
                Trial(run, folder, [run.store(folder)], through=links.through, load=load) as trial,
            ):
                _fall_silent(run, trial, links.proxies, min(_SILENCES_PER_TRIAL, times - start))
        else:
            with _between_servers_and_postgres(run) as links, Trial(run, folder, links.stores, load=load) as trial:
                _fall_silent(run, trial, links.proxies, min(_SILENCES_PER_TRIAL, times - start))


def _fall_silent(run: Run, trial: Trial, proxies: list[Proxy], times: int) -> None:
    for _ in range(times):
        proxy = run.chance.choice(proxies)
        proxy.fall_silent()
        trial.let_work(run.chance.uniform(0.2, 2.5 * LEASE))
        if run.chance.random() < 0.5:
            proxy.cut_all()
        proxy.speak()
        run.figures["silences"] += 1
        trial.prove_life()


def outages(run: Run, times: int) -> None:
    """PostgreSQL dies and comes back: at once, or after a time that may be longer than all leases."""
    folder = run.new_folder()
    with Trial(run, folder, [run.store(folder)]) as trial:
        for _ in range(times):
            trial.let_work(run.chance.uniform(0, 0.5))
            run.cluster.stop("immediate")
            trial.let_work(run.chance.choice((0, 0, 0, run.chance.uniform(0, 2 * LEASE))))
            run.cluster.start()
            run.figures["restarts of PostgreSQL"] += 1
            trial.prove_life()


class Links:
    """The proxies of one trial, and how they are found."""

    def __init__(self) -> None:
        self.proxies: list[Proxy] = []
        self.stores: list[str] = []

    def through(self, member: Member) -> str:
        """A new proxy before this server; its address."""
        self.proxies.append(Proxy(member.address, GrpcDialect))
        return f"127.0.0.1:{self.proxies[-1].port}"


@contextmanager
def between_clients_and_servers() -> Iterator[Links]:
    """A proxy before each server, in their order."""
    links = Links()
    try:
        yield links
    finally:
        for proxy in links.proxies:
            proxy.close()


@contextmanager
def _between_servers_and_postgres(run: Run) -> Iterator[Links]:
    links = Links()
    database = run.cluster.create()
    try:
        for _ in range(run.servers):
            proxy = Proxy(f"127.0.0.1:{run.cluster.port}", PostgresDialect)
            links.proxies.append(proxy)
            # The proxy does not speak TLS.
            links.stores.append(f"{run.cluster.url(database, port=proxy.port)}?sslmode=disable&gssencmode=disable")
        yield links
    finally:
        for proxy in links.proxies:
            proxy.close()
