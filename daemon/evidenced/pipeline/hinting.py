"""Who is woken when cameras were added to incidents, however that came."""

from collections.abc import Iterable

from evidenced.core.ids import RecorderName
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.world import World


def hint_cameras(
    world: World, agenda: Agenda, recorders: Iterable[RecorderName]
) -> None:
    """Footage to be kept at these recorders is asked for at once, stills in time.

    Who fetches stills has something to do most of the time that is sooner already.
    """
    now, site = world.now().at, world.site
    for name in sorted(site.recorders.keys() & recorders):
        if site.protects:
            agenda.hint(names.protect(name))
        if site.pictures:
            agenda.sooner(names.stills(name), now + site.recorders[name].settle)
