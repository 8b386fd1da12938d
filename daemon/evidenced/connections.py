"""The configuration's sections in the adapters' own words."""

from evidenced.config.models import Config
from evidenced.core.site import RecorderSettings
from evidenced.host.filestamp import file_stamp
from evidenced.mqtt.settings import BrokerSettings
from evidenced.notify import Receiver
from evidenced.sense import Auth, SenseSettings


def broker_settings(config: Config) -> BrokerSettings:
    """The broker's section in the adapter's words."""
    mqtt = config.mqtt
    prefix = mqtt.publish_prefix
    return BrokerSettings(
        host=mqtt.host,
        port=mqtt.port,
        tls=mqtt.is_tls,
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


def sense_settings(config: Config, settings: RecorderSettings) -> SenseSettings:
    """A recorder's section in the adapter's words."""
    recorder = config.recorders[settings.name]
    return SenseSettings(
        name=settings.name,
        url=recorder.url,
        username=recorder.username,
        password=recorder.password.reveal,
        auth=Auth.DIGEST if recorder.is_digest else Auth.PLAIN,
        nonce=recorder.nonce or "",
        timeout=settings.timeout,
        ca_file=recorder.ca_file,
    )


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
        config.daemon.instance,
        config.mqtt,
        config.web,
        config.evidence.key,
        config.notify,
        config.report,
        {
            name: (r.url, r.username, r.password, r.auth, r.nonce, r.ca_file, r.timeout)
            for name, r in config.recorders.items()
        },
    )
