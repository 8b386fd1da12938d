"""What Tab offers: commands, options, and names out of the configuration."""

import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest


def offered(line: str, *, cwd: Path) -> list[str]:
    """What bash is offered at the end of the line."""
    done = subprocess.run(
        [sys.executable, "-c", "from evidenced.__main__ import main; main()"],
        check=True,
        capture_output=True,
        text=True,
        cwd=cwd,
        env={
            **os.environ,
            "COMP_WORDS": line,
            "COMP_CWORD": str(line.count(" ")),
            "_EVIDENCED_COMPLETE": "complete_bash",
        },
    )
    assert done.stderr == ""
    return done.stdout.split()


CONFIG = """
[mqtt]
url = "mqtt://127.0.0.1:1"
[recorders.main]
url = "http://127.0.0.1:1"
username = "export"
password = { env = "NOT_NEEDED" }
nonce = "AR5chsWVZagPfMpB"
[web]
listen = "127.0.0.1:1"
[cameras.lobby]
server = "1001"
device = "2001"
[destinations.nas]
path = 'V:\\evidence\\{rule}-{id}'
[[rules]]
name = "panic"
topics = ["panic/{zone}"]
cameras = ["lobby"]
"""


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("evidenced inc", ["incidents"]),
        ("evidenced incidents sh", ["show"]),
        ("evidenced listen --cou", ["--count"]),
        ("evidenced trigger -c evidenced.toml --rule ", ["panic"]),
        ("evidenced discover -c evidenced.toml --recorder m", ["main"]),
        ("evidenced discover -c nowhere.toml --recorder m", []),
        ("evidenced incidents show -c evidenced.toml 2", []),
    ],
)
def test_the_shell_is_offered_what_fits(
    tmp_path: Path, line: str, names: list[str]
) -> None:
    (tmp_path / "evidenced.toml").write_text(CONFIG)
    assert offered(line, cwd=tmp_path) == names


def test_tab_does_not_wait_for_a_daemon_that_hangs(tmp_path: Path) -> None:
    (tmp_path / "evidenced.toml").write_text(CONFIG)
    (tmp_path / "state").mkdir()
    with socket.socket(socket.AF_UNIX) as hanging:
        hanging.bind(str(tmp_path / "state" / "control.sock"))
        hanging.listen()
        hanging.settimeout(60)
        with ThreadPoolExecutor(1) as pool:
            line = "evidenced incidents show -c evidenced.toml 2"
            found = pool.submit(offered, line, cwd=tmp_path)
            client, _ = hanging.accept()
            with client:
                client.settimeout(15)  # commands wait for 30 s
                while client.recv(4096):
                    pass
            assert found.result() == []
