"""The Debian package: made from the tree, installed, run, removed."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from fakes.machine import ROOT, Machine
from fakes.service import STATE, Service

USED = "/opt/elsewhere"


def why_not_here() -> str | None:
    if shutil.which("dpkg-deb") is None:
        return "dpkg-deb is missing: no Debian"
    if find_spec("pip") is None or find_spec("hatchling") is None:
        return "pip or hatchling is missing in this environment"
    if not Path(f"/usr/bin/python3.{sys.version_info.minor}").exists():
        return "the distribution's Python is another one than this"
    return None


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Without the libraries: downloading those is not what is tested."""
    if reason := why_not_here():
        pytest.skip(reason)
    environ = os.environ | {"PYTHON": sys.executable, "DEPENDENCIES": "no"}
    done = subprocess.run(
        [ROOT / "systemd" / "make-deb"],
        cwd=tmp_path,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (made,) = tmp_path.glob("evidenced_*.deb")
    return made


def test_installed_run_and_removed(service: Service, package: Path) -> None:
    machine = service.machine
    if machine.run("which", "dpkg", "python3", check=False).returncode:
        pytest.skip("that root has no Python of its own")
    put_libraries_aside(machine)
    machine.copy(package, "/evidenced.deb")
    machine.run("dpkg", "-i", "/evidenced.deb")
    said = machine.run("env", f"PYTHONPATH={USED}", "evidenced", "--version").stdout
    assert said.startswith("evidenced ")
    machine.run("test", "-e", "/opt/evidenced/lib/evidenced/systems/axis.toml")
    machine.run("test", "-e", "/usr/share/doc/evidenced/systems/axis.toml")
    # the unit of the package counts, not what other tests have put before it
    machine.run("rm", "/etc/systemd/system/evidenced.service")
    service.change(f"[Service]\nEnvironment=PYTHONPATH={USED}\n")
    service.start()
    assert service.show("FragmentPath") == "/lib/systemd/system/evidenced.service"
    machine.run("dpkg", "-r", "evidenced")
    assert service.show("ActiveState") == "inactive"
    assert machine.run("test", "-e", "/usr/bin/evidenced", check=False).returncode
    # the record is evidence and stays
    machine.run("test", "-e", f"{STATE}/evidenced.sqlite3")


def put_libraries_aside(machine: Machine) -> None:
    """The libraries of the tests from another place, for the package has its own."""
    machine.run("mkdir", USED)
    machine.run("mount", "--bind", "/opt/evidenced/lib", USED)
    machine.run("umount", "-l", "/opt/evidenced/lib", "/opt/evidenced/daemon")
    machine.run("rm", "-rf", "/opt/evidenced")
