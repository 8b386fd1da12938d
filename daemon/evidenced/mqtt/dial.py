"""Opening the connection beside the loop: names, TCP and TLS handshake block."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from paho.mqtt.client import Client

from evidenced.host.threads import HangingError, Threads
from evidenced.mqtt.client import BufferedClient, build_client, connect
from evidenced.mqtt.problems import BrokerError, explain_failure
from evidenced.mqtt.settings import BrokerSettings

MOST_HANGING = 4
"""Attempts that were given up and go on: a name server that is mute keeps one for half
a minute."""


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


class Dialler:
    """For all connections to one broker: attempts that hang are counted together."""

    def __init__(self) -> None:
        self._threads = Threads(MOST_HANGING, unwanted=_close)

    def dial(
        self, settings: BrokerSettings, prepare: Callable[[Client], None]
    ) -> asyncio.Future[BufferedClient]:
        """A client whose CONNECT is sent; cancel it and it is closed.

        Raises:
            BrokerError: too many attempts hang. The future has one, too.
        """
        try:
            return self._threads.begin(partial(_dial, settings, prepare), key=None)
        except HangingError:
            raise BrokerError(
                f"{MOST_HANGING} attempts to reach the broker at {settings.address} "
                "still hang: does the name server answer?"
            ) from None


def _dial(
    settings: BrokerSettings, prepare: Callable[[Client], None]
) -> BufferedClient:
    client = build_client(settings)
    prepare(client)
    try:
        connect(client, settings)
    except (OSError, ValueError, IndexError) as error:
        # ValueError: a host name that no resolver takes, such as too long a label;
        # IndexError: paho, at odd headers in the answer to a WebSocket's handshake
        client.abandon()
        raise BrokerError(explain_failure(error, settings)) from error
    return client


def _close(client: Client | None) -> None:
    if client is not None and (sock := client.socket()) is not None:
        sock.close()
