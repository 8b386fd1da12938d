"""What is true of the repository as a whole, and easily lost without a test."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
VISIBLE = {
    *("README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml"),
    *("config", "daemon", "systemd", "tests"),
}
HIDDEN = {".ci", ".lock", ".gitignore", ".gitattributes", ".editorconfig"}
NOT_HERE = {
    "a package index": r"pypi\.org|pythonhosted\.org|--(extra-)?index-url|/simple/",
    "a path of one machine": (
        r"(?<![\w.}])/(work|root|home|Users)/|/opt/(ev\b|pypi|wheels)"
    ),
    "who or what wrote it": (
        r"(?i)\b(anthropic|chatgpt|openai|copilot|language model|helper agents?|"
        r"as an ai|co-authored-by)\b"
    ),
    "a promise instead of work": r"\b(FIXME|TODO|XXX|WIP)\b",
    "a key": r"-----BEGIN (?:\w+ )?PRIVATE KEY-----\n",
}
PIN = re.compile(
    r"^([a-z0-9.-]+)==(\S+)(?: ;.*)? \\\n((?:    --hash=sha256:.*\n)+)", re.MULTILINE
)


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("no git here: what belongs to the project cannot be told")
    listed = subprocess.run(
        [git, "-c", f"safe.directory={ROOT}", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = listed.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).exists()]


def texts(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        raw = path.read_bytes()
        if path != Path(__file__) and b"\0" not in raw:
            yield path.relative_to(ROOT), raw.decode()


def test_the_top_level_is_small(tracked: list[Path]) -> None:
    names = {path.relative_to(ROOT).parts[0] for path in tracked}
    assert names <= VISIBLE | HIDDEN
    assert names >= VISIBLE - {"CHANGELOG.md"}


@pytest.mark.parametrize("what", NOT_HERE)
def test_no_file_names(tracked: list[Path], what: str) -> None:
    pattern = re.compile(NOT_HERE[what])
    found = [
        f"{path}:{number}: {line.strip()[:120]}"
        for path, text in texts(tracked)
        for number, line in enumerate(text.splitlines(keepends=True), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "sample"),
    [
        ("a package index", "see https://py" + "pi.org/project/x"),
        ("a path of one machine", "cd /wo" + "rk/main"),
        ("who or what wrote it", "Co-Authored" + "-By: someone"),
        ("a promise instead of work", "# TO" + "DO later"),
        ("a key", "-----BEGIN PRIVATE KEY-----\n"),
    ],
)
def test_what_is_looked_for_would_be_found(what: str, sample: str) -> None:
    assert re.search(NOT_HERE[what], sample)


@pytest.mark.parametrize(
    "fine", [("", "homework", ""), ("tests", "work", "x"), ("${HOME}", "home", "x")]
)
def test_paths_that_are_no_machine_s(fine: tuple[str, ...]) -> None:
    assert not re.search(NOT_HERE["a path of one machine"], "/".join(fine))


def test_scripts_can_be_run(tracked: list[Path]) -> None:
    scripts = [p for p in tracked if p.read_bytes().startswith(b"#!")]
    assert ROOT / ".ci/run" in scripts
    assert [p for p in scripts if not p.stat().st_mode & 0o100] == []


def locked(name: str) -> dict[str, Version]:
    text = (ROOT / ".lock" / name).read_text()
    pins = {pin[1]: Version(pin[2]) for pin in PIN.finditer(text)}
    # every line belongs to a pin with hashes: nothing else could be installed
    assert PIN.sub("", text) == ""
    return pins


def required(extra: str | None = None) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (
        project["optional-dependencies"][extra] if extra else project["dependencies"]
    )
    found = [Requirement(line) for line in lines]
    return [one for one in found if canonicalize_name(one.name) != project["name"]]


@pytest.mark.parametrize(
    ("lock", "extra"),
    [("run.txt", None), ("dev.txt", None), ("dev.txt", "demo"), ("dev.txt", "dev")],
)
def test_the_lock_holds_what_the_project_asks_for(lock: str, extra: str | None) -> None:
    pins = locked(lock)
    for requirement in required(extra):
        pin = pins.get(canonicalize_name(requirement.name))
        assert pin is not None, f"{requirement.name}: run .lock/update"
        assert pin in requirement.specifier, f"{requirement}: run .lock/update"


def test_the_lock_holds_the_build_backend() -> None:
    system = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]
    pins = locked("dev.txt")
    for line in system["requires"]:
        requirement = Requirement(line)
        assert pins[canonicalize_name(requirement.name)] in requirement.specifier


def test_production_installs_a_part_of_what_the_tests_run_with() -> None:
    assert locked("run.txt").items() <= locked("dev.txt").items()
