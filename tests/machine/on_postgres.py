"""The state machine on PostgreSQL: the same model looks on, and has to see the same."""

from tests.machine.machine import KINDS, LIMITS
from tests.machine.orchestrated import Orchestrated
from tests.postgres import Cluster
from tests.unit.driver import Driver
from tests.unit.postgres_driver import PostgresDriver


class OnPostgres(Orchestrated):
    """Each example has a database of its own in `cluster`."""

    cluster: Cluster

    def __init__(self) -> None:
        super().__init__()
        self._database = self.cluster.create()

    def _make_driver(self, slots: int) -> Driver:
        return PostgresDriver(slots, path=self.cluster.url(self._database), kinds=KINDS, limits=LIMITS)

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self.cluster.drop(self._database)
