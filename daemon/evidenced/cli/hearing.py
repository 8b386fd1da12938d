"""What broker and recorder tell while `evidenced init` asks for them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from importlib import import_module

from evidenced.cli.asking import NotGood
from evidenced.cli.newconfig import ServerLogin, broker_lines, recorder_lines
from evidenced.cli.recognise import Recogniser
from evidenced.cli.terminal import note
from evidenced.config import Config, load_text
from evidenced.core.alarms.alarm import Alarm
from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import BadInput, ConfigError, RecorderError
from evidenced.core.recorder import Device
from evidenced.core.spoken import spoken

AT_ONCE = 64
SHOWN_TOPICS = 10


def _draft(lines: Sequence[str]) -> Config:
    """So much of a configuration as is needed to try it.

    Raises:
        NotGood: what was said makes none.
    """
    try:
        return load_text("\n".join(lines)).config
    except ConfigError as error:
        raise NotGood("; ".join(error.problems)) from None


def hear(account: ServerLogin, limit: timedelta) -> Recogniser:
    """What is heard in so long a time, Ctrl-C ends it before.

    Raises:
        NotGood: the broker does not let us listen.
    """
    config = _draft(broker_lines(account))
    heard = Recogniser.of_shipped()
    with suppress(KeyboardInterrupt):
        problem = asyncio.run(_receive(config, heard, limit))
        if problem is not None:
            raise NotGood(f"mqtt: {problem}")
    return heard


async def _receive(config: Config, heard: Recogniser, limit: timedelta) -> str | None:
    # the daemon's adapters: not loaded for the sake of `--help`
    trial = import_module("evidenced.cli.trial")
    try:
        broker = trial.trial_broker(config, ["#"])
    except ValueError as error:
        return str(error)
    ours = f"{config.mqtt.publish_prefix}/"
    async with trial.running(broker):
        problem: str | None = await trial.connect(broker)
        if problem is not None and broker.has_refused_topics:
            note("connected; its access rules let nobody listen to everything (#)")
            return None
        if problem is not None:
            return problem
        note(f"connected; listening for {spoken(limit)}, Ctrl-C goes on at once")
        with suppress(TimeoutError):
            async with asyncio.timeout(limit.total_seconds()):
                while True:
                    deliveries = await broker.receive(AT_ONCE)
                    for delivery in deliveries:
                        _hear(heard, delivery.alarm, ours)
                    broker.acknowledge(deliveries)
    return None


def _hear(heard: Recogniser, alarm: Alarm, ours: str) -> None:
    """One message; who waits is told of each system when it is heard first."""
    if alarm.topic.startswith(ours):
        return
    before = {each.system for each in heard.likely()}
    heard.hear(alarm)
    for one in heard.likely():
        if one.system not in before:
            note(f"  heard {one.system}: {one_line(alarm.topic, 200)}")


def tell_heard(heard: Recogniser) -> None:
    """Which systems were recognised; else some of the topics."""
    note(f"{heard.messages} messages on {len(heard.topics)} topics")
    for one in heard.likely():
        note(f"  {one.system}: {one.title}: {one.understood} alarms or ends of them")
    for one in heard.possible():
        note(f"  {one.system}: {one.title}, perhaps: its topics, but no alarm")
    if not heard.found:
        for topic in list(heard.topics)[:SHOWN_TOPICS]:
            note(f"  {one_line(topic, 200)}")


def devices_of(account: ServerLogin) -> tuple[Device, ...]:
    """What the recorder lists.

    Raises:
        NotGood: it gives no usable answer, or lists nothing.
    """
    config = _draft(["[mqtt]", 'url = "mqtt://localhost"', *recorder_lines(account)])
    online = import_module("evidenced.cli.online")
    try:
        devices: tuple[Device, ...] = online.list_devices(config, "main")
    except (RecorderError, BadInput) as error:
        raise NotGood(f"recorder: {error}") from None
    if not devices:
        raise NotGood("recorder: it lists no device that this account may see")
    return devices
