"""What is installed is what was locked, and said honestly."""

import json
import os
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).parents[2]
LOCK = ROOT / ".lock"
LOCKED = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
INSTALLS = (".ci/setup", "systemd/make-deb", "systemd/README.md")


def locked(name: str) -> dict[str, set[str]]:
    """Package and version to the hashes that are taken."""
    text = (LOCK / name).read_text()
    starts = [*LOCKED.finditer(text)]
    ends = [each.start() for each in starts[1:]] + [len(text)]
    return {
        f"{found[1]}=={found[2]}": set(HASH.findall(text[found.start() : end]))
        for found, end in zip(starts, ends, strict=True)
    }


@pytest.mark.parametrize(
    ("name", "at_least"), [("run.txt", 40), ("dev.txt", 40), ("build.txt", 5)]
)
def test_every_package_is_locked_by_hash(name: str, at_least: int) -> None:
    packages = locked(name)
    assert len(packages) >= at_least
    assert [package for package, hashes in packages.items() if not hashes] == []


def test_production_installs_a_part_of_what_was_tested() -> None:
    dev = locked("dev.txt")
    assert locked("run.txt").items() <= dev.items()
    assert locked("build.txt").items() <= dev.items()


@pytest.mark.parametrize("name", INSTALLS)
def test_nothing_is_built_by_what_is_not_locked(name: str) -> None:
    """Without --no-build-isolation pip fetches the newest build tool, unseen."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    builds = re.findall(r"^.*pip\b.* (?:-e )?\.$", text, re.MULTILINE)
    assert builds
    assert [each for each in builds if "--no-build-isolation" not in each] == []


@pytest.mark.parametrize("name", INSTALLS)
def test_the_lock_is_installed_by_hash_only(name: str) -> None:
    text = (ROOT / name).read_text()
    installs = re.findall(r"[^`]*-r\s+\.lock/", text)
    assert installs
    assert [each for each in installs if "--require-hashes" not in each[-200:]] == []


def test_the_bill_of_materials_is_the_lock(tmp_path: Path) -> None:
    if not (ROOT / ".venv" / "bin" / "cyclonedx-py").exists():
        pytest.skip("cyclonedx-py is not in .venv")
    file = tmp_path / "sbom.json"
    subprocess.run([LOCK / "sbom", file], check=True, capture_output=True)
    made = json.loads(file.read_text())
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    assert made["metadata"]["component"]["name"] == "evidenced"
    told = {
        f"{each['name']}=={each['version']}": {
            digest["content"]
            for reference in each["externalReferences"]
            for digest in reference["hashes"]
        }
        for each in made["components"]
    }
    assert told == locked("run.txt")


def audited(
    tmp_path: Path, *, says: str, code: int
) -> subprocess.CompletedProcess[str]:
    tool = tmp_path / "pip-audit"
    tool.write_text(f"#!{sys.executable}\nprint({says!r})\nraise SystemExit({code})\n")
    tool.chmod(0o755)
    return subprocess.run(
        [LOCK / "audit"],
        env=os.environ | {"PIP_AUDIT": str(tool)},
        check=False,
        capture_output=True,
        text=True,
    )


NOT_REACHED = (
    "ERROR:pip_audit._cli:yarl: Dependency not found on PyPI and could not be audited"
)


@pytest.mark.parametrize("code", [0, 1])
def test_an_audit_that_reached_nothing_does_not_say_that_all_is_well(
    tmp_path: Path, code: int
) -> None:
    """pip-audit itself ends with 0 and "No known vulnerabilities found"."""
    says = f"No known vulnerabilities found\n{NOT_REACHED}"
    done = audited(tmp_path, says=says, code=code)
    assert done.returncode == 3
    assert "NOT AUDITED" in done.stderr
    assert "No known" not in done.stdout


def test_an_audit_that_ran_says_what_it_found(tmp_path: Path) -> None:
    fine = audited(tmp_path, says="No known vulnerabilities found", code=0)
    assert (fine.returncode, "audited: " in fine.stdout) == (0, True)
    found = audited(tmp_path, says="yarl 1.0 PYSEC-1", code=1)
    assert (found.returncode, "PYSEC-1" in found.stdout) == (1, True)


class Advisories(BaseHTTPRequestHandler):
    """What osv.dev answers, where one package is known to be vulnerable, or none."""

    vulnerable = ""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name, version = asked["package"]["name"], asked["version"]
        event = {"events": [{"introduced": "0"}]}
        package = {"name": name, "ecosystem": "PyPI"}
        one = {
            "id": "PYSEC-2026-1",
            "summary": "bad",
            "affected": [
                {
                    "package": package,
                    "versions": [version],
                    "ranges": [{"type": "ECOSYSTEM", **event}],
                }
            ],
        }
        body = json.dumps({"vulns": [one]} if name == self.vulnerable else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.mark.parametrize("vulnerable", ["", "yarl"])
def test_the_real_tool_asks_about_all_that_is_locked(vulnerable: str) -> None:
    """From advisories on loopback, which pip-audit asks as it asks osv.dev."""
    if not (ROOT / ".venv" / "bin" / "pip-audit").exists():
        pytest.skip("pip-audit is not in .venv")
    kind = type("Those", (Advisories,), {"vulnerable": vulnerable})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/v1/query"
        done = subprocess.run(
            [LOCK / "audit", "-s", "osv", "--osv-url", url],
            check=False,
            capture_output=True,
            text=True,
        )
        server.shutdown()
    if vulnerable:
        assert (done.returncode, "PYSEC-2026-1" in done.stdout) == (1, True)
    else:
        assert done.returncode == 0, done.stderr
        assert f"audited: {len(locked('run.txt'))} packages" in done.stdout
