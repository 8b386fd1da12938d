"""amqtt: `python amqtt_serves.py PORT`, by the Python that has it."""

import asyncio
import sys

from amqtt.broker import Broker

LISTENERS = {"default": {"type": "tcp", "bind": f"127.0.0.1:{sys.argv[1]}"}}
ANYBODY = {
    "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
}


async def main() -> None:
    await Broker({"listeners": LISTENERS, "plugins": ANYBODY}).start()
    await asyncio.Event().wait()


asyncio.run(main())
