"""HTTPS: verified always, by the system's authorities or by `ca_file` alone."""

import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from evidenced.core.errors import Reason, RecorderError
from evidenced.core.ids import SessionId
from evidenced.sense import SenseClient, SenseSettings
from fakes.clock import FakeClock
from fakes.recorder_double import RecorderDouble

SETTINGS = SenseSettings(
    name="main",
    url="",
    username="export",
    password=lambda: "secret",
    nonce="n",
    timeout=timedelta(seconds=20),
)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
async def url(tls: ssl.SSLContext) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", RecorderDouble().serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def open_error(settings: SenseSettings) -> RecorderError:
    client = SenseClient(settings, FakeClock(), lambda: SessionId("s1"))
    with pytest.raises(RecorderError) as raised:
        await client.open_session()
    await client.close()
    assert raised.value.reason is Reason.UNREACHABLE
    assert not raised.value.is_sent
    return raised.value


async def test_with_the_right_authority(url: str, ca_file: Path) -> None:
    settings = replace(SETTINGS, url=url, ca_file=ca_file)
    client = SenseClient(settings, FakeClock(), lambda: SessionId("s1"))
    assert (await client.open_session()).session == "s1"
    await client.close()


async def test_without_it(url: str) -> None:
    error = await open_error(replace(SETTINGS, url=url))
    assert "certificate is not trusted: it is signed by a CA" in str(error)


async def test_for_another_name(url: str, ca_file: Path) -> None:
    other = url.replace("127.0.0.1", "localhost")
    error = await open_error(replace(SETTINGS, url=other, ca_file=ca_file))
    assert "certificate is not trusted: it is made out to another" in str(error)


async def test_below_tls_1_2(url: str, tls: ssl.SSLContext, ca_file: Path) -> None:
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        tls.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        tls.maximum_version = ssl.TLSVersion.TLSv1_1
    tls.set_ciphers("ALL:@SECLEVEL=0")
    error = await open_error(replace(SETTINGS, url=url, ca_file=ca_file))
    assert "TLS" in str(error)


async def test_a_ca_file_that_cannot_be_used(tmp_path: Path) -> None:
    settings = replace(SETTINGS, url="https://127.0.0.1:1")
    missing = tmp_path / "missing.pem"
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")
    for path in (missing, empty):
        error = await open_error(replace(settings, ca_file=path))
        assert "recorders.main.ca_file" in str(error)


async def test_a_ca_file_that_was_replaced_counts_at_once(
    url: str, authority: trustme.CA, ca_file: Path
) -> None:
    """An authority that is trusted no more is out, and one that is new is in."""
    settings = replace(SETTINGS, url=url, ca_file=ca_file)
    client = SenseClient(settings, FakeClock(), lambda: SessionId("s1"))
    await client.open_session()
    trustme.CA().cert_pem.write_to_path(str(ca_file))
    with pytest.raises(RecorderError, match="not trusted"):
        await client.open_session()
    authority.cert_pem.write_to_path(str(ca_file))
    await client.open_session()
    await client.close()
