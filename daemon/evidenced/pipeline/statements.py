"""What is written beside a record when its footage went: signed, then put there."""

from collections.abc import Sequence
from functools import partial
from hashlib import sha256

from evidenced.core.keeping.evidence import DISPOSAL, SIGNED
from evidenced.core.keeping.footage import FootageFolder
from evidenced.core.keeping.place import Place
from evidenced.core.telling.statement import statement
from evidenced.pipeline.drafting import Desk
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.world import World


class Statements:
    """Writes them, with the key of the records."""

    def __init__(self, world: World, shares: Shares, desk: Desk) -> None:
        self._world = world
        self._shares = shares
        self._desk = desk

    async def write(
        self, footage: FootageFolder, place: Place, files: Sequence[str]
    ) -> str:
        """Beside the record; `files` are those that went. Returns its SHA-256.

        Raises:
            OSError: it cannot be written now.
            BadInput: the key cannot be used.
        """
        now, signer = self._world.now().at, self._desk.signer
        key = await self._shares.aside(signer.key)
        data = statement(footage, self._world.site.instance, files, key, now)
        signed = await self._shares.aside(partial(signer.sign, data, DISPOSAL))
        papers = {DISPOSAL: data} | ({DISPOSAL + SIGNED: signed} if signed else {})
        put = partial(self._desk.folders.put, place, papers)
        await self._shares.change(place.mount, put)
        return sha256(data).hexdigest()
