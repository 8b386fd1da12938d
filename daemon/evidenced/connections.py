"""The configuration's sections in the adapters' own words."""

import os
from collections.abc import Callable, Mapping
from hashlib import sha256
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from socket import gethostname
from types import ModuleType

from structlog.typing import FilteringBoundLogger

from evidenced.config.compile import state_dir
from evidenced.config.models import Config
from evidenced.config.recorders import RecorderConfig
from evidenced.config.special import EMBEDDED
from evidenced.core.errors import BadInput
from evidenced.core.ids import RecorderName, SessionId
from evidenced.core.instants import render_utc
from evidenced.core.site import RecorderSettings
from evidenced.host.clock import SystemClock
from evidenced.host.filestamp import file_stamp
from evidenced.kinds import KINDS
from evidenced.mqtt.settings import BrokerSettings
from evidenced.notify import Receiver
from evidenced.pipeline.link import Link
from evidenced.ports import Clock, Dice, RecorderPort
from evidenced.store import HEAD, ServerSettings, StoreSettings


def broker_settings(config: Config) -> BrokerSettings:
    """The broker's section in the adapter's words."""
    mqtt = config.mqtt
    prefix = mqtt.publish_prefix
    return BrokerSettings(
        host=mqtt.host,
        port=mqtt.port,
        tls=mqtt.is_tls,
        websocket_path=mqtt.path,
        client_id=config.client_id,
        protocol="3.1.1" if mqtt.protocol == "3.1.1" else "5",
        username=mqtt.username,
        password=mqtt.password.reveal if mqtt.password else None,
        ca_file=mqtt.ca_file,
        client_cert=mqtt.client_cert,
        client_key=mqtt.client_key,
        session_expiry=mqtt.session_expiry,
        qos=mqtt.qos,
        inflight=mqtt.inflight,
        keepalive=mqtt.keepalive,
        base_topic=f"{prefix}/{config.daemon.instance}" if prefix else "",
    )


OWN = ("daemon", "web", "mqtt")
"""What each node may have otherwise: how it reaches others, and is reached."""


def same_site(config: Config) -> str:
    """What is another text for whoever works otherwise, or by another version.

    Not what a node has for itself, nor where it keeps secrets.
    """
    said = config.model_dump_json(exclude=set(OWN))
    kept = config.daemon.model_dump_json(include={"instance", "site", "timezone"})
    whole = f"{version('evidenced')} {HEAD} {kept} {said}"
    return sha256(whole.encode()).hexdigest()[:16]


def link_maker(
    config: Config, clock: Clock, dice: Dice, log: FilteringBoundLogger
) -> Callable[[RecorderSettings], Link]:
    """What makes a recorder's link, each with a session of its own."""

    def new_session() -> SessionId:
        """Our name of one API session: when it began, and not to be guessed."""
        return SessionId(f"{render_utc(clock.now())}-{dice.token()}")

    def make(settings: RecorderSettings) -> Link:
        port = recorder_for(config, settings.name, clock, new_session)
        return Link(settings, port, clock, dice, log)

    return make


def store_settings(config: Config, environ: Mapping[str, str]) -> StoreSettings:
    """Where the store is, for the daemon and for whoever looks into it."""
    daemon, server = config.daemon, None
    if daemon.store != EMBEDDED:
        server = ServerSettings(
            url=daemon.store,
            node=daemon.node or gethostname(),
            monotonic=SystemClock().monotonic,
            now=SystemClock().now,
            password=daemon.store_password.reveal if daemon.store_password else None,
            site=same_site(config),
            instance=daemon.instance,
        )
    return StoreSettings(directory=state_dir(config, environ), server=server)


def embedded(config: Config) -> Path:
    """The state folder, for what works on the file of the embedded store.

    Raises:
        BadInput: the store is in a database of its own.
    """
    if config.daemon.store != EMBEDDED:
        raise BadInput(
            "daemon.store is a PostgreSQL database, and this reads the embedded store; "
            "pg_dump backs it up and pg_restore brings it back"
        )
    return state_dir(config, os.environ)


def recorder_for(
    config: Config,
    name: RecorderName,
    clock: Clock,
    new_session: Callable[[], SessionId],
) -> RecorderPort:
    """The recorder of this name, of the kind that it is; nothing is sent yet.

    The only place where one is made: by the daemon, by `check --online`, `discover`
    and `explain`.
    """
    section = config.recorders[name]
    made: RecorderPort = _adapter(section).make(name, section, clock, new_session)
    return made


def _adapter(section: RecorderConfig) -> ModuleType:
    return import_module(KINDS[section.kind].adapter)


def certificates(config: Config) -> object:
    """What the broker's connection was made with, as the files on disk are now.

    A recorder's are looked at with every connection; the broker's may stand for months.
    """
    mqtt = config.mqtt
    files = (mqtt.ca_file, mqtt.client_cert, mqtt.client_key)
    return tuple(file_stamp(file) for file in files)


def receivers(config: Config) -> dict[str, Receiver]:
    """Who gets messages, in the adapter's words."""
    return {
        name: Receiver(url=each.url.reveal, timeout=each.timeout)
        for name, each in config.notify.items()
    }


def lasting(config: Config) -> object:
    """What cannot change on a connection that stands: a change of it restarts."""
    return (
        config.daemon.state_dir,
        config.daemon.store,
        config.daemon.store_password,
        config.daemon.node,
        config.daemon.instance,
        config.mqtt,
        config.evidence.key,
        config.evidence.timestamp,
        config.evidence.timestamp_ca_file,
        config.notify,
        config.report,
        {
            # what is read late is compared by where it is read from
            name: (section.password, _adapter(section).settings_of(name, section))
            for name, section in config.recorders.items()
        },
    )
