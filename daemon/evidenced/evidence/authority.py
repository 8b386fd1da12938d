"""An authority that is asked for time stamps over HTTP: bounded, and tried once."""

import ssl
from pathlib import Path

import aiohttp
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import BadInput
from evidenced.core.keeping.stamps import Vouched
from evidenced.evidence.timestamp import MOST_TEXT, roots_of, verify_stamp
from evidenced.host.threads import on_thread

TIMEOUT_S = 30.0
MOST_BYTES = 64 * 1024
"""Of a response; with its certificates it has some 6 kB."""
ASKS = "application/timestamp-query"
ANSWERS = "application/timestamp-reply"
"""Source: RFC 3161, 3.4."""


class Authority:
    """`StampPort` over HTTP. Asked once a day, on a connection of its own."""

    def __init__(
        self, url: str, ca_file: Path | None, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._url = url
        self._ca_file = ca_file
        self._timeout_s = timeout_s

    async def stamp(self, text: str) -> Vouched:
        """See the port."""
        url = self._url
        roots = await on_thread(lambda: roots_of(self._ca_file))
        digest = HashAlgorithm.SHA256
        asked = TimestampRequestBuilder().data(text.encode()).hash_algorithm(digest)
        request = asked.build()
        try:
            response = await self._exchange(request.as_bytes())
        except TimeoutError:
            seconds = self._timeout_s
            raise BadInput(f"{url} does not answer within {seconds:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            why = one_line(str(error), MOST_TEXT) or type(error).__name__
            raise BadInput(f"{url} cannot be asked: {why}") from None
        try:
            return await on_thread(lambda: verify_stamp(response, text, roots, request))
        except BadInput as error:
            raise BadInput(f"{url} gave no usable time stamp: {error}") from None

    async def _exchange(self, request: bytes) -> bytes:
        """One question and its answer, bounded in time and size; no redirect.

        Raises:
            ValueError: a sentence about an answer that is none.
        """
        timeout = aiohttp.ClientTimeout(total=self._timeout_s)
        connector = aiohttp.TCPConnector(force_close=True, ssl=self.tls())
        async with (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=timeout,
                auto_decompress=False,
            ) as session,
            session.post(
                self._url,
                data=request,
                headers={
                    "Content-Type": ASKS,
                    "Accept": ANSWERS,
                    "Accept-Encoding": "identity",
                },
                allow_redirects=False,
            ) as response,
        ):
            if response.status != 200:  # noqa: PLR2004 - HTTP's own
                raise ValueError(f"it answers with HTTP status {response.status}")
            body = bytearray()
            async for chunk in response.content.iter_chunked(MOST_BYTES):
                body += chunk
                if len(body) > MOST_BYTES:
                    raise ValueError(f"its answer is longer than {MOST_BYTES} bytes")
            return bytes(body)

    def tls(self) -> ssl.SSLContext:
        """The system's authorities, and those that sign stamps."""
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._ca_file is not None:
            context.load_verify_locations(cafile=self._ca_file)
        return context
