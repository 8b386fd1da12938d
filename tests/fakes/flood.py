"""Connections that are opened and send nothing, from a process of its own.

    python flood.py PORT COUNT

Those that are closed at the other side are opened again, AGAIN of them each round.
"held" is written once all have been taken; it ends with its standard input.
"""

import asyncio
import resource
import sys
from contextlib import suppress

AGAIN = 50
ROUND_S = 0.25


async def flood(port: int, count: int) -> None:
    taken = asyncio.Semaphore(0)

    async def hold() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        taken.release()
        with suppress(ConnectionError):
            await reader.read()
        writer.close()

    async def hold_all() -> None:
        async with asyncio.TaskGroup() as group:
            tasks = {group.create_task(hold()) for _ in range(count)}
            for _ in range(count):
                await taken.acquire()
            print("held", flush=True)  # noqa: T201 - whoever started us reads it
            while True:
                ended = [task for task in tasks if task.done()][:AGAIN]
                tasks -= set(ended)
                tasks |= {group.create_task(hold()) for _ in ended}
                await asyncio.sleep(ROUND_S)

    holding = asyncio.create_task(hold_all())
    await asyncio.to_thread(sys.stdin.read)
    holding.cancel()


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(flood(int(sys.argv[1]), int(sys.argv[2])))
