import socket
import ssl
from types import SimpleNamespace
from typing import cast

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from evidenced.core.errors import Reason
from evidenced.sense.faults import Exchange, explain

KEY = cast("ConnectionKey", SimpleNamespace(host="h", port=80, is_ssl=True, ssl=True))


@pytest.mark.parametrize("acts", [True, False])
@pytest.mark.parametrize(
    ("error", "is_connected", "reason", "part"),
    [
        (
            aiohttp.ClientConnectorDNSError(KEY, OSError(socket.EAI_NONAME, "x")),
            False,
            Reason.UNREACHABLE,
            "its name cannot be resolved",
        ),
        (
            aiohttp.ClientConnectorError(KEY, OSError(111, "x")),
            False,
            Reason.UNREACHABLE,
            "Connection refused",
        ),
        (
            aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLError("KEY1")),
            False,
            Reason.UNREACHABLE,
            "its certificate is not trusted",
        ),
        (
            aiohttp.ClientConnectorSSLError(KEY, OSError(1, "x")),
            False,
            Reason.UNREACHABLE,
            "the TLS handshake failed",
        ),
        (
            aiohttp.ConnectionTimeoutError(),
            False,
            Reason.TIMEOUT,
            "no connection to sense:80 for exportVideo within 30 s",
        ),
        (
            aiohttp.SocketTimeoutError(),
            True,
            Reason.TIMEOUT,
            "no answer to exportVideo from sense:80 within 30 s (recorders.main.time",
        ),
        (TimeoutError(), True, Reason.TIMEOUT, "no answer"),
        (ConnectionResetError(), True, Reason.UNREACHABLE, "cut the connection"),
        (
            aiohttp.ServerDisconnectedError(),
            True,
            Reason.UNREACHABLE,
            "cut the connection",
        ),
        (aiohttp.ClientPayloadError("KEY1"), True, Reason.GARBAGE, "cut off"),
        (ValueError("KEY1"), False, Reason.UNREACHABLE, "the connection failed"),
    ],
)
def test_each_fault_has_a_reason_and_says_whether_it_may_have_been_sent(
    error: Exception, is_connected: bool, reason: Reason, part: str, acts: bool
) -> None:
    told = explain(
        error,
        Exchange(
            what="exportVideo",
            place="sense:80",
            deadline="30 s (recorders.main.timeout)",
            is_connected=is_connected,
            acts=acts,
        ),
    )
    assert told.reason is reason
    assert told.is_sent is (is_connected and acts)
    assert part in str(told)
    assert "KEY1" not in str(told)
