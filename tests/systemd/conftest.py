"""One machine for the tests of a file, and the service on it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.machine import ROOT, Machine, own_python, why_not
from fakes.mosquitto import find_mosquitto
from fakes.nas import (
    GUARD,
    KEY,
    MOUNT,
    NAS,
    RECORDER,
    RECORDER_DROP_IN,
    SHARED,
    WRONG,
    unmount,
)
from fakes.service import Service, install


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Booted; broker and recorder run in it, the service is installed.

    EVIDENCED_SYSTEMD_ROOT names the root of another distribution to boot instead:
    mmdebstrap --variant=minbase --include=$PACKAGES trixie ROOT
    with systemd-sysv,dbus,mosquitto,libsqlite3-0 as the packages
    """
    lower = Path(os.environ.get("EVIDENCED_SYSTEMD_ROOT", "/"))
    missing = why_not() or (None if find_mosquitto() else "mosquitto is not installed")
    if missing:
        pytest.skip(missing)
    binds, python = own_python(lower)
    machine = Machine(tmp_path_factory.mktemp("systemd") / "machine", binds, lower)
    try:
        machine.boot()
        install(machine, python)
        yield machine
    finally:
        machine.power_off()


@pytest.fixture
def service(machine: Machine) -> Iterator[Service]:
    """Installed, not running."""
    service = Service(machine)
    service.reset()
    yield service
    service.reset()


@pytest.fixture
def running(service: Service) -> Service:
    """Installed, ready."""
    service.start()
    return service


@pytest.fixture
def nas(service: Service) -> Iterator[Service]:
    """The recorder writes to it; here it is not mounted yet."""
    run = service.machine.run
    run("groupadd", "--force", "evidence")
    run("mkdir", "-p", "/srv/nas", WRONG, MOUNT)
    # of its own: files of an overlay seem to be on another device than their folder
    run("mount", "-t", "tmpfs", "none", "/srv/nas")
    run("mkdir", "-p", NAS)
    run("chgrp", "evidence", NAS)
    run("chmod", "2770", NAS)
    run("touch", f"{NAS}/{GUARD}")
    service.machine.write(RECORDER_DROP_IN, RECORDER)
    service.configure(SHARED)
    shipped = (ROOT / "systemd/evidenced.service.d/evidence.conf").read_text()
    service.change(shipped.replace("# Supplementary", "Supplementary"))
    run("systemctl", "restart", "recorder")
    yield service
    run("systemctl", "stop", "evidenced")
    unmount(service.machine)
    run("rm", "-f", KEY, RECORDER_DROP_IN)
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", "recorder")
    run("umount", "/srv/nas")
