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
OURS = "/opt/evidenced/lib"
VERBOSE = "/var/lib/verbose"
BUILT_FROM = (
    *("daemon", "systemd", "config", ".lock"),
    *("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"),
)


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
    if reason := why_not_here():
        pytest.skip(reason)
    return make(ROOT, tmp_path)


def make(tree: Path, folder: Path) -> Path:
    """Without the libraries: downloading those is not what is tested."""
    environ = os.environ | {"PYTHON": sys.executable, "DEPENDENCIES": "no"}
    done = subprocess.run(
        [tree / "systemd" / "make-deb"],
        cwd=folder,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("evidenced_*.deb")
    return made


def newer(folder: Path) -> Path:
    """A tree whose next release says hello when it is loaded."""
    tree = folder / "tree"
    tree.mkdir()
    for name in BUILT_FROM:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tree / name)
    project = tree / "pyproject.toml"
    project.write_text(project.read_text().replace('version = "0.', 'version = "9.', 1))
    module = tree / "daemon/evidenced/__main__.py"
    module.write_text(module.read_text() + 'print("hello")\n')
    return tree


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
    service.change(
        f"[Service]\nEnvironment=PYTHONPATH={USED} PYTHONVERBOSE=1\n"
        f"StandardError=append:{VERBOSE}\n"
    )
    service.start()
    assert service.show("FragmentPath") == "/lib/systemd/system/evidenced.service"
    loaded, compiled = code_of(machine)
    assert any("/app." in line for line in loaded)
    assert compiled == []
    leave_bytecode(machine)
    machine.run("dpkg", "-r", "evidenced")
    assert service.show("ActiveState") == "inactive"
    left = ("/opt/evidenced", "/usr/bin", "/usr/share/doc", "/lib/systemd/system/")
    found = machine.run("find", *left, "-path", "*evidenced*", check=False).stdout
    assert found == ""
    # the record is evidence and stays
    machine.run("test", "-e", f"{STATE}/evidenced.sqlite3")


def test_an_upgrade_runs_nothing_of_the_older_one(
    service: Service, package: Path, tmp_path: Path
) -> None:
    machine = service.machine
    if machine.run("which", "dpkg", "python3", check=False).returncode:
        pytest.skip("that root has no Python of its own")
    (tmp_path / "newer").mkdir()
    upgrade = make(newer(tmp_path), tmp_path / "newer")
    machine.copy(package, "/evidenced.deb")
    machine.copy(upgrade, "/newer.deb")
    machine.run("dpkg", "-i", "/evidenced.deb")
    leave_bytecode(machine)
    machine.run("dpkg", "-i", "/newer.deb")
    said = machine.run("env", f"PYTHONPATH={USED}", "evidenced", "--version").stdout
    assert said.startswith("hello")
    assert "evidenced 9." in said
    machine.run("dpkg", "-r", "evidenced")
    assert machine.run("test", "-e", OURS, check=False).returncode


def leave_bytecode(machine: Machine) -> None:
    """As a command of root's does that finds none of its kind."""
    environ = ("PYTHONDONTWRITEBYTECODE=", "PYTHONOPTIMIZE=1", f"PYTHONPATH={USED}")
    machine.run("env", *environ, "evidenced", "--help")
    stray = machine.run("find", OURS, "-name", "*.opt-1.pyc").stdout
    assert stray != ""


def code_of(machine: Machine) -> tuple[list[str], list[str]]:
    """What the service loaded of the package: all, and what it had to compile."""
    lines = machine.run("cat", VERBOSE).stdout.splitlines()
    loaded = [line for line in lines if line.startswith("# code object from")]
    ours = [line for line in loaded if OURS in line]
    return ours, [line for line in ours if line.endswith(".py")]


def put_libraries_aside(machine: Machine) -> None:
    """The libraries of the tests from another place, for the package has its own."""
    machine.run("mkdir", USED)
    machine.run("mount", "--bind", "/opt/evidenced/lib", USED)
    machine.run("umount", "-l", "/opt/evidenced/lib", "/opt/evidenced/daemon")
    machine.run("rm", "-rf", "/opt/evidenced")
