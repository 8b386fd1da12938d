"""The VDG Sense recorder as a RecorderPort. Vendor words stop inside this package."""

from collections.abc import Callable

from evidenced.config.recorders import RecorderConfig
from evidenced.core.ids import SessionId
from evidenced.ports import Clock
from evidenced.sense.client import SenseClient
from evidenced.sense.settings import Auth, SenseSettings

__all__ = ["Auth", "SenseClient", "SenseSettings", "make", "settings_of"]


def settings_of(name: str, section: RecorderConfig) -> SenseSettings:
    """A recorder's section in our own words."""
    return SenseSettings(
        name=name,
        url=section.url,
        username=section.username,
        password=section.password.reveal,
        auth=Auth.DIGEST if section.is_digest else Auth.PLAIN,
        nonce=section.nonce or "",
        timeout=section.timeout,
        ca_file=section.ca_file,
    )


def make(
    name: str,
    section: RecorderConfig,
    clock: Clock,
    new_session: Callable[[], SessionId],
) -> SenseClient:
    """The recorder of this section; nothing is sent yet."""
    return SenseClient(settings_of(name, section), clock, new_session)
