"""Asking the real broker and recorders, for `check --online` and `discover`.

Nothing is changed anywhere: the broker is asked under another client id, so that the
daemon's session stays its own, and a recorder is only logged in to and listed.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

from evidenced.cli.trial import connect, running, trial_broker
from evidenced.config import Config
from evidenced.config.compile import build_site
from evidenced.config.evidence import EvidenceConfig
from evidenced.config.secret import exposure_of
from evidenced.connections import recorder_for, store_settings
from evidenced.core.address import shown
from evidenced.core.errors import BadInput, RecorderError, StoreError
from evidenced.core.folders.whereabouts import Destination
from evidenced.core.ids import RecorderName, SessionId
from evidenced.core.instants import render_utc
from evidenced.core.recorder import SUSPICIOUS_OFFSET, Device, Fitness, SessionInfo
from evidenced.core.site import RecorderSettings, Site
from evidenced.evidence import ShareFolders, Signer
from evidenced.evidence.authority import Authority
from evidenced.host.clock import SystemClock
from evidenced.ports import RecorderPort
from evidenced.store import database_of


class OnlineVerdict(StrEnum):
    FINE = "fine"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class OnlineFinding:
    """One thing that was tried: where it stands in the file, and what came of it."""

    place: str
    verdict: OnlineVerdict
    text: str


def _problem(place: str, text: str) -> OnlineFinding:
    return OnlineFinding(place, OnlineVerdict.PROBLEM, text)


def _fine(place: str, text: str) -> OnlineFinding:
    return OnlineFinding(place, OnlineVerdict.FINE, text)


def check_online(config: Config) -> list[OnlineFinding]:
    """Try everything that the configuration names. Blocks up to its deadlines."""
    return asyncio.run(_gather(config))


def list_devices(config: Config, recorder: str) -> tuple[Device, ...]:
    """What a recorder lists for the configured account. Blocks up to its deadline.

    Raises:
        RecorderError: it gave no usable answer.
        BadInput: its secret or certificate cannot be read.
    """
    return asyncio.run(_devices(recorder_of(config, RecorderName(recorder))))


async def _devices(client: RecorderPort) -> tuple[Device, ...]:
    try:
        return await client.devices()
    finally:
        await client.close()


def recorder_of(config: Config, name: RecorderName) -> RecorderPort:
    """One to be asked by hand."""
    return recorder_for(config, name, SystemClock(), lambda: SessionId(uuid4().hex))


async def _gather(config: Config) -> list[OnlineFinding]:
    site = build_site(config)
    found = _secrets(config)
    unread = {each.place for each in found if each.verdict is OnlineVerdict.PROBLEM}
    if "daemon.store_password" not in unread:
        found += await asyncio.to_thread(_store, config)
    if "mqtt.password" not in unread:
        found += await _broker(config, site)
    for name, recorder in site.recorders.items():
        if f"recorders.{name}.password" not in unread:
            found += [each async for each in _recorder(config, site, recorder)]
    for destination in site.destinations.values():
        found += _destination(destination)
    if "evidence.key" not in unread:
        found += _evidence_key(config)
    if (url := config.evidence.timestamp) is not None:
        found.append(await _time_stamp(config.evidence, url))
    return found


def _secrets(config: Config) -> list[OnlineFinding]:
    """Those that this user cannot read, or others can touch; never what they hold."""
    found = []
    for key_path, secret in config.secrets():
        place = ".".join(map(str, key_path))
        try:
            secret.reveal()
            why = secret.exposure()
        except BadInput as error:
            found.append(_problem(place, str(error)))
            continue
        if why:
            found.append(OnlineFinding(place, OnlineVerdict.WARNING, why))
    for key_path, file in config.key_files():
        if why := exposure_of(file):
            text = f'the key "{file}" {why}'
            place = ".".join(map(str, key_path))
            found.append(OnlineFinding(place, OnlineVerdict.WARNING, text))
    return found


def _store(config: Config) -> list[OnlineFinding]:
    """A server's; the embedded one is the daemon's alone. Blocks."""
    settings = store_settings(config, os.environ)
    if settings.server is None:
        return []
    try:
        database = database_of(settings)
        database.judge()
    except StoreError as error:
        return [_problem("daemon.store", str(error))]
    return [_fine("daemon.store", f"{database.name}: what it commits is kept")]


async def _broker(config: Config, site: Site) -> list[OnlineFinding]:
    """Connect, publish and subscribe, as somebody else than the daemon."""
    try:
        broker = trial_broker(config, site.filters)
    except ValueError as error:
        return [_problem("mqtt", str(error))]
    async with running(broker):
        problem = await connect(broker)
        short, granted = broker.shortfalls, broker.granted
    if problem is not None:
        return [_problem("mqtt", problem)]
    count = len(site.filters)
    done = f"{count} filter{'' if count == 1 else 's'} subscribed"
    fine = _fine("mqtt", f"{broker.address}: connected, {done}")
    return [
        fine,
        _fine("mqtt", granted),
        *(OnlineFinding("mqtt", OnlineVerdict.WARNING, each) for each in short),
    ]


async def _recorder(
    config: Config, site: Site, settings: RecorderSettings
) -> AsyncIterator[OnlineFinding]:
    place = f"recorders.{settings.name}"
    try:
        client = recorder_of(config, settings.name)
    except BadInput as error:  # a certificate that cannot be read
        yield _problem(place, str(error))
        return
    try:
        info = await client.open_session()
        yield _session(place, info)
        yield _fitness(place, await client.fitness(info))
        devices = await client.devices()
    except RecorderError as error:
        yield _problem(place, f"{error} ({error.reason})")
        return
    finally:
        await client.close()
    for finding in _cameras(site, settings, devices):
        yield finding


def _session(place: str, info: SessionInfo) -> OnlineFinding:
    version = f"logged in, version {info.version or 'unknown'}"
    if info.offset is None:
        text = f"{version}; its clock cannot be asked (before 2.6.1)"
        return OnlineFinding(place, OnlineVerdict.WARNING, text)
    seconds = info.offset.estimate.total_seconds()
    if abs(info.offset.estimate) > SUSPICIOUS_OFFSET:
        text = f"{version}; its clock is off by {seconds:+.1f} s: set it"
        return OnlineFinding(place, OnlineVerdict.WARNING, text)
    return _fine(place, f"{version}, clock offset {seconds:+.1f} s")


def _fitness(place: str, found: Fitness) -> OnlineFinding:
    """Whether it can export at all."""
    if found.is_fit is None:
        return OnlineFinding(place, OnlineVerdict.WARNING, found.text)
    return _fine(place, found.text) if found.is_fit else _problem(place, found.text)


def _cameras(
    site: Site, settings: RecorderSettings, devices: Iterable[Device]
) -> Iterable[OnlineFinding]:
    """Each configured camera of this recorder, by its UIDs, and what it is there."""
    names = {each.address: each.name for each in devices}
    for camera in site.roster.cameras.values():
        if camera.recorder != settings.name:
            continue
        place = f"cameras.{camera.name}"
        if camera.address in names:
            yield _fine(place, f"is {names[camera.address]!r} on {settings.name}")
        else:
            text = (
                f"{settings.name} lists nothing at {shown(camera.address)} for this "
                f"account; see evidenced discover --recorder {settings.name}"
            )
            yield _problem(place, text)


def _destination(destination: Destination) -> Iterable[OnlineFinding]:
    """Whether the share is there, and the right one; only where `mount` is set."""
    place, mount = f"destinations.{destination.name}", destination.mount
    marker = destination.marker
    if mount is None:
        return
    if not mount.is_dir():
        text = f"{mount} is no folder: mount the share there"
        yield _problem(f"{place}.mount", text)
    elif marker is not None and not (mount / marker).exists():
        text = f"{marker!r} is not in {mount}: is the right share mounted?"
        yield _problem(f"{place}.marker", text)
    else:
        there = "has its marker" if marker is not None else "is there"
        yield _fine(f"{place}.mount", f"{mount} {there}")
        if destination.is_recorded:
            yield _record(f"{place}.record", mount, marker)


def _record(place: str, mount: Path, marker: str | None) -> OnlineFinding:
    """Whether evidence records can be written there, by this user."""
    why = ShareFolders().refusal(mount, marker)
    if why is None:
        return _fine(place, f"evidence records can be written to {mount} by this user")
    text = f"{why}; or record = false, and no evidence record is written"
    return _problem(place, text)


def _evidence_key(config: Config) -> Iterable[OnlineFinding]:
    """Whether the key can sign; that it can be read was looked at before."""
    secret = config.evidence.key
    if secret is not None:
        try:
            yield _fine("evidence.key", f"signs with key {Signer(secret.reveal).key()}")
        except BadInput as error:
            yield _problem("evidence.key", str(error))


async def _time_stamp(said: EvidenceConfig, url: str) -> OnlineFinding:
    """Whether the authority gives one that verifies."""
    place = "evidence.timestamp"
    try:
        found = await Authority(url, said.timestamp_ca_file).stamp("evidenced check")
    except BadInput as error:
        return _problem(place, str(error))
    return _fine(place, f"stamps {render_utc(found.at)}, by {found.by}")
