"""Evidence records under the sandbox: evidence.conf, a share, its guard, the key.

The share is a bind mount, as a CIFS mount with gid= and dir_mode=0770 shows itself:
of a group that the service's user is in by SupplementaryGroups=.
"""

from collections.abc import Iterator

import pytest

from fakes.machine import ROOT, Machine
from fakes.service import CONFIG, Service

NAS, WRONG, MOUNT = "/srv/nas/V/evidence", "/srv/other", "/mnt/evidence"
GUARD = ".evidenced-share"
SHARED = CONFIG.replace(
    r"path = 'V:\evidence\{rule}-{id}'",
    rf"""path = 'V:\evidence\{{rule}}-{{id}}'
mount = "{MOUNT}"
marker = "{GUARD}"
[evidence]
key = {{ credential = "evidence-key" }}
stable = "1s"
""",
)
KEY = "/etc/evidenced/credentials/evidence-key"
RECORDER = """
[Service]
UMask=0002
ExecStart=
ExecStart=/opt/evidenced/bin/evidenced simulate --listen 127.0.0.1:8480 \
    --scenario /etc/recorder.toml --dir /srv/nas
"""
RECORDER_DROP_IN = "/etc/systemd/system/recorder.service.d/nas.conf"


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


def unmount(machine: Machine) -> None:
    if not machine.run("mountpoint", "-q", MOUNT, check=False).returncode:
        machine.run("umount", MOUNT)


def mount(machine: Machine, share: str) -> None:
    unmount(machine)
    machine.run("mount", "--bind", share, MOUNT)


def keygen(service: Service) -> str:
    """Makes the key; what to compare signatures with."""
    said = service.command("keygen", KEY, "--json")
    return str(said.split('"public_key": "')[1].split('"')[0])


def folder_of(service: Service, incident: str) -> str:
    folder = f"{MOUNT}/panic-{incident}"
    service.machine.run("test", "-e", f"{folder}/incident.html")
    return folder


def test_a_record_is_written_to_the_share_and_signed(nas: Service) -> None:
    public = keygen(nas)
    mount(nas.machine, NAS)
    nas.start()
    before = nas.machine.cursor()
    nas.publish("panic/1")
    done = nas.line(before, "evidence record written")
    folder = folder_of(nas, done["EVIDENCED_INCIDENT"])
    said = nas.command("verify", folder, "--key", public)
    assert "intact" in said
    owner = nas.machine.run("stat", "-c", "%u %G", f"{folder}/incident.json").stdout
    assert owner.split()[1] == "evidence"
    assert owner.split()[0] != "0"
    assert "intact" in nas.command("audit", "verify")


def test_nothing_is_sent_to_the_wrong_share_till_the_right_one_is_there(
    nas: Service,
) -> None:
    keygen(nas)
    mount(nas.machine, WRONG)
    before = nas.machine.cursor()
    nas.start()
    wrong = nas.line(before, "share is not there; nothing is sent to its destination")
    assert wrong["PRIORITY"] == "4"
    assert GUARD in wrong["MESSAGE"]
    nas.publish("panic/1")
    nas.line(before, "incident opened")
    nas.machine.until(
        lambda: '"state": "waiting"' in nas.command("incidents", "list", "--json"),
        "the incident waits",
    )
    assert nas.machine.run("ls", "-A", WRONG).stdout == ""
    mount(nas.machine, NAS)  # the service runs already, and sees it all the same
    # else it looks within 30 s
    nas.machine.run("systemctl", "reload", "evidenced")
    nas.line(before, "share is back")
    done = nas.line(before, "evidence record written")
    folder_of(nas, done["EVIDENCED_INCIDENT"])
    assert nas.machine.run("ls", "-A", WRONG).stdout == ""
