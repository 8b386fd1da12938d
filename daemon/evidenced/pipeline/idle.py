"""Whether a recorder has time for questions that can wait: never in exports' way."""

from evidenced.core.exports.line import Service
from evidenced.pipeline.link import Link
from evidenced.pipeline.world import World


async def is_idle(world: World, link: Link) -> bool:
    """Whether no export runs there or is due, and it answers."""
    if link.live or link.in_flight or link.wait(Service.FOLLOW):
        return False
    name, now = link.settings.name, world.now().at
    due = await world.read(lambda view: view.queue.next_due(name))
    if due is not None and due <= now:
        return False
    return await link.ready(Service.FOLLOW) is not None
