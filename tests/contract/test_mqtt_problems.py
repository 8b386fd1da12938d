"""What a user reads when the broker cannot be used: one sentence with the cure."""

import asyncio
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import MosquittoFactory
from evidenced.mqtt import connection as connection_module
from evidenced.mqtt.settings import BrokerSettings
from fakes.brokercertificates import BrokerCertificates
from fakes.mosquitto import Mosquitto, Peer, ServerTls, free_port
from fakes.running import (
    Log,
    connecting,
    make_broker,
    payloads,
    receive,
    running,
    settings_for,
    until,
)
from fakes.scripted_broker import CONNACK, TAKEN_OVER, scripted_broker


async def _problem(configured: BrokerSettings, log: Log | None = None) -> str:
    """The first reason why it does not connect."""
    broker = make_broker(configured, log=log)
    broker.on_change = lambda: None
    before = broker.problem
    async with connecting(broker, is_crash=True):
        await until(
            broker, lambda: broker.problem != before and not broker.is_connected
        )
        assert broker.problem is not None
        assert "\n" not in broker.problem
        return broker.problem


def _at(port: int, **changes: Any) -> BrokerSettings:
    return BrokerSettings(host="127.0.0.1", port=port, client_id="test", **changes)


async def test_nobody_listens() -> None:
    assert "refuses connections: is it running" in await _problem(_at(free_port()))


async def test_a_name_that_does_not_exist() -> None:
    wrong = BrokerSettings(host="broker.invalid", port=1883, client_id="test")
    assert "name 'broker.invalid' cannot be resolved" in await _problem(wrong)


async def test_a_name_that_no_resolver_takes() -> None:
    wrong = BrokerSettings(host="a" * 70 + ".invalid", port=1883, client_id="test")
    assert "aaa" in await _problem(wrong)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_wrong_password_is_told_and_never_shown(
    mosquitto_factory: MosquittoFactory, protocol: str
) -> None:
    server = mosquitto_factory(users={"evidenced": "right"})
    log = Log()
    configured = settings_for(
        server, protocol=protocol, username="evidenced", password=lambda: "s3cr3t-wrong"
    )
    problem = await _problem(configured, log)
    assert "refuses the login with user 'evidenced'" in problem
    assert "s3cr3t" not in f"{problem}{log.captured.calls}{configured!r}"


async def test_a_password_that_is_corrected_is_taken_at_the_next_try(
    mosquitto_factory: MosquittoFactory,
) -> None:
    server = mosquitto_factory(users={"evidenced": "right"})
    tries = iter(["wrong", "right", "right"])
    configured = settings_for(
        server, username="evidenced", password=lambda: next(tries)
    )
    async with running(make_broker(configured)) as broker:
        assert broker.problem is None


async def test_a_password_file_that_is_gone(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    configured = _at(free_port(), username="a", password=secret.read_text)
    assert (
        f"password cannot be read: [Errno 2] No such file or directory: '{secret}'"
        in (await _problem(configured))
    )


async def test_a_forbidden_subscription_is_named_and_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Mosquitto grants what its ACL forbids, so the refusal is scripted."""
    monkeypatch.setattr("evidenced.mqtt.broker.RESUBSCRIBE_S", 0.05)
    refused, granted = b"\x90\x05\x00\x01\x00\x01\x87", b"\x90\x04\x00\x02\x00\x01"
    async with scripted_broker([CONNACK, refused, granted], is_held_open=True) as port:
        broker = make_broker(_at(port), ["free", "secret"])
        async with connecting(broker, is_crash=True):
            await until(broker, lambda: "secret" in (broker.problem or ""))
            assert broker.is_connected
            assert not broker.is_subscribed
            assert "refused: Not authorized" in (broker.problem or "")
            await until(broker, lambda: broker.is_subscribed)
            assert broker.problem is None


async def test_a_filter_that_is_none(mosquitto: Mosquitto) -> None:
    broker = make_broker(settings_for(mosquitto), ["good", "bad/#/worse", ""])
    async with connecting(broker):
        await until(broker, lambda: "bad/#/worse" in (broker.problem or ""))
        assert "no valid topic filter; 1 more likewise" in (broker.problem or "")
        with Peer(mosquitto.port) as peer:
            peer.publish("good", b"still comes")
        assert payloads(await receive(broker, 1)) == [b"still comes"]


async def test_a_takeover_that_is_told_is_not_fought() -> None:
    log = Log()
    async with scripted_broker([CONNACK + TAKEN_OVER]) as port:
        problem = await _problem(_at(port), log)
    assert "another client took over client_id 'test'" in problem
    (warning,) = log.calls("warning")
    assert warning["next_try_s"] >= 15


async def test_a_broker_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "CONNECT_TIMEOUT_S", 0.1)
    async with scripted_broker([b""], is_held_open=True) as port:
        assert "did not answer CONNECT within" in await _problem(_at(port))


async def test_a_broker_that_hangs_up() -> None:
    async with scripted_broker([b""]) as port:
        assert "closed the connection before it accepted us" in await _problem(
            _at(port)
        )


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(garbage=st.binary(min_size=1, max_size=60), is_accepted=st.booleans())
def test_garbage_ends_the_connection_and_nothing_else(
    garbage: bytes, is_accepted: bool
) -> None:
    async def play() -> None:
        replies = [CONNACK, garbage] if is_accepted else [garbage]
        async with scripted_broker(replies) as port:
            broker = make_broker(_at(port))
            first = broker.problem
            async with connecting(broker, is_crash=True):
                await until(
                    broker,
                    lambda: broker.problem != first and not broker.is_connected,
                )

    asyncio.run(play())


# TLS


@pytest.fixture
def certificates(tmp_path: Path) -> BrokerCertificates:
    return BrokerCertificates(tmp_path)


async def test_tls_with_a_client_certificate(
    mosquitto_factory: MosquittoFactory, certificates: BrokerCertificates
) -> None:
    server = mosquitto_factory(tls=certificates.server(demands_client=True))
    cert, key = certificates.issue("client.example")
    configured = settings_for(
        server,
        tls=True,
        ca_file=certificates.ca_file,
        client_cert=cert,
        client_key=key,
        base_topic="evidenced/tls",
    )
    large = b"x" * 200_000  # many TLS records: nothing may stay in OpenSSL's buffer
    async with running(make_broker(configured, ["evidenced/tls/#"])) as broker:
        for number in range(20):
            await broker.publish(f"loop/{number}", large, retain=False)
        got = await receive(broker, 21)  # and `online`
        broker.acknowledge(got)
        assert payloads(got)[1:] == [large] * 20


async def test_a_missing_client_certificate(
    mosquitto_factory: MosquittoFactory, certificates: BrokerCertificates
) -> None:
    server = mosquitto_factory(tls=certificates.server(demands_client=True))
    configured = settings_for(server, tls=True, ca_file=certificates.ca_file)
    problem = await _problem(configured)
    assert "our client certificate (none is configured)" in problem


async def test_a_certificate_of_an_unknown_ca(
    mosquitto_factory: MosquittoFactory, certificates: BrokerCertificates
) -> None:
    server = mosquitto_factory(tls=certificates.server())
    other = certificates.write("other.pem", trustme.CA().cert_pem.bytes())
    problem = await _problem(settings_for(server, tls=True, ca_file=other))
    assert "signed by a CA that is not trusted" in problem
    assert str(other) in problem


async def test_a_certificate_of_another_host(
    mosquitto_factory: MosquittoFactory, certificates: BrokerCertificates
) -> None:
    server = mosquitto_factory(tls=certificates.server("other.example"))
    configured = settings_for(server, tls=True, ca_file=certificates.ca_file)
    assert "is made out to another address" in await _problem(configured)


async def test_a_certificate_that_has_expired(
    mosquitto_factory: MosquittoFactory, certificates: BrokerCertificates
) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    server = mosquitto_factory(tls=certificates.server(not_after=yesterday))
    configured = settings_for(server, tls=True, ca_file=certificates.ca_file)
    assert "has expired: renew it" in await _problem(configured)


async def test_tls_to_a_port_without(
    mosquitto: Mosquitto, certificates: BrokerCertificates
) -> None:
    configured = settings_for(mosquitto, tls=True, ca_file=certificates.ca_file)
    assert re.search("is it a TLS port|does not speak TLS", await _problem(configured))


async def test_no_tls_to_a_port_with(
    mosquitto_factory: MosquittoFactory, certificates: BrokerCertificates
) -> None:
    server = mosquitto_factory(tls=certificates.server())
    assert "is this a TLS port" in await _problem(settings_for(server))


async def test_files_that_are_no_certificates(certificates: BrokerCertificates) -> None:
    empty = certificates.write("empty.pem", b"")
    nowhere = certificates.folder / "nowhere.pem"
    for wrong in (empty, nowhere):
        problem = await _problem(_at(free_port(), tls=True, ca_file=wrong))
        assert f"CA file {wrong} cannot be used" in problem
        problem = await _problem(_at(free_port(), tls=True, client_cert=wrong))
        assert f"client certificate {wrong} with key {wrong} cannot" in problem


async def test_files_of_other_kinds_are_told_as_what_they_are(
    certificates: BrokerCertificates,
) -> None:
    certificate, key = certificates.issue("evidenced")
    made = serialization.load_pem_private_key(key.read_bytes(), None)
    locked = certificates.write(
        "locked.key",
        made.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        ),
    )

    async def told(ca: Path, mine: Path, its_key: Path) -> str:
        files = {"ca_file": ca, "client_cert": mine, "client_key": its_key}
        return await _problem(_at(free_port(), tls=True, **files))

    ca = certificates.ca_file
    assert f"{key} holds no certificate in PEM" in await told(key, certificate, key)
    assert f"{locked} is encrypted" in await told(ca, certificate, locked)
    swapped = await told(ca, key, certificate)
    assert f"{key} holds no certificate in PEM" in swapped
    twice = await told(ca, certificate, certificate)
    assert f"{certificate} holds no private key in PEM" in twice


@pytest.fixture
def between(certificates: BrokerCertificates) -> trustme.CA:
    return certificates.ca.create_child_ca()


@pytest.fixture
def silent_on_it(
    mosquitto_factory: MosquittoFactory,
    certificates: BrokerCertificates,
    between: trustme.CA,
) -> Mosquitto:
    """A broker that sends its own certificate, and none between it and the root."""
    leaf = between.issue_cert("127.0.0.1")
    return mosquitto_factory(
        tls=ServerTls(
            ca=certificates.ca_file,
            cert=certificates.write("leaf.crt", leaf.cert_chain_pems[0].bytes()),
            key=certificates.write("leaf.key", leaf.private_key_pem.bytes()),
        )
    )


async def test_certificates_between_that_nobody_sends(
    silent_on_it: Mosquitto, certificates: BrokerCertificates
) -> None:
    trusting = _at(silent_on_it.port, tls=True, ca_file=certificates.ca_file)
    problem = await _problem(trusting)
    assert "the server does not send the certificates between" in problem


@pytest.mark.skipif(
    sys.version_info >= (3, 13),
    reason="from Python 3.13 on a certificate between is trusted by itself: it works",
)
async def test_a_certificate_between_without_the_root(
    silent_on_it: Mosquitto, certificates: BrokerCertificates, between: trustme.CA
) -> None:
    half = certificates.write("half.pem", between.cert_pem.bytes())
    problem = await _problem(_at(silent_on_it.port, tls=True, ca_file=half))
    assert "ca_file needs it too, to the root" in problem
