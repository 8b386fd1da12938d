"""Opening the connection beside the loop: names, TCP and TLS handshake block."""

import asyncio
import logging
from collections.abc import Callable
from threading import Thread

from paho.mqtt.client import Client

from evidenced.mqtt.client import BufferedClient, build_client, connect
from evidenced.mqtt.problems import BrokerError, explain_failure
from evidenced.mqtt.settings import BrokerSettings


class SocketLog:
    """paho tells why a socket failed to its logger only: keeps that exception."""

    def __init__(self) -> None:
        self.error: OSError | None = None
        # private to one connection, so not in the tree of named loggers
        self.logger = logging.Logger("mqtt-socket", logging.ERROR)  # noqa: LOG001
        self.logger.addFilter(self._keep)

    def _keep(self, record: logging.LogRecord) -> bool:
        arguments = record.args if isinstance(record.args, tuple) else ()
        for argument in arguments:
            if isinstance(argument, OSError):
                self.error = argument
        return False


def dial(
    settings: BrokerSettings, prepare: Callable[[Client], None]
) -> asyncio.Future[BufferedClient]:
    """A client whose CONNECT is sent, or BrokerError; cancel it and it is closed.

    A daemon thread instead of the executor: a resolver that hangs for minutes must not
    hold up the process's end.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[BufferedClient] = loop.create_future()

    def settle(client: BufferedClient | None, error: Exception | None) -> None:
        if future.done():
            _close(client)
        elif client is not None:
            future.set_result(client)
        elif error is not None:
            future.set_exception(error)

    def work() -> None:
        client, error = None, None
        try:
            client = _dial(settings, prepare)
        except Exception as raised:  # noqa: BLE001 - carried to the waiting coroutine
            error = raised
        try:
            loop.call_soon_threadsafe(settle, client, error)
        except RuntimeError:  # the loop has closed: nobody waits any more
            _close(client)

    Thread(target=work, name="mqtt-dial", daemon=True).start()
    return future


def _dial(
    settings: BrokerSettings, prepare: Callable[[Client], None]
) -> BufferedClient:
    client = build_client(settings)
    prepare(client)
    try:
        connect(client, settings)
    except (OSError, ValueError) as error:
        # ValueError: a host name that no resolver takes, such as too long a label
        raise BrokerError(explain_failure(error, settings)) from error
    return client


def _close(client: Client | None) -> None:
    if client is not None and (sock := client.socket()) is not None:
        sock.close()
