"""A machine of our own with a real systemd, booted over this one's root in a second.

An overlay in memory takes what is written, a container keeps it apart, and everything
vanishes with its last process. Notification, watchdog, restarts, credentials, dynamic
users, sandbox, system call filter and journal are the real ones; MemoryMax= and
TasksMax= are not enforced in it.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BOOT_S = 60.0
DEADLINE_S = 60.0
BOOT = r"""
set -e
mount -t tmpfs -o size=1g none "$W"; mkdir "$W/up" "$W/work" "$W/root"
mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$W/up,workdir=$W/work" "$W/root"
U="$W/root/etc/systemd/system"
rm -rf "$U"/*.wants "$U"/*.requires # what this machine enabled is not started there
rm -rf "$W/root/var/lib/evidenced" "$W/root/var/log/journal"
mkdir "$CG/$N"; echo $BASHPID > "$CG/$N/cgroup.procs"
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
exec systemd-nspawn -q --boot --register=no --keep-unit --settings=no \
    --link-journal=no --private-network --resolv-conf=off --timezone=off \
    --capability=CAP_BPF --system-call-filter=bpf --machine="$N" -D "$W/root" \
    --console=pipe "$@" </dev/null
"""


def why_not() -> str | None:
    """Why there can be no such machine here."""
    if os.geteuid() != 0:
        return "only root can boot a systemd of its own"
    if shutil.which("systemd-nspawn") is None:
        return "systemd-nspawn is missing (Debian: apt install systemd-container)"
    return None


class Machine:
    """Boot, write files, run commands in it, power off.

    `lower` is the root that it is booted over, `binds` what it sees of this machine's
    folders, read-only, by the path there.
    """

    def __init__(
        self, folder: Path, binds: Mapping[str, Path], lower: Path = Path("/")
    ) -> None:
        self._folder = folder
        self._binds = binds
        self._lower = lower
        self._name = f"evidenced{os.getpid()}x{time.monotonic_ns() % 10**6}"
        cgroup = Path("/sys/fs/cgroup")
        unified = cgroup / "unified"
        self._cgroup = unified if unified.is_dir() else cgroup
        self._legacy = cgroup / "systemd" / self._name
        self._process: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def boot(self) -> None:
        """Raises AssertionError with what systemd said when it does not come up."""
        self._folder.mkdir(parents=True)
        log = self._folder.with_suffix(".log")
        binds = [f"--bind-ro={here}:{there}" for there, here in self._binds.items()]
        environ = {
            **os.environ,
            "W": str(self._folder),
            "N": self._name,
            "CG": str(self._cgroup),
            "LOWER": str(self._lower),
        }
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                ["unshare", "-m", "bash", "-c", BOOT, "boot", *binds],
                env=environ,
                stdout=out,
                stderr=out,
            )
        deadline = time.monotonic() + BOOT_S
        while not self._is_up():
            said = log.read_text(errors="replace")[-2000:]
            assert self._process.poll() is None, f"it did not boot: {said}"
            assert time.monotonic() < deadline, f"it is not up yet: {said}"
            time.sleep(0.1)

    def _is_up(self) -> bool:
        assert self._process is not None
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if not children:
            return False
        self._leader = int(children[0])
        state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return state in ("running", "degraded")

    def run(
        self, *command: str, check: bool = True, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as root; `text` is its stdin."""
        # never without a leader: it would run on this machine
        assert self._leader > 0
        done = subprocess.run(
            ["nsenter", "-t", str(self._leader), "-a", *command],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            timeout=DEADLINE_S,
        )
        assert not check or done.returncode == 0, f"{command}: {done.stderr}"
        return done

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """A file in it, and its folders."""
        script = 'mkdir -p "${1%/*}" && cat >"$1" && chmod "$2" "$1"'
        self.run("sh", "-c", script, "sh", path, f"{mode:o}", text=text)

    def copy(self, file: Path, path: str) -> None:
        """A file of this machine into that one."""
        shutil.copyfile(file, f"/proc/{self._leader}/root{path}")

    def systemd_version(self) -> int:
        return int(self.run("systemctl", "--version").stdout.split()[1])

    def show(self, unit: str, *names: str) -> dict[str, str]:
        """Properties of a unit."""
        done = self.run("systemctl", "show", unit, *(f"-p{name}" for name in names))
        return dict(line.split("=", 1) for line in done.stdout.splitlines())

    def journal(self, *matches: str) -> list[dict[str, Any]]:
        """Entries that match, in order."""
        done = self.run("journalctl", "-o", "json", "--no-pager", "--all", *matches)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def cursor(self) -> str:
        """The end of the journal now, for `line`."""
        self.run("journalctl", "--sync")
        (last,) = self.journal("-n", "1")
        return str(last["__CURSOR"])

    def line(
        self, after: str, name: str, value: str, within: float = DEADLINE_S
    ) -> dict[str, Any]:
        """Wait for the first entry after the cursor with this field.

        Chosen here: with a match of its own, journalctl skips the first one.
        """
        command = ("journalctl", "-f", "-o", "json", f"--after-cursor={after}")
        with self._following(within, *command, "-n", "all") as lines:
            for line in lines:
                entry = dict(json.loads(line))
                if entry.get(name) == value:
                    return entry
        raise AssertionError(f"no entry with {name}={value} within {within} s")

    @contextmanager
    def _following(self, within: float, *command: str) -> Iterator[Iterator[str]]:
        enter = ("nsenter", "-t", str(self._leader), "-a")
        with subprocess.Popen(
            [*enter, "timeout", str(within), *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as child:
            assert child.stdout is not None
            try:
                yield iter(child.stdout)
            finally:
                child.kill()

    def until(
        self, condition: Callable[[], object], what: str, within: float = DEADLINE_S
    ) -> None:
        """Look again and again: most of what systemd shows cannot be awaited."""
        deadline = time.monotonic() + within
        while not condition():
            assert time.monotonic() < deadline, f"not within {within} s: {what}"
            time.sleep(0.1)

    def power_off(self) -> None:
        """Leaves nothing behind."""
        if self._process is not None:
            if self._leader and self._process.poll() is None:
                self.run("systemctl", "poweroff", check=False)
            try:
                self._process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        _empty(self._cgroup / self._name)
        for top in (self._cgroup / self._name, self._legacy):
            for folder in sorted(top.glob("**/"), reverse=True):
                folder.rmdir()
        self._folder.rmdir()


def _empty(cgroup: Path) -> None:
    """End what is left in it: a folder with processes cannot be removed.

    Source: docs.kernel.org, cgroup v2, cgroup.kill and cgroup.events.
    """
    if not (cgroup / "cgroup.kill").exists():
        return
    (cgroup / "cgroup.kill").write_text("1")
    deadline = time.monotonic() + DEADLINE_S
    while "populated 1" in (cgroup / "cgroup.events").read_text():
        assert time.monotonic() < deadline, f"processes are left in {cgroup}"
        time.sleep(0.05)


def own_python(lower: Path) -> tuple[dict[str, Path], str]:
    """What a machine has to see to run this project: binds, and its interpreter.

    The interpreter of that root where it is of the same version, else this one,
    bound to a place that is no home folder: those are hidden from the service.
    """
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    binds = {
        "/opt/evidenced/daemon": ROOT / "daemon",
        "/opt/evidenced/lib": Path(sysconfig.get_path("purelib")),
    }
    path = "PYTHONPATH=/opt/evidenced/daemon:/opt/evidenced/lib"
    if (lower / "usr/bin" / name).exists():
        return binds, f"env {path} /usr/bin/{name}"
    binds["/opt/python"] = Path(sys.base_prefix)
    path = f"{path} LD_LIBRARY_PATH=/opt/python/lib"
    return binds, f"env {path} /opt/python/bin/{name}"
