"""What `check` says of the page's certificate."""

from datetime import datetime
from importlib import import_module
from urllib.parse import urlsplit

from evidenced.config import Config
from evidenced.core.errors import BadInput


def certificate_faults(config: Config, now: datetime) -> list[str]:
    """What is wrong with the page's certificate, if it has one.

    A key that this user may not read is not ours to doubt: `--online` tells it.
    """
    tls = config.web.tls
    if tls.certificate is None or tls.key is None:
        return []
    try:
        key = tls.key.reveal()
    except BadInput:
        return []
    try:
        # its libraries are not loaded for the sake of other checks
        identity = import_module("evidenced.web.tls").read_identity
        found = identity(tls.certificate, key)
    except BadInput as error:
        return [f"web.tls: {error}"]
    host = urlsplit(config.web.public_url or "").hostname or ""
    return [f"web.tls: {tls.certificate} {each}" for each in found.faults(now, host)]
