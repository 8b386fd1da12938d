"""A snapshot to read and a transaction to write: one object for each concept."""

from sqlalchemy import Connection

from evidenced.core.ids import IncidentId
from evidenced.core.keeping.records import Dossier
from evidenced.store import dialect
from evidenced.store.alarms import Alarms
from evidenced.store.deliveries import Deliveries
from evidenced.store.evidence import Evidence
from evidenced.store.exports import Exports
from evidenced.store.figures import DayFigures
from evidenced.store.history import History
from evidenced.store.inbox import Inbox
from evidenced.store.incidents import Incidents
from evidenced.store.ledger import Ledger
from evidenced.store.notes import Notes
from evidenced.store.past import Past
from evidenced.store.piles import Piles
from evidenced.store.queue import Queue
from evidenced.store.silences import Silences
from evidenced.store.tags import Tags
from evidenced.store.troubles import Troubles


class View:
    """The store as one consistent snapshot. Blocking; never on the loop.

    Its objects can save too, since reads and writes of a concept are in one place; in
    a snapshot the database refuses that.
    """

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self.notes = Notes(connection)
        self.history = History(connection)
        self.incidents = Incidents(connection)
        self.alarms = Alarms(connection)
        self.exports = Exports(connection, self.notes)
        self.evidence = Evidence(connection)
        self.tags = Tags(connection)
        self.queue = Queue(connection, self.incidents)
        self.inbox = Inbox(connection)
        self.deliveries = Deliveries(connection)
        self.silences = Silences(connection)
        self.troubles = Troubles(connection)
        self.piles = Piles(connection)
        self.figures = DayFigures(connection, self.troubles, self.silences)

    def dossier(self, incident: IncidentId, *, whole: bool = False) -> Dossier | None:
        """All of one incident; `whole` with payloads as long as they came."""
        found = self.incidents.get([incident])
        if not found:
            return None
        return Dossier(
            incident=found[0],
            alarms=tuple(self.alarms.of(incident, whole=whole)),
            exports=tuple(self.exports.of([incident])),
            history=tuple(self.history.of(incident)),
            record=next(iter(self.evidence.of([incident])), None),
            tags=tuple(self.tags.of([incident])),
        )


class Tx(View):
    """One transaction. Everything in it is committed together, or nothing is."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        saved = (connection, self.incidents, self.exports)
        derived = (self.evidence, self.tags)
        self.ledger = Ledger(*saved, self.history, derived)
        self.past = Past(*saved, self.notes, derived)

    def give_back(self) -> bool:
        """Free a little of the room on disk that is not needed; whether more may be."""
        return dialect.give_back(self._db)
