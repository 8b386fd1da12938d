"""The body of a request, read within a bound of time; aiohttp bounds its size."""

import asyncio

from aiohttp import web

from evidenced.core.errors import BadInput

BODY_S = 10.0
"""Time for a body to arrive; ours are a few hundred bytes."""


async def read_body(request: web.Request) -> bytes:
    """All of it, also where it means nothing: it has to be off the wire.

    Raises:
        BadInput: it did not arrive in time, or not whole.
    """
    try:
        async with asyncio.timeout(BODY_S):
            return await request.read()
    except TimeoutError:
        raise BadInput(f"the body did not arrive within {BODY_S:.0f} s") from None
    except ConnectionError:  # nobody is there to read this, and no bug is to be logged
        raise BadInput("the connection was lost before the body's end") from None
