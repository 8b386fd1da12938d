"""Messages through Apprise over real HTTP and SMTP; no address is ever told."""

import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from typing_extensions import override

from evidenced.config.secret import Origin, Secret
from evidenced.core.severity import Severity
from evidenced.core.telling.mail import Enclosure, Message
from evidenced.notify import AppriseMessenger
from evidenced.notify import Receiver as Address
from evidenced.notify.messenger import masked
from evidenced.ports import NotSent
from evidenced.simulator.drawn import draw
from fakes.clock import START
from fakes.mailserver import mailing
from fakes.receiver import PASSWORD, SECRET, USER, Receiver, receiving

MESSAGE = Message(
    title="site-1: 37 incidents failed",
    body="first line\n  <b>& second & ünïcode\n\nlast",
    severity=Severity.CRITICAL,
)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


def messenger(url: str, timeout: float = 10.0) -> AppriseMessenger:
    address = Address(url=lambda: url, timeout=timedelta(seconds=timeout))
    return AppriseMessenger({"duty": address})


async def test_a_message_arrives_as_it_is(receiver: Receiver) -> None:
    await messenger(receiver.url).send("duty", MESSAGE)
    [got] = receiver.messages
    assert got["title"] == MESSAGE.title
    assert got["message"] == MESSAGE.body
    assert got["type"] == "failure"


async def test_a_mail_arrives_as_it_is() -> None:
    async with mailing() as server:
        url = f"mailto://127.0.0.1:{server.port}?from=site@a.test&to=duty@b.test"
        await messenger(url).send("duty", MESSAGE)
    [mail] = server.mails
    assert server.recipients == ["duty@b.test"]
    assert mail["subject"] == MESSAGE.title
    body = mail.get_body(("plain",))
    assert body is not None
    assert "\n".join(body.get_content().splitlines()) == MESSAGE.body


async def test_a_mail_carries_its_pictures() -> None:
    data = draw("lobby", START)
    enclosed = Enclosure(name="i1-incident.still-10.jpg", data=data)
    async with mailing() as server:
        url = f"mailto://127.0.0.1:{server.port}?from=site@a.test&to=duty@b.test"
        await messenger(url).send("duty", replace(MESSAGE, pictures=(enclosed,)))
    [mail] = server.mails
    [found] = mail.iter_attachments()
    assert (found.get_content_type(), found.get_filename()) == (
        "image/jpeg",
        enclosed.name,
    )
    assert found.get_content() == data


async def test_a_service_that_takes_no_pictures_gets_the_words(
    receiver: Receiver,
) -> None:
    enclosed = Enclosure(name="a.jpg", data=draw("lobby", START))
    await messenger(receiver.url).send("duty", replace(MESSAGE, pictures=(enclosed,)))
    [got] = receiver.messages
    assert got["message"] == MESSAGE.body


async def test_a_mail_server_that_takes_it_not_is_a_failure() -> None:
    async with mailing() as server:
        server.refuses = b"550 no such user here\r\n"
        url = f"mailto://127.0.0.1:{server.port}?from=site@a.test&to={SECRET}@b.test"
        with pytest.raises(NotSent) as caught:
            await messenger(url).send("duty", MESSAGE)
    assert server.mails == []
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("status", [401, 404, 500])
async def test_a_refusal_says_which_and_no_address(
    receiver: Receiver,
    status: int,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    receiver.status = status
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(NotSent, match=str(status)) as caught,
    ):
        await messenger(receiver.url).send("duty", MESSAGE)
    told = f"{caught.value} {caplog.text} {''.join(capfd.readouterr())}"
    assert not [word for word in (SECRET, PASSWORD, USER) if word in told]
    assert receiver.tries == 1


async def test_nobody_there_is_a_failure(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"json://127.0.0.1:{free.getsockname()[1]}/{SECRET}"
    with pytest.raises(NotSent) as caught:
        await messenger(url).send("duty", MESSAGE)
    assert SECRET not in f"{caught.value}{''.join(capfd.readouterr())}"


async def test_one_that_never_answers_has_a_deadline_and_no_second_thread(
    receiver: Receiver,
) -> None:
    receiver.status = 0
    made = messenger(receiver.url, timeout=0.2)
    with pytest.raises(NotSent, match=r"not sent within 0\.2 s"):
        await made.send("duty", MESSAGE)
    with pytest.raises(NotSent, match="before is still being sent"):
        await made.send("duty", MESSAGE)
    assert receiver.tries <= 1


@pytest.mark.parametrize("url", ["nothing", f"unknown://{SECRET}", "json://"])
async def test_an_address_that_means_nothing(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(NotSent, match="not one that Apprise knows") as caught,
    ):
        await messenger(url).send("duty", MESSAGE)
    assert SECRET not in f"{caught.value}{caplog.text}"


async def test_a_secret_that_cannot_be_read_says_where_it_should_be() -> None:
    gone = Secret(Origin.ENV, "EVIDENCED_TEST_NOT_SET")
    address = Address(url=gone.reveal, timeout=timedelta(seconds=5))
    with pytest.raises(NotSent, match="EVIDENCED_TEST_NOT_SET is empty or not set"):
        await AppriseMessenger({"duty": address}).send("duty", MESSAGE)


def test_no_address_is_in_a_repr() -> None:
    literal = Secret(Origin.LITERAL, f"json://{SECRET}")
    address = Address(url=literal.reveal, timeout=timedelta(seconds=5))
    assert SECRET not in f"{address!r} {address} {vars(AppriseMessenger({}))}"


@pytest.mark.parametrize(
    "address",
    [
        f"slack://{SECRET}/{PASSWORD}/{USER}/",
        f"mailtos://{USER}:{PASSWORD}@example.com?to={SECRET}@example.com",
        f"tgram://{SECRET}%3A{PASSWORD}/{USER}",
        f"json://{USER}:{PASSWORD}@host/?key={SECRET}#x",
    ],
)
def test_every_part_of_an_address_is_masked(address: str) -> None:
    text = f"POST {address} to {SECRET} for {USER} with {PASSWORD} failed: error=503"
    told = masked(text, address)
    assert not [word for word in (SECRET, PASSWORD, USER) if word in told]
    assert told.endswith("failed: error=503")


async def test_apprise_says_nothing_in_our_log(receiver: Receiver) -> None:
    """It logs the whole address, its tokens too."""
    heard: list[str] = []

    class Ours(logging.Handler):
        @override
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    ours = Ours(logging.DEBUG)
    logging.getLogger().addHandler(ours)
    try:
        await messenger(receiver.url).send("duty", MESSAGE)
        for name in ("apprise", "requests", "urllib3"):
            logging.getLogger(name).error("posted to %s", receiver.url)
    finally:
        logging.getLogger().removeHandler(ours)
    assert heard == []
