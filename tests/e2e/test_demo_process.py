"""`evidenced demo` as people run it, with and without mosquitto."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from evidenced.demo.installation import RULES
from fakes.mosquitto import find_mosquitto

LIMIT_S = 70.0
FOLDER = re.compile(r"^  (/\S+-\w{8})$", re.MULTILINE)
COMMAND = (sys.executable, "-m", "evidenced", "demo", "--dir")


def start(folder: Path, *options: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, str(folder), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder.parent,
        env=os.environ | environment,
    )


def check(process: "subprocess.Popen[str]", folder: Path) -> str:
    """It ended well: six signed folders, nothing on stderr. Returns its output."""
    output, errors = process.communicate(timeout=LIMIT_S)
    assert errors == ""
    assert process.returncode == 0, output
    assert f"All {len(RULES)} incidents exported, hashed and signed" in output
    folders = [
        Path(each) for each in re.findall(r"^  (/\S+-\w{8})$", output, re.MULTILINE)
    ]
    assert len(folders) == len(RULES)
    for each in folders:
        assert each.is_relative_to(folder)
        assert (each / "export.dvi").is_file()
        assert list(each.glob("*.dvn"))
        assert (each / "incident.json.sig").is_file()
    return output


def verify(output: str) -> str:
    """What the command says that the demo proposes for looking closer."""
    [arguments] = re.findall(r"^  \S+ (verify /.+)$", output, re.MULTILINE)
    command = [sys.executable, "-m", "evidenced", *arguments.split()]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


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
    assert "good, by the expected key" in verify(output)


def test_it_stays_for_as_long_as_somebody_looks(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    staying = start(folder, "--stay")
    assert staying.stdout is not None
    seen = ""
    for line in staying.stdout:
        seen += line
        if line.startswith("It goes on until Ctrl-C"):
            break
    page = seen.split()[-1]
    assert " status -c " in seen
    with urlopen(page) as answer:  # noqa: S310 - our own, on loopback
        assert b"door-forced" in answer.read()
    going_on = next(staying.stdout)
    assert "two cameras see, and one of them is dead" in going_on
    staying.send_signal(signal.SIGINT)
    _, errors = staying.communicate(timeout=LIMIT_S)
    assert (staying.returncode, errors) == (0, "")


def test_it_needs_no_mosquitto(tmp_path: Path) -> None:
    pytest.importorskip("amqtt", reason="amqtt is not installed")
    output = check(start(tmp_path / "demo", PATH=""), tmp_path)
    assert "amqtt at mqtt://127.0.0.1:" in output
