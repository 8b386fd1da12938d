"""An authority elsewhere that vouches for the time."""

from typing import Protocol

from evidenced.core.keeping.stamps import Vouched


class StampPort(Protocol):
    """Tried once; it is asked over the network, within a bound of time and size."""

    async def stamp(self, text: str) -> Vouched:
        """Its stamp for this text, verified. Cancel-safe; to ask twice does no harm.

        Raises:
            BadInput: there is none now, a sentence why.
        """
