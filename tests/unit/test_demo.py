"""The demo's parts without its play: what it sends, what it asks, what it says."""

import io
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from evidenced import demo
from evidenced.config.compile import build_site
from evidenced.config.load import load, load_text
from evidenced.core.alarms.alarm import Alarm, NotTaken, Outcome, Reading, Signal
from evidenced.core.errors import BadInput
from evidenced.demo import brokers
from evidenced.demo.alarms import DemoAct, acts, later
from evidenced.demo.installation import (
    DEAD_CAMERA,
    LATER_RULE,
    RULES,
    Addresses,
    Home,
    config,
    scenario,
    write,
)
from evidenced.demo.show import Picture, Show, board
from fakes.clock import START
from fakes.rule import read_alarm

PLACES = Addresses(
    broker="mqtt://127.0.0.1:1883",
    protocol="5",
    recorder="http://127.0.0.1:8480",
    page="127.0.0.1:8470",
)


def read(act: DemoAct, home: Home) -> Reading | NotTaken:
    site = build_site(load_text(config(home, PLACES)).config)
    alarm = Alarm(topic=act.topic, payload=act.payload(START), received_at=START)
    return read_alarm(site.rules, alarm)


def test_the_configuration_is_right_and_gives_no_warning(tmp_path: Path) -> None:
    home = Home(tmp_path)
    write(home, PLACES)
    loaded = load(home.config)
    assert loaded.warnings == ()
    assert [rule.name for rule in loaded.config.rules] == [*RULES, LATER_RULE]
    cameras = {(c.server, c.device) for c in loaded.config.cameras.values()}
    assert cameras == {(c.server, c.device) for c in scenario().devices}


def test_the_password_is_never_readable_by_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "chmod", lambda *_: None)  # not made right afterwards
    home = Home(tmp_path)
    home.password.touch(0o666)
    write(home, PLACES)
    assert home.password.stat().st_mode & 0o777 == 0o600


def test_each_rule_gets_its_alarm_and_odd_messages_get_none(tmp_path: Path) -> None:
    home = Home(tmp_path)
    opened: dict[str, int] = {}
    refused = []
    cleared = set()
    for act in acts("run"):
        result = read(act, home)
        if isinstance(result, NotTaken):
            refused.append(result.outcome)
        elif result.signal is Signal.CLEAR:
            cleared.add(result.rule)
        else:
            opened[result.rule] = opened.get(result.rule, 0) + 1
    assert opened.keys() == set(RULES)
    assert cleared == {"dock-input", "window-open"}
    assert {rule for rule, times in opened.items() if times > 1} == {
        "door-forced",  # the duplicate
        "panel-alarm",  # the extension
    }
    assert sorted(refused) == sorted([Outcome.UNMATCHED, Outcome.INVALID])


def test_what_comes_later_is_taken_for_as_long_as_it_stays(tmp_path: Path) -> None:
    home, coming = Home(tmp_path), later()
    first, *others = (next(coming) for _ in range(8))
    gate = read(first, home)
    assert isinstance(gate, Reading)
    assert gate.rule == LATER_RULE
    assert DEAD_CAMERA in map(str, gate.cameras)
    assert {each.after for each in others} == {30.0}
    for act in others:
        assert isinstance(read(act, home), Reading), act.says
    reviews = [act.payload(START) for act in others if act.system == "Frigate"]
    later_one = others[2].payload(START + timedelta(minutes=1))
    assert later_one not in reviews  # another event each time


def test_times_of_all_forms_mean_the_moment_of_sending(tmp_path: Path) -> None:
    for act in acts("run"):
        result = read(act, Home(tmp_path))
        if isinstance(result, Reading):
            assert abs(result.moment.at - START) < timedelta(seconds=1), act.says


def test_a_path_on_the_recorder_is_found_on_this_machine(tmp_path: Path) -> None:
    found = Home(tmp_path).find(r"V:\evidence\2026\x-1")
    assert found == tmp_path / "recorder" / "V" / "evidence" / "2026" / "x-1"


def test_without_any_broker_one_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(brokers, "import_module", none)
    with pytest.raises(BadInput, match="apt install mosquitto"):
        demo.run(tmp_path / "demo")


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match=r"--dir .*file.*another folder"):
        demo.run(tmp_path / "file")


def test_the_default_folder_gives_way_to_a_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert demo._prepare(None).resolve() == tmp_path / "demo"
    shutil.rmtree(tmp_path / "demo")
    (tmp_path / "demo").write_text("in the way")
    found = demo._prepare(None)
    try:
        assert found.is_dir()
        assert found.resolve() != tmp_path / "demo"
    finally:
        found.rmdir()


def test_lines_are_plain_and_safe_where_there_is_no_terminal() -> None:
    output = io.StringIO()
    with Show(Console(file=output, width=40)) as show:
        show.line(1.25, "door", "a\x1b[31m long [bold]text[/bold] " + "x" * 60)
        show.update(Picture(incidents=(), exports={}, now=START))
    [line] = output.getvalue().splitlines()
    assert "\x1b" not in line
    assert "[bold]text[/bold]" in line
    assert line.startswith("  1.2 s  door")


def test_an_empty_board_can_be_drawn() -> None:
    output = io.StringIO()
    console = Console(file=output, width=80)
    console.print(board(Picture(incidents=(), exports={}, now=START)))
    assert "incident" in output.getvalue()
