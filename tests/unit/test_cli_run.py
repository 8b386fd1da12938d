"""`evidenced run`: how a daemon that cannot go on leaves."""

from pathlib import Path

import pytest

from evidenced import app
from evidenced.cli.main import run
from evidenced.core.errors import ConfigError, StoreError


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (
            ConfigError(["mqtt.url: one", "rules: two"]),
            2,
            ["error: a.toml: mqtt.url: one", "error: a.toml: rules: two"],
        ),
        (StoreError("another one runs"), 1, ["error: another one runs"]),
    ],
)
def test_what_keeps_it_from_starting_is_told(
    error: Exception,
    code: int,
    lines: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(_: Path) -> int:
        raise error

    monkeypatch.setattr(app, "run", refuse)
    assert run(["run", "-c", "a.toml"]) == code
    said = capsys.readouterr()
    assert said.err.splitlines() == lines


def test_a_fault_of_its_own_is_logged_and_no_exit_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def die(_: Path) -> int:
        raise ExceptionGroup("loops", [ZeroDivisionError("one")])

    monkeypatch.setattr(app, "run", die)
    assert run(["run"]) == 70
    said = capsys.readouterr()
    assert "evidenced died of a fault of its own" in said.out + said.err
