"""A transaction to write: what a snapshot has, and what only a step may do."""

from sqlalchemy import Connection

from evidenced.store.ledger import Ledger
from evidenced.store.past import Past
from evidenced.store.view import View

__all__ = ["Tx", "View"]


class Tx(View):
    """One transaction. Everything in it is committed together, or nothing is."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.connection = connection
        self.ledger = Ledger(connection, self)
        self.past = Past(connection, self)
