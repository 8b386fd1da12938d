"""To another host, with the words of README.md: what was under way goes on there.

The other host is this machine without anything of the service but its unit. Broker,
recorder and share are elsewhere anyway, and stay as they are.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from fakes.machine import DEADLINE_S, ROOT
from fakes.nas import GUARD, MOUNT, NAS, keygen, mount, unmount
from fakes.service import DROP_INS, Service

ELSEWHERE = "/mnt/footage"
PAGE = "http://127.0.0.1:8470"
LOGIN = "anna:secret of anna"
SCENARIO = """
[recording]
lag = "0s"
rate = 1000
[exports]
disk_speed = 1_000_000
[[devices]]
server = "1001"
device = "2001"
[[devices]]
server = "1001"
device = "2002"
rate = 10_000_000
"""
"""Two seconds of the second camera take twenty to export."""
CONFIG = rf"""
[daemon]
instance = "test"
state_dir = "/var/lib/evidenced"
[mqtt]
url = "mqtt://127.0.0.1:1883"
username = "evidenced"
password = {{ credential = "mqtt-password" }}
[web]
listen = "127.0.0.1:8470"
[web.users]
anna = "HASH"
[recorders.main]
url = "http://127.0.0.1:8480"
username = "export"
password = {{ credential = "sense-password" }}
nonce = "AR5chsWVZagPfMpB"
settle = "0s"
poll_interval = "1s"
max_exports = 1
[evidence]
key = {{ credential = "evidence-key" }}
stable = "1s"
[cameras.lobby]
server = "1001"
device = "2001"
[cameras.gate]
server = "1001"
device = "2002"
[destinations.nas]
path = 'V:\evidence\{{rule}}-{{id}}'
mount = "{MOUNT}"
marker = "{GUARD}"
[[rules]]
name = "panic"
topics = ["panic/{{zone}}"]
group_by = ["zone"]
cameras = ["lobby"]
format = "text"
pre_roll = "1s"
post_roll = "1s"
[[rules]]
name = "slow"
topics = ["slow/{{zone}}"]
group_by = ["zone"]
cameras = ["gate"]
format = "text"
pre_roll = "1s"
post_roll = "1s"
"""
FETCH = """
import base64, sys, urllib.request
url, login = sys.argv[1], base64.b64encode(sys.argv[2].encode()).decode()
asked = urllib.request.Request(url, headers={"Authorization": f"Basic {login}"})
print(urllib.request.urlopen(asked, timeout=10).read().decode())
"""


def blocks() -> list[list[str]]:
    """The commands of README.md for it, block by block."""
    text = (ROOT / "systemd/README.md").read_text()
    section = re.split(r"\n##+ ", text.split("\n### To another host\n")[1])[0]
    found = re.findall(r"(?:^    .*\n)+", section, re.MULTILINE)
    return [[line.strip() for line in block.splitlines()] for block in found]


def follow(service: Service, commands: Sequence[str]) -> str:
    """As root types them; what was said."""
    service.machine.run("ln", "-sf", "/opt/evidenced/bin/evidenced", "/usr/local/bin/")
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
    done = [
        service.machine.run("env", path, "sh", "-c", command) for command in commands
    ]
    return "".join(each.stdout for each in done)


def settle(service: Service) -> str:
    """Configured, with a share, a user and a key; the key to compare with."""
    machine = service.machine
    passwd = ("/opt/evidenced/bin/evidenced", "passwd")
    hashed = machine.run(*passwd, text=f"{LOGIN.partition(':')[2]}\n").stdout.strip()
    service.configure(CONFIG.replace("HASH", hashed))
    machine.write("/etc/recorder.toml", SCENARIO)
    machine.run("systemctl", "restart", "recorder")
    mount(machine, NAS)
    return keygen(service)


def forget(service: Service) -> None:
    """From here on it is another host, where the share is mounted elsewhere."""
    run = service.machine.run
    assert service.show("UnitFileState") == "disabled"
    run("rm", "-r", "/etc/evidenced", DROP_INS)
    run("rm", "-rf", "/var/lib/evidenced", "/var/lib/private/evidenced")
    run("mkdir", "-p", "-m", "700", "/etc/evidenced/credentials")  # as a package does
    unmount(service.machine)
    run("mkdir", ELSEWHERE)
    run("mount", "--bind", NAS, ELSEWHERE)


def change(service: Service) -> None:
    files = ("/etc/evidenced/evidenced.toml", f"{DROP_INS}/test.conf")
    service.machine.run("sed", "-i", f"s|{MOUNT}|{ELSEWHERE}|", *files)


def fetched(service: Service, url: str) -> Any:
    python = "/opt/evidenced/bin/python"
    return json.loads(service.machine.run(python, "-c", FETCH, url, LOGIN).stdout)


def incidents(service: Service) -> dict[str, str]:
    """Their ids, oldest first, with their states; asked for as the user anna."""
    found = fetched(service, f"{PAGE}/api/incidents?limit=500")["incidents"]
    return {str(each["id"]): str(each["state"]) for each in reversed(found)}


def until(service: Service, *wanted: str) -> None:
    service.machine.until(
        lambda: tuple(incidents(service).values()) == wanted,
        f"{wanted}",
        within=2 * DEADLINE_S,
    )


def orders(service: Service) -> list[str]:
    """The folders of all exports that the recorder ever took."""
    exports = fetched(service, "http://127.0.0.1:8480/simulator/journal")["exports"]
    return [str(each["path"]) for each in exports]


def test_everything_goes_on_at_another_host(nas: Service) -> None:
    leave, arrive, begin = blocks()
    public = settle(nas)
    nas.start()
    before = nas.machine.cursor()
    nas.publish("panic/finished")
    nas.line(before, "evidence record written")
    nas.publish("slow/exporting")
    until(nas, "exported", "exporting")
    nas.publish("panic/waiting")
    until(nas, "exported", "exporting", "waiting")
    follow(nas, leave)
    nas.publish("panic/meanwhile")
    forget(nas)
    follow(nas, arrive)
    change(nas)
    assert "intact: 1 evidence records" in follow(nas, begin)
    until(nas, *["exported"] * 4)
    done = incidents(nas)
    nas.machine.until(
        lambda: "intact: 4 evidence" in nas.command("audit", "verify", check=False),
        "a record of each",
    )
    find = ("find", ELSEWHERE, "-mindepth", "1", "-type", "d", "-printf", "%f\n")
    names = nas.machine.run(*find).stdout.split()
    assert sorted(name.split("-", 1)[1] for name in names) == sorted(done)
    for name in names:
        folder = f"{ELSEWHERE}/{name}"
        assert "intact" in nas.command("verify", folder, "--key", public)
    taken = orders(nas)
    assert len(taken) == len(set(taken)) == len(done)
