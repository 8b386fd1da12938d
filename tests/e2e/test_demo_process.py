"""`evidenced demo` as people run it, with and without mosquitto."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from evidenced.demo.installation import RULES
from fakes.mosquitto import find_mosquitto

LIMIT_S = 70.0
FOLDER = re.compile(r"^  (/\S+-\w{8})$", re.MULTILINE)
COMMAND = (sys.executable, "-m", "evidenced", "demo", "--dir")


def start(folder: Path, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder.parent,
        env=os.environ | environment,
    )


def check(process: "subprocess.Popen[str]", folder: Path) -> str:
    """It ended well: six folders with files, nothing on stderr. Returns its output."""
    output, errors = process.communicate(timeout=LIMIT_S)
    assert errors == ""
    assert process.returncode == 0, output
    assert f"All {len(RULES)} incidents exported" in output
    folders = [
        Path(each) for each in re.findall(r"^  (/\S+-\w{8})$", output, re.MULTILINE)
    ]
    assert len(folders) == len(RULES)
    for each in folders:
        assert each.is_relative_to(folder)
        assert (each / "export.dvi").is_file()
        assert list(each.glob("*.dvn"))
    return output


def test_it_shows_the_whole_way_and_may_be_run_again(tmp_path: Path) -> None:
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed (Debian: apt install mosquitto)")
    folder = tmp_path / "demo"
    broken_off = start(folder)
    assert broken_off.stdout is not None
    for line in broken_off.stdout:
        if "dock-input" in line:  # it waits for its clear
            break
    broken_off.send_signal(signal.SIGINT)
    output, errors = broken_off.communicate(timeout=LIMIT_S)
    assert (broken_off.returncode, errors) == (130, "")
    assert "starts afresh" in output

    output = check(start(folder), folder)
    assert "mosquitto at mqtt://127.0.0.1:" in output
    assert re.search(r"^Page +http://127\.0\.0\.1:\d+/$", output, re.MULTILINE)
    assert "-48" in output
    for outcome in ("6 opened", "1 extended", "2 cleared", "1 duplicate", "1 invalid"):
        assert outcome in output


def test_it_needs_no_mosquitto(tmp_path: Path) -> None:
    pytest.importorskip("amqtt", reason="amqtt is not installed")
    output = check(start(tmp_path / "demo", PATH=""), tmp_path)
    assert "amqtt at mqtt://127.0.0.1:" in output
