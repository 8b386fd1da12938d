"""A snapshot to read: one object for each concept."""

from sqlalchemy import Connection

from evidenced.core.ids import IncidentId
from evidenced.core.keeping.kept import Dossier
from evidenced.store.alarms import StoredAlarms, StoredRefused
from evidenced.store.exports import StoredExports
from evidenced.store.facts import StoredFacts
from evidenced.store.figures import DayFigures
from evidenced.store.footage import StoredFootage
from evidenced.store.health import StoredHealth
from evidenced.store.held import StoredHeld
from evidenced.store.history import StoredHistory
from evidenced.store.incidents import StoredIncidents
from evidenced.store.keeping import StoredEvidence, StoredTags
from evidenced.store.losses import StoredLosses
from evidenced.store.memories import Memories
from evidenced.store.messages import StoredDeliveries, StoredInbox, StoredRetained
from evidenced.store.notes import Notes, StoredSettings
from evidenced.store.queue import Queue
from evidenced.store.silences import StoredSilences
from evidenced.store.stills import StoredStills
from evidenced.store.telling import StoredPiles, StoredTroubles
from evidenced.store.watches import StoredWatches


class View:
    """The store as one consistent snapshot. Blocking; never on the loop.

    Its objects can save too, since reads and writes of a concept are in one place; in
    a snapshot the database refuses that.
    """

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self.notes = Notes(connection)
        self.settings = StoredSettings(connection)
        self.history = StoredHistory(connection)
        self.incidents = StoredIncidents(connection)
        self.alarms = StoredAlarms(connection)
        self.refused = StoredRefused(connection)
        self.exports = StoredExports(connection, self.notes)
        self.evidence = StoredEvidence(connection)
        self.tags = StoredTags(connection)
        self.stills = StoredStills(connection)
        self.losses = StoredLosses(connection)
        self.held = StoredHeld(connection)
        self.footage = StoredFootage(connection)
        self.queue = Queue(connection, self.incidents)
        self.inbox = StoredInbox(connection)
        self.deliveries = StoredDeliveries(connection)
        self.retained = StoredRetained(connection)
        self.silences = StoredSilences(connection)
        self.memories = Memories(connection)
        self.troubles = StoredTroubles(connection)
        self.piles = StoredPiles(connection)
        self.health = StoredHealth(connection)
        self.watches = StoredWatches(connection)
        self.facts = StoredFacts(
            connection, self.incidents, self.losses, self.troubles, self.silences
        )
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
            stills=tuple(self.stills.of([incident])),
            losses=tuple(self.losses.of(incident)),
            held=self.held.get(incident),
            footage=tuple(self.footage.of([incident])),
        )
