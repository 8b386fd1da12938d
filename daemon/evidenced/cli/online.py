"""Asking the real broker and recorders, for `check --online` and `discover`.

Nothing is changed anywhere: the broker is asked under another client id, so that the
daemon's session stays its own, and a recorder is only logged in to and listed.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

from evidenced.cli.trial import connect, running, trial_broker
from evidenced.config import Config
from evidenced.config.compile import build_site
from evidenced.connections import sense_settings
from evidenced.core.errors import BadInput, RecorderError
from evidenced.core.ids import RecorderName, SessionId
from evidenced.core.recorder import SUSPICIOUS_OFFSET, Device, SessionInfo
from evidenced.core.site import Destination, RecorderSettings, Site
from evidenced.evidence import ShareFolders, Signer
from evidenced.host.clock import SystemClock
from evidenced.sense import SenseClient

EXPORTS_SINCE = (2, 7, 3)
"""The version that brought exportVideo. Source: sense-api.md part A."""


class Verdict(StrEnum):
    FINE = "fine"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried: where it stands in the file, and what came of it."""

    place: str
    verdict: Verdict
    text: str


def check_online(config: Config) -> list[Finding]:
    """Try everything that the configuration names. Blocks up to its deadlines."""
    return asyncio.run(_gather(config))


def list_devices(config: Config, recorder: str) -> tuple[Device, ...]:
    """What a recorder lists for the configured account. Blocks up to its deadline.

    Raises:
        RecorderError: it gave no usable answer.
        BadInput: its secret or certificate cannot be read.
    """
    settings = build_site(config).recorders[RecorderName(recorder)]
    return asyncio.run(_devices(_client(config, settings)))


async def _devices(client: SenseClient) -> tuple[Device, ...]:
    try:
        return await client.devices()
    finally:
        await client.close()


def _client(config: Config, settings: RecorderSettings) -> SenseClient:
    return SenseClient(
        sense_settings(config, settings),
        SystemClock(),
        lambda: SessionId(uuid4().hex),
    )


async def _gather(config: Config) -> list[Finding]:
    site = build_site(config)
    found = _secrets(config)
    unread = {each.place for each in found}
    if "mqtt.password" not in unread:
        found.append(await _broker(config, site))
    for name, recorder in site.recorders.items():
        if f"recorders.{name}.password" not in unread:
            found += [each async for each in _recorder(config, site, recorder)]
    for destination in site.destinations.values():
        found += _destination(destination)
    if "evidence.key" not in unread:
        found += _evidence_key(config)
    return found


def _secrets(config: Config) -> list[Finding]:
    """Those that cannot be read by this user; what they hold is not looked at."""
    found = []
    for place, secret in config.secrets():
        try:
            secret.reveal()
        except BadInput as error:
            found.append(
                Finding(".".join(map(str, place)), Verdict.PROBLEM, str(error))
            )
    return found


async def _broker(config: Config, site: Site) -> Finding:
    """Connect and subscribe, as somebody else than the daemon."""
    try:
        broker = trial_broker(config, site.filters)
    except ValueError as error:
        return Finding("mqtt", Verdict.PROBLEM, str(error))
    async with running(broker):
        problem = await connect(broker)
    if problem is not None:
        return Finding("mqtt", Verdict.PROBLEM, problem)
    count = len(site.filters)
    done = f"{count} filter{'' if count == 1 else 's'} subscribed"
    return Finding("mqtt", Verdict.FINE, f"{broker.address}: connected, {done}")


async def _recorder(
    config: Config, site: Site, settings: RecorderSettings
) -> AsyncIterator[Finding]:
    place = f"recorders.{settings.name}"
    try:
        client = _client(config, settings)
    except BadInput as error:  # a certificate that cannot be read
        yield Finding(place, Verdict.PROBLEM, str(error))
        return
    try:
        info = await client.open_session()
        yield _session(place, info)
        yield _license(place, info, await client.is_licensed())
        devices = await client.devices()
    except RecorderError as error:
        yield Finding(place, Verdict.PROBLEM, f"{error} ({error.reason})")
        return
    finally:
        await client.close()
    for finding in _cameras(site, settings, devices):
        yield finding


def _session(place: str, info: SessionInfo) -> Finding:
    version = f"logged in, version {info.version or 'unknown'}"
    if info.offset is None:
        text = f"{version}; its clock cannot be asked (before 2.6.1)"
        return Finding(place, Verdict.WARNING, text)
    seconds = info.offset.estimate.total_seconds()
    if abs(info.offset.estimate) > SUSPICIOUS_OFFSET:
        text = f"{version}; its clock is off by {seconds:+.1f} s: set it"
        return Finding(place, Verdict.WARNING, text)
    return Finding(place, Verdict.FINE, f"{version}, clock offset {seconds:+.1f} s")


def _license(place: str, info: SessionInfo, found: bool | None) -> Finding:
    """Whether it can export at all. Source: sense-api.md part A and B7."""
    version = tuple(int(n) for n in re.findall("[0-9]{1,6}", info.version)[:3])
    if version and version < EXPORTS_SINCE:
        text = (
            f"version {info.version} cannot export: exportVideo came with "
            f"{'.'.join(map(str, EXPORTS_SINCE))}; update it"
        )
        return Finding(place, Verdict.PROBLEM, text)
    if found is None:
        text = "it does not say whether it has the API license that exports need"
        return Finding(place, Verdict.WARNING, text)
    if not found:
        text = "the API license that exports need is missing: every export will fail"
        return Finding(place, Verdict.PROBLEM, text)
    return Finding(place, Verdict.FINE, "has the API license")


def _cameras(
    site: Site, settings: RecorderSettings, devices: Iterable[Device]
) -> Iterable[Finding]:
    """Each configured camera of this recorder, by its UIDs, and what it is there."""
    names = {(each.server, each.device): each.name for each in devices}
    for camera in site.roster.cameras.values():
        if camera.recorder != settings.name:
            continue
        place, uids = f"cameras.{camera.name}", (camera.server, camera.device)
        if uids in names:
            text = f"is {names[uids]!r} on {settings.name}"
            yield Finding(place, Verdict.FINE, text)
        else:
            text = (
                f"{settings.name} lists no device {camera.device} on server "
                f"{camera.server} for this account; see evidenced discover "
                f"--recorder {settings.name}"
            )
            yield Finding(place, Verdict.PROBLEM, text)


def _destination(destination: Destination) -> list[Finding]:
    """Whether the share is there, and the right one; only where `mount` is set."""
    place, mount = f"destinations.{destination.name}", destination.mount
    if mount is None:
        return []
    if not mount.is_dir():
        text = f"{mount} is no folder: mount the share there"
        return [Finding(f"{place}.mount", Verdict.PROBLEM, text)]
    if destination.marker is None:
        fine = Finding(f"{place}.mount", Verdict.FINE, f"{mount} is there")
        return [fine, *_record(destination, mount)]
    if not (mount / destination.marker).exists():
        text = f"{destination.marker!r} is not in {mount}: is the right share mounted?"
        return [Finding(f"{place}.marker", Verdict.PROBLEM, text)]
    fine = Finding(f"{place}.mount", Verdict.FINE, f"{mount} has its marker")
    return [fine, *_record(destination, mount)]


def _record(destination: Destination, mount: Path) -> list[Finding]:
    """Whether evidence records can be written there, by this user."""
    if not destination.is_recorded:
        return []
    place = f"destinations.{destination.name}.record"
    why = ShareFolders().refusal(mount, destination.marker)
    if why is None:
        text = f"evidence records can be written to {mount} by this user"
        return [Finding(place, Verdict.FINE, text)]
    text = f"{why}; or record = false, and no evidence record is written"
    return [Finding(place, Verdict.PROBLEM, text)]


def _evidence_key(config: Config) -> list[Finding]:
    """Whether the key can sign; that it can be read was looked at before."""
    secret = config.evidence.key
    if secret is None:
        return []
    try:
        key = Signer(secret.reveal).key()
    except BadInput as error:
        return [Finding("evidence.key", Verdict.PROBLEM, str(error))]
    return [Finding("evidence.key", Verdict.FINE, f"signs with key {key}")]
