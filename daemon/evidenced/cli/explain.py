"""`evidenced explain`."""

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from evidenced.cli.alarms import read_record
from evidenced.cli.explained import as_json, lines_of
from evidenced.cli.explanation import explain_alarm
from evidenced.cli.options import DEFAULT_CONFIG, ConfigFile, load_config, parse_time
from evidenced.cli.terminal import AsJson, Failed, say_json, say_labelled
from evidenced.config import Config
from evidenced.config.compile import build_site
from evidenced.connections import recorder_for
from evidenced.core.alarms.alarm import Alarm
from evidenced.core.alarms.payload import MAX_PAYLOAD_BYTES
from evidenced.core.alarms.topic import MAX_TOPIC_BYTES
from evidenced.core.ids import RecorderName, SessionId
from evidenced.core.recorder import ExportOrder, RequestText
from evidenced.host.clock import SystemClock

NO_SESSION = SessionId("")
"""Nothing is sent, so none is opened."""

NO_RULE = 1
BAD_INPUT = 2

Topic = Annotated[
    str | None, typer.Option(help="The topic it comes on.", show_default=False)
]
Payload = Annotated[
    str | None,
    typer.Option(help="The payload itself, @FILE, or - for stdin.", show_default=False),
]
RecordName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Instead of both: a message that the store keeps, by the name that "
        "evidenced alarms gives it, such as 17.",
    ),
]
At = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="When it is received, ISO 8601; without a zone local time. "
        "Default: now; of a record, when it was.",
    ),
]
Retained = Annotated[bool, typer.Option("--retained", help="As a retained message.")]


def explain(
    config: ConfigFile = DEFAULT_CONFIG,
    topic: Topic = None,
    payload: Payload = None,
    record: RecordName = None,
    at: At = None,
    retained: Retained = False,
    json: AsJson = False,
) -> None:
    """Show what a message would cause, without doing it; or why nothing would happen.

    Nothing is sent and nothing is stored; incidents that are open are not looked at.
    Exit 0: a rule takes it. 1: none does. 2: bad input.

    Example: `evidenced explain -c evidenced.toml --topic access/hq/north/forced
    --payload '{"state": "active"}'`
    """
    loaded = load_config(config)
    site = build_site(loaded)
    if record is None:
        alarm = replace(_said(topic, payload), retained=retained)
    else:
        alarm = _kept(loaded, record, topic, payload)
    if at:
        alarm = replace(alarm, received_at=parse_time(at, site.zone))
    explanation = explain_alarm(site, alarm)
    describe = partial(request_text, loaded)
    if json:
        say_json(as_json(explanation, describe))
    else:
        for label, lines in lines_of(explanation, site, describe):
            say_labelled(label, lines)
    raise typer.Exit(0 if explanation.effects or explanation.noted else NO_RULE)


def request_text(
    config: Config, recorder: RecorderName, order: ExportOrder
) -> RequestText:
    """What would be sent to this recorder, as its adapter says."""
    clock = SystemClock()
    return recorder_for(config, recorder, clock, lambda: NO_SESSION).describe(order)


def _kept(config: Config, record: str, topic: str | None, payload: str | None) -> Alarm:
    """As it came, retained or not."""
    if topic is not None or payload is not None:
        raise Failed(
            "--record brings its own topic and payload: leave those out",
            code=BAD_INPUT,
        )
    return read_record(config, record).alarm


def _said(topic: str | None, payload: str | None) -> Alarm:
    if topic is None or payload is None:
        raise Failed("say --topic and --payload, or --record", code=BAD_INPUT)
    return Alarm(
        topic=_checked_topic(topic),
        payload=_read_payload(payload),
        received_at=SystemClock().now(),
    )


def _checked_topic(topic: str) -> str:
    """A topic as a broker would let it through. Source: MQTT 5.0, 4.7.3."""
    if not topic or set(topic) & {"+", "#", "\0"}:
        raise Failed(
            f"--topic {topic!r} is no topic that a message can have: "
            "write it out, without + and #",
            code=BAD_INPUT,
        )
    if len(os.fsencode(topic)) > MAX_TOPIC_BYTES:
        raise Failed(
            f"--topic is longer than MQTT's {MAX_TOPIC_BYTES} bytes", code=BAD_INPUT
        )
    return topic


def _read_payload(said: str) -> bytes:
    """The bytes that are meant; one more than is ever read tells the daemon's fault."""
    limit = MAX_PAYLOAD_BYTES + 1
    if said == "-":
        return sys.stdin.buffer.read(limit)
    if not said.startswith("@"):
        return os.fsencode(said)
    try:
        with Path(said[1:]).open("rb") as file:
            return file.read(limit)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no such file"
        raise Failed(
            f"--payload {said}: {said[1:]!r} cannot be read: {why}", code=BAD_INPUT
        ) from None
