"""Families of commands: options before the command's name, and no command at all."""

from pathlib import Path

import pytest

from evidenced.cli.main import run


@pytest.mark.parametrize("family", ["incidents", "silences", "alarms"])
def test_alone_it_lists_by_the_configuration_that_the_environment_names(
    family: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVIDENCED_CONFIG", "/named/by.the.environment")
    assert run([family]) == 2
    assert "/named/by.the.environment cannot be read" in capfd.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        "incidents -c {}",
        "incidents -c {} --limit 3",
        "incidents --limit 3 -c {}",
        "incidents --config={} --state failed",
        "incidents -c {} show x",
        "incidents -c {} retry x",
        "silences --past -c {}",
        "silences -c {} end x",
        "alarms --refused -c {}",
        "alarms -c {} export 1",
        "alarms -c {} acknowledge --comment x",
        "audit -c {} verify",
        "footage -c {} disposed x",
        "notify -c {} test",
    ],
)
def test_an_option_means_the_same_before_the_command_s_name_and_behind_it(
    words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "nowhere.toml"
    assert run(words.format(file).split()) == 2
    assert f"{file} cannot be read" in capfd.readouterr().err


@pytest.mark.parametrize("family", ["audit", "footage", "notify"])
def test_of_a_family_that_lists_nothing_a_command_is_missing(
    family: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run([family, "-c", "/site.toml"]) == 2
    told = f"error: Missing command; see evidenced {family} --help"
    assert told in capfd.readouterr().err


def test_what_is_no_command_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["incidents", "lsit"]) == 2
    assert "No such command 'lsit'. Did you mean 'list'?" in capfd.readouterr().err
    assert run(["incidents", "-c"]) == 2
    assert "requires an argument" in capfd.readouterr().err


@pytest.mark.parametrize("words", ["incidents", "status", "run", "report"])
def test_each_command_tells_the_line_of_a_fault_of_the_configuration(
    words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "site.toml"
    file.write_text("[mqtt]\nurl = 7\n")
    assert run([words, "-c", str(file)]) == 2
    assert f"error: {file}:2: mqtt.url: " in capfd.readouterr().err
