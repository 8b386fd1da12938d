"""So many browsers on the list, as the script of the page behaves; ended by its stdin.

A process of its own, so that what it costs is not taken for the daemon's.
"""

import asyncio
import sys
import time

import aiohttp

GAP_S = 2.0
"""Between two looks, at least; the page's own script has the same."""
LIVE = {"X-Evidenced-Live": "1", "Accept": "text/html"}


async def one(http: aiohttp.ClientSession) -> None:
    looked = 0.0
    async with http.get("/api/events?pulse=1") as stream:
        async for _ in stream.content.iter_any():
            gap = GAP_S - (time.monotonic() - looked)
            if gap > 0:
                await asyncio.sleep(gap)
            looked = time.monotonic()
            async with http.get("/", headers=LIVE) as answer:
                await answer.read()


async def main(base: str, count: int) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        base, connector=connector, timeout=timeout, read_bufsize=1 << 20
    ) as http:
        tasks = [asyncio.create_task(one(http)) for _ in range(count)]
        sys.stdout.write("open\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            task.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
