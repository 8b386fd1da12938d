"""Somebody's service that takes messages, over real HTTP on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

SECRET = "t0ken-that-nobody-may-see"
USER = "us3r-name"
PASSWORD = "pa55word-of-it"


class Receiver:
    """Takes what Apprise's json:// posts; `status` 0 never answers."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.tries = 0
        self.status = 200
        self.news = asyncio.Condition()
        self.port = 0
        self._left = asyncio.Event()

    @property
    def url(self) -> str:
        return f"json://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{SECRET}"

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.messages]

    async def until(self, messages: int, within: float = 20.0) -> None:
        async with asyncio.timeout(within), self.news:
            await self.news.wait_for(lambda: len(self.messages) >= messages)

    async def until_told(self, phrase: str, within: float = 20.0) -> None:
        """Till a title says so: two things may be told in one message."""
        async with asyncio.timeout(within), self.news:
            await self.news.wait_for(lambda: phrase in " ".join(self.titles))

    async def until_tried(self, tries: int, within: float = 20.0) -> None:
        async with asyncio.timeout(within), self.news:
            await self.news.wait_for(lambda: self.tries >= tries)

    async def take(self, request: web.Request) -> web.Response:
        value = await request.json()
        async with self.news:
            self.tries += 1
            if self.status == 200:
                self.messages.append(value)
            self.news.notify_all()
        if not self.status:
            await self._left.wait()
        return web.Response(status=self.status or 503)

    def leave(self) -> None:
        self._left.set()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{tail:.*}", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.port = runner.addresses[0][1]
        yield receiver
    finally:
        receiver.leave()
        await runner.cleanup()
