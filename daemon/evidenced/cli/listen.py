"""`evidenced listen`."""

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from json import dumps
from typing import Annotated

import typer

from evidenced.cli.explain import request_text
from evidenced.cli.explained import Describe
from evidenced.cli.explained import as_json as explained_json
from evidenced.cli.explanation import Effect, Explanation, explain_alarm
from evidenced.cli.options import DEFAULT_CONFIG, ConfigFile, load_config, read_duration
from evidenced.cli.terminal import AsJson, Failed, note, say
from evidenced.cli.trial import connect, running, trial_broker
from evidenced.config.compile import build_site
from evidenced.core.alarms.alarm import Alarm, Signal
from evidenced.core.alarms.payload import keepable, one_line
from evidenced.core.instants import render_utc
from evidenced.core.site import Site
from evidenced.core.telling.objects import message_object
from evidenced.mqtt.broker import Broker

NO_ANSWER = 1
BAD_INPUT = 2
SHOWN_BYTES = 200
AT_ONCE = 64

TopicFilters = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TOPIC]...",
        help="Filters, with + and # if wanted. Default: what the rules subscribe.",
        show_default=False,
    ),
]
For = Annotated[
    str | None,
    typer.Option(
        "--for",
        metavar="DURATION",
        help="Stop after so long, such as 10m.",
        show_default=False,
    ),
]
Count = Annotated[
    int | None,
    typer.Option(min=1, help="Stop after so many messages.", show_default=False),
]


def listen(
    topic: TopicFilters = None,
    config: ConfigFile = DEFAULT_CONFIG,
    duration: For = None,
    count: Count = None,
    as_json: AsJson = False,
) -> None:
    """Show what arrives at the broker and which rule takes it, live.

    Nothing is stored and nothing is exported; the daemon may run meanwhile. Retained
    messages come first: old states, which the rules ignore unless they accept them.
    Ends with Ctrl-C, --for or --count. --json prints one JSON object a line. Exit 0:
    connected. 1: the broker does not let us listen. 2: bad input.

    Example: `evidenced listen 'access/#' --for 10m`
    """
    loaded = load_config(config)
    site = build_site(loaded)
    filters = topic or list(site.filters)
    limit = read_duration(duration, "--for") if duration else None
    try:
        broker = trial_broker(loaded, filters)
    except ValueError as error:
        raise Failed(f"mqtt: {error}", code=BAD_INPUT) from None
    describe = partial(request_text, loaded)
    show = partial(_show_json, describe) if as_json else _show
    tell = partial(_tell, site, show)
    problem = asyncio.run(_listen(broker, filters, limit, tell, count))
    if problem is not None:
        raise Failed(f"mqtt: {problem}", code=NO_ANSWER)


async def _listen(
    broker: Broker,
    filters: Sequence[str],
    limit: timedelta | None,
    tell: Callable[[Alarm], None],
    count: int | None,
) -> str | None:
    """Until the limit, the count or a signal; or why the broker does not let us."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(broker):
        problem = await connect(broker)
        if problem is not None:
            return problem
        note(f"listening to {', '.join(filters)}; Ctrl-C ends it")
        async with asyncio.TaskGroup() as group:
            receiving = group.create_task(_receive(broker, tell, count), name="receive")
            receiving.add_done_callback(lambda _: stop.set())
            with suppress(TimeoutError):
                async with asyncio.timeout(limit.total_seconds() if limit else None):
                    await stop.wait()
            receiving.cancel()
    return None


async def _receive(
    broker: Broker, tell: Callable[[Alarm], None], count: int | None
) -> None:
    left = count
    while left is None or left > 0:
        deliveries = await broker.receive(min(AT_ONCE, left or AT_ONCE))
        for delivery in deliveries:
            tell(delivery.alarm)
        broker.acknowledge(deliveries)
        sys.stdout.flush()
        left = None if left is None else left - len(deliveries)


def _tell(site: Site, show: Callable[[Alarm, Explanation], None], alarm: Alarm) -> None:
    show(alarm, explain_alarm(site, alarm))


def _show_json(describe: Describe, alarm: Alarm, explanation: Explanation) -> None:
    value = {
        **message_object(alarm),
        "retained": alarm.retained,
        **explained_json(explanation, describe),
    }
    say(dumps(value))


def _show(alarm: Alarm, explanation: Explanation) -> None:
    mark = " (retained)" if alarm.retained else ""
    payload = one_line(keepable(alarm.payload, SHOWN_BYTES), SHOWN_BYTES)
    say(f"{render_utc(alarm.received_at)}  {alarm.topic}{mark}  {payload}")
    say(f"    {_verdict(explanation)}")


def _verdict(explanation: Explanation) -> str:
    """One line: each rule and what it makes of the message, or why none took it."""
    noted = [
        f"condition {each.condition}: {'holds' if each.holds else 'does not hold'}"
        for each in explanation.noted
    ]
    if explanation.effects:
        return "; ".join([*noted, *map(_told, explanation.effects)])
    refusal = explanation.refusal
    passed = [f"{each.rule}: {each.why}" for each in explanation.passed]
    why = passed or [refusal.detail if refusal else ""]
    told = [f"{refusal.outcome}: {'; '.join(why)}"] if refusal else []
    return "; ".join([*noted, *told])


def _told(effect: Effect) -> str:
    reading = effect.reading
    key = f" {reading.key}" if reading.key else ""
    if reading.signal is Signal.CLEAR:
        return f"-> {reading.rule}{key}: clear"
    cameras = ", ".join(dict.fromkeys(c.camera for c in effect.incident.clips))
    return f"-> {reading.rule}{key}: {cameras or 'no camera is known'}"
