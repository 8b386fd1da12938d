"""A share that the recorder writes to, seen by the service under its sandbox.

It is a bind mount, as a CIFS mount with gid= and dir_mode=0770 shows itself: of a group
that the service's user is in by SupplementaryGroups=.
"""

from fakes.machine import Machine
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
